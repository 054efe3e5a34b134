"""What a window will cost: rows that Data 360 processes, from what earlier readings were billed.

Belongs here: the estimate, and how finely ground may be read at that price. Does not: any reading.
Pure.

An org may bill the rows that a query returns, a multiple of them, or all rows of the object that it
scans (section 6.3 of the Data 360 page). So a query is taken to cost a surcharge and so much for each
of its rows; a line through what the last readings were billed gives both.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from statistics import linear_regression

from stdm_platform.catalog import Dmo
from stdm_platform.extraction.due import Cadence, HeldGround
from stdm_platform.lake import Window

SMALLEST = timedelta(minutes=5)
"""Session tracing collects every 5 minutes (section 4.4): nothing new can be there sooner."""

QUERIES_A_DAY = 97
"""Of one DMO in hourly ticks: 24 new windows, each again at three marks, and one settle pass."""

FAR_MORE = 3
"""Surcharges of a day over its rows from which larger windows are read less often."""


@dataclass(frozen=True)
class Experience:
    """What earlier readings of a DMO tell; no density before the first of them."""

    rows_per_second: float | None = None
    surcharge: int = 0
    per_row: float = 1.0

    @classmethod
    def of(cls, held: Iterable[HeldGround]) -> Experience:
        """The experience with these windows; those without figures are passed over."""
        known = [(each, each.rows) for each in held if each.rows is not None]
        seconds = sum((each.window.end - each.window.start).total_seconds() for each, _ in known)
        billed = [
            (rows, each.rows_processed) for each, rows in known if each.rows_processed is not None
        ]
        density = sum(rows for _, rows in known) / seconds if seconds else None
        return cls(density, *_line(billed))

    @property
    def is_dear(self) -> bool:
        """Whether hourly windows would be billed far more than they return."""
        if not self.surcharge or self.rows_per_second is None:
            return False
        rows_of_day = self.rows_per_second * timedelta(days=1).total_seconds()
        return self.surcharge * QUERIES_A_DAY > FAR_MORE * rows_of_day

    def cadence(self, dmo: Dmo) -> Cadence:
        """How finely the DMO may be read at this price.

        Where a query is dear, new ground waits until it is six hours long, and is read again by
        whole days, at the later marks only: 7 queries a day instead of 97.
        """
        if not self.is_dear:
            return Cadence(SMALLEST, timedelta(hours=1), dmo.again_after)
        late = tuple(mark for mark in dmo.again_after if mark >= timedelta(hours=24))
        return Cadence(timedelta(hours=6), timedelta(days=1), late)

    def estimate(self, window: Window, held: Iterable[HeldGround]) -> int | None:
        """Rows that reading this window will make the org process; None before any experience.

        `held` is what is held of its day.
        """
        if self.rows_per_second is None:
            return None
        rows, unknown = 0.0, (window.end - window.start).total_seconds()
        for each in held:
            if each.rows is not None and each.window.overlaps(window):
                rows += each.rows
                unknown -= (each.window.end - each.window.start).total_seconds()
        rows += max(unknown, 0) * self.rows_per_second
        return round(rows * self.per_row + self.surcharge)


def _line(billed: Sequence[tuple[int, int]]) -> tuple[int, float]:
    """The surcharge of a query and the price of a row, from rows and what was billed for them."""
    rows, processed = sum(row for row, _ in billed), sum(cost for _, cost in billed)
    if len({row for row, _ in billed}) > 2:
        price, surcharge = linear_regression(*zip(*billed, strict=True))
        return max(round(surcharge), 0), max(price, 0.0)
    if processed > FAR_MORE * rows:  # no org would bill a row so often: it bills what it scans
        return round((processed - rows) / len(billed)), 1.0
    return 0, processed / rows if rows else 1.0
