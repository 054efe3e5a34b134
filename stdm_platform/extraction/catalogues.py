"""Which window stands for a catalogue, and which reading of one counts. Pure: no I/O, no clock.

Belongs here: what catalogues have instead of ranges, holes and marks. Does not: their SQL (`sql.py`),
when they are due (`due.py`).

A catalogue has no days. What is held under a day is the whole of it, as served when it was read; the
newest day counts, older ones show what it was.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date, datetime, timedelta

from stdm_platform.catalog import Dmo
from stdm_platform.lake import Window, cut_to_millisecond

READ_EVERY = timedelta(days=1)


def windows_of(dmo: Dmo, windows: Sequence[Window], now: datetime) -> Sequence[Window]:
    """The windows that a request means: of a catalogue one, the newest of its days up to now."""
    if not dmo.is_catalogue or not windows:
        return windows
    day = Window.of_day(max(window.day for window in windows))
    return [Window(day.start, min(day.end, cut_to_millisecond(now)))]


def days_that_count(dmo: Dmo, days: Collection[date]) -> list[date]:
    """The held days of which rows are told, oldest first: of a catalogue the newest."""
    ordered = sorted(days)
    return ordered[-1:] if dmo.is_catalogue else ordered
