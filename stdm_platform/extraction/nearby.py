"""What footers tell of how much a day holds: its own, and those of days like it.

Belongs here: which footers are looked at. Does not: what is expected from them (`volume.py`), what a
query costs (`cost.py`).
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from stdm_platform.catalog import Dmo
from stdm_platform.extraction.due import HeldGround
from stdm_platform.extraction.volume import like_days
from stdm_platform.lake import Evidence, Lake


def known_around(lake: Lake, dmo: Dmo, days: Iterable[date]) -> list[HeldGround]:
    """The held windows, with figures, of these days and of the held ones most like each.

    Raises:
        LakeError: the disk refuses to read.
    """
    held = lake.days(dmo.name)
    wanted = {like for day in days for like in like_days(held, day)}
    return [
        with_figures(said)
        for day in sorted(wanted)
        for _, said in lake.evidence_of_day(dmo.name, day)
    ]


def with_figures(said: Evidence) -> HeldGround:
    """A held window as its footer tells of it."""
    last = said.readings[-1]
    return HeldGround(said.window, said.settled, last.read_at, said.rows, last.rows_processed)
