"""How current a DMO is, and whether that is later than was promised.

Belongs here: ages and limits, from the plan and from the names of held windows. Does not: who made
the promise (`orchestration`), telling anybody.

When something was last read says nothing: an old day that is read again is not fresh data. Current is
what is held: the frontier, up to which there are rows, and the watermark, up to which they are final.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta

from stdm_platform.extraction.catalogues import READ_EVERY
from stdm_platform.extraction.due import REFUSED_AGAIN_AFTER, Timing
from stdm_platform.extraction.plan import Plan
from stdm_platform.lake import Lake, Window, watermark


@dataclass(frozen=True)
class Promise:
    """What somebody may rely on, and since when; nothing with `limit` None.

    `limit` is the greatest age of what is held; unless it is `exact`, the lag and the cadence of a
    DMO are added to it. `settles` says whether late rows and settle passes are promised too. `said` names who promises.
    """

    limit: timedelta | None
    said: str
    since: datetime | None = None
    settles: bool = False
    exact: bool = False


@dataclass(frozen=True)
class Freshness:
    """How current one DMO is at `at`; `late` says why it is late, and is empty when it is not.

    `frontier` is the end of the newest held window, None when nothing is held; `settled_until` is
    where the oldest missing or unsettled window starts; `settled_share` is the settled part of the
    time from the first day to hold until `at`; `due` is the number of windows that are to be read.
    """

    dmo: str
    at: datetime
    frontier: datetime | None
    settled_until: datetime
    settled_share: float
    due: int
    limit: timedelta | None
    late: str = ""

    @property
    def age(self) -> timedelta | None:
        """How far what is held lies behind."""
        return None if self.frontier is None else self.at - self.frontier

    def describe(self) -> str:
        """One sentence: what is held and what is final."""
        if self.frontier is None:
            return "Nothing is held."
        return f"Held up to {_said(self.frontier)}, final up to {_said(self.settled_until)}."


def freshness_of(lake: Lake, plan: Plan, promise: Promise) -> list[Freshness]:
    """How current each DMO of the plan is; reads names only. Objects that the org lacks are left out."""
    return [_of_dmo(lake, plan, timing, promise) for timing in plan.timings.values()]


def _of_dmo(lake: Lake, plan: Plan, timing: Timing, promise: Promise) -> Freshness:
    name, now = timing.dmo.name, plan.now
    begin = datetime.combine(plan.start, time(), UTC)
    held = [
        file
        for day in lake.days(name)
        if day >= plan.start
        for file in lake.windows(name, day)
    ]  # fmt: skip
    frontier = max((file.window.end for file in held), default=None)
    settled = sum((_length(file.window) for file in held if file.settled), timedelta(0))
    limit = promise.limit
    if limit is not None and not promise.exact:
        limit += timing.dmo.shortest_lag + timing.cadence.smallest
    final, share = watermark(held, begin), settled / (now - begin) if now > begin else 0.0
    if timing.dmo.is_catalogue:
        final, share = frontier or begin, float(frontier is not None)
        limit = None if limit is None else limit + READ_EVERY
    due = [each.window for each in (*plan.due, *plan.waiting) if each.dmo == name]
    return Freshness(
        dmo=name,
        at=now,
        frontier=frontier,
        settled_until=final,
        settled_share=share,
        due=len(due),
        limit=limit,
        late=_why_late(timing, frontier or begin, due, limit, promise),
    )


def _why_late(
    timing: Timing,
    frontier: datetime,
    due: Iterable[Window],
    limit: timedelta | None,
    promise: Promise,
) -> str:
    """Time before the promise was made does not count: its maker needs a first tick."""
    if limit is None:
        return ""
    counted_from = max(frontier, promise.since or frontier)
    if timing.now - counted_from > limit:
        return (
            f"held up to {_said(frontier)}, {_hours(timing.now - frontier)} behind; {promise.said} "
            f"keeps it within {_hours(limit)}"
        )
    grace = limit + REFUSED_AGAIN_AFTER
    ends = [Window.of_day(window.day).end for window in due]
    overdue = [end for end in ends if timing.now > end + timing.dmo.settle_time + grace]
    if promise.settles and overdue and timing.now - (promise.since or timing.start) > grace:
        oldest = min(overdue) - timedelta(days=1)
        return (
            f"{len(overdue)} windows from {oldest:%Y-%m-%d} on should be final by now and are not"
        )
    return ""


def _length(window: Window) -> timedelta:
    return window.end - window.start


def _said(instant: datetime) -> str:
    return f"{instant:%Y-%m-%d %H:%M} UTC"


def _hours(span: timedelta) -> str:
    return f"{span / timedelta(hours=1):.1f} h"
