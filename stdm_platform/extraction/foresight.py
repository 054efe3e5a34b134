"""When the plan will read a held window again, were nothing else to change.

Belongs here: asking the plan's own rules about later instants. Does not: the rules (`due.py`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from stdm_platform.catalog import Dmo
from stdm_platform.extraction.due import HeldGround, Timing, due_of_day
from stdm_platform.extraction.holdings import held_of_day, refused_of_day
from stdm_platform.lake import Lake, Window


def next_reading(
    lake: Lake, timings: Mapping[str, Timing], dmo: Dmo, window: Window
) -> datetime | None:
    """The first instant from the plan's now on at which the window is due; None for never.

    Args:
        lake: what is held.
        timings: of the plan; see `Plan`. A DMO without one is not read, the org lacks it.
        dmo: whose window it is.
        window: a held one.
    """
    timing = timings.get(dmo.name)
    if timing is None or window.day < timing.start.date():
        return None
    day = Window.of_day(window.day)
    if dmo.is_catalogue:
        return max(timing.now, day.end + dmo.shortest_lag)
    held, refused = held_of_day(lake, dmo, window.day), refused_of_day(lake, dmo, window.day)
    for now in (timing.now, *sorted(_marks(timing, day, held))):
        due = due_of_day(replace(timing, now=now), day, held, refused)
        if any(ground.window.overlaps(window) for ground in due):
            return now
    return None


def _marks(timing: Timing, day: Window, held: Sequence[HeldGround]) -> Iterator[datetime]:
    """The instants to come at which something of the day can become due."""
    span = timing.cadence.span
    ends = {each.window.end for each in held}
    ends |= {day.start + ((end - day.start) // span + 1) * span for end in ends} | {day.end}
    marks = {end + mark for end in ends for mark in timing.cadence.again_after}
    yield from (mark for mark in {*marks, day.end + timing.dmo.settle_time} if mark > timing.now)
