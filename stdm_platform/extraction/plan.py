"""The plan of what is due: which windows of all DMOs to read now, why, and at what cost. Pure.

Belongs here: putting the days and DMOs together, the order, the budget. Does not: what is due of one
day (`due.py`), reading the lake (`holdings.py`), carrying the plan out (`tick.py`).

The plan is made from the evidence alone, so nobody has to remember how far a tick came: a tick that
was killed, skipped or made twice leaves what is still due to the next one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta

from stdm_platform.catalog import Dmo
from stdm_platform.extraction.cost import Experience
from stdm_platform.extraction.due import (
    Ground,
    HeldGround,
    RefusedGround,
    Timing,
    due_of_day,
    is_final,
    stretches_of,
)
from stdm_platform.extraction.volume import Size, Volume
from stdm_platform.lake import Window

ONE_DAY = timedelta(days=1)
ORDER = ("new", "settle", "again", "hole")
"""Under a budget: what is newest, then what becomes final, then what may have changed."""


@dataclass(frozen=True)
class Holdings:
    """What the lake holds of a DMO, by day, and what was refused.

    `sample` are windows with figures that the cost is estimated from; `absent` says that the org
    was found to lack the object a short while ago.
    """

    dmo: Dmo
    held: Mapping[date, Sequence[HeldGround]] = field(default_factory=dict)
    refused: Mapping[date, Sequence[RefusedGround]] = field(default_factory=dict)
    sample: Sequence[HeldGround] = ()
    absent: bool = False


@dataclass(frozen=True)
class DueWindow:
    """A window to read now. `rows_processed` is an estimate; None before any experience."""

    dmo: str
    window: Window
    reason: str
    rows_processed: int | None


@dataclass(frozen=True)
class Plan:
    """The windows to read now, those that the budget makes wait, and what the user should know.

    `timings` lets whoever has the lock of a day ask again what is due of it.
    """

    now: datetime
    start: date
    due: tuple[DueWindow, ...]
    waiting: tuple[DueWindow, ...] = ()
    notes: tuple[str, ...] = ()
    timings: Mapping[str, Timing] = field(default_factory=dict)

    def days(self) -> dict[date, frozenset[str]]:
        """The days that are due, each with its DMOs."""
        found: dict[date, set[str]] = {}
        for each in self.due:
            found.setdefault(each.window.day, set()).add(each.dmo)
        return {day: frozenset(names) for day, names in sorted(found.items())}

    def windows(self, dmo: str, day: date) -> list[Window]:
        """The windows of one DMO and day."""
        return [each.window for each in self.due if each.dmo == dmo and each.window.day == day]

    @property
    def rows_processed(self) -> int:
        """The estimate for all of it, as far as there is one."""
        return sum(each.rows_processed or 0 for each in self.due)


def plan_of(
    holdings: Iterable[Holdings],
    *,
    start: date,
    now: datetime,
    budget: int | None = None,
    spent: int = 0,
) -> Plan:
    """What to read now.

    Args:
        holdings: of each DMO that is wanted.
        start: the first day to hold.
        now: the clock.
        budget: rows that the org may process in this UTC day; None for any number.
        spent: rows that it has processed already.
    """
    due: list[DueWindow] = []
    notes: list[str] = []
    timings: dict[str, Timing] = {}
    for each in holdings:
        if each.absent:
            continue
        experience = Experience.of(each.sample)
        timing = _timing(each, experience, start, now)
        timings[each.dmo.name] = timing
        due += _due_of_dmo(each, experience, timing)
        if experience.is_dear:
            notes.append(
                f"{each.dmo.name}: the org bills about {experience.surcharge:,.0f} rows for each "
                "query beyond those it returns, so larger windows are read, less often."
            )
    ordered = sorted(due, key=_rank)
    if budget is None:
        return Plan(now, start, tuple(ordered), (), tuple(notes), timings)
    within, waiting = _within(ordered, budget, budget - spent)
    if waiting:
        notes.append(_budget_note(waiting, budget, spent))
    return Plan(now, start, tuple(within), tuple(waiting), tuple(notes), timings)


def still_due(
    timing: Timing,
    asked: Sequence[Window],
    held: Sequence[HeldGround],
    refused: Iterable[RefusedGround],
) -> list[Window]:
    """What is due now of the windows that were due when the plan was made; of one day."""
    found = due_of_day(timing, Window.of_day(asked[0].day), held, refused)
    stretches = [Window(each[0].start, each[-1].end) for each in stretches_of(asked)]
    return [
        Window(max(ground.window.start, each.start), min(ground.window.end, each.end))
        for ground in found
        for each in stretches
        if ground.window.overlaps(each)
    ]


def _timing(holdings: Holdings, experience: Experience, start: date, now: datetime) -> Timing:
    edge = (now - holdings.dmo.shortest_lag).replace(second=0, microsecond=0)
    ends = [each.window.end for each in holdings.held.get(max(holdings.held, default=start), ())]
    return Timing(
        dmo=holdings.dmo,
        start=datetime.combine(start, time(), UTC),
        edge=edge,
        frontier=max(ends, default=None),
        cadence=experience.cadence(holdings.dmo),
        now=now,
    )


def _due_of_dmo(holdings: Holdings, experience: Experience, timing: Timing) -> Iterator[DueWindow]:
    edge = timing.edge.date()
    last = max(edge, max(holdings.held, default=edge))
    day = timing.start.date()
    if timing.dmo.is_catalogue:
        day = max(day, last)
    while day <= last:
        held = holdings.held.get(day, ())
        if not (
            len(held) == 1
            and held[0].window == Window.of_day(day)
            and is_final(timing.dmo, held[0], timing.now)
        ):
            yield from _priced(holdings, experience, timing, day)
        day += ONE_DAY


def _priced(
    holdings: Holdings, experience: Experience, timing: Timing, day: date
) -> Iterator[DueWindow]:
    held, refused = holdings.held.get(day, ()), holdings.refused.get(day, ())
    found: list[Ground] = due_of_day(timing, Window.of_day(day), held, refused)
    volume, size = Volume.of([*holdings.sample, *held]), Size.at_price(experience.surcharge)
    for ground in found:
        is_whole = timing.dmo.is_catalogue
        for window in [ground.window] if is_whole else volume.cut(ground.window, size):
            estimate = experience.estimate(window, held)
            yield DueWindow(holdings.dmo.name, window, ground.reason, estimate)


def _rank(due: DueWindow) -> tuple[int, datetime, str]:
    return ORDER.index(due.reason.split()[0]), due.window.start, due.dmo


def _within(
    ordered: Sequence[DueWindow], budget: int, left: int
) -> tuple[list[DueWindow], list[DueWindow]]:
    """What the rest of the budget allows. Of a DMO without experience one window tells the price.

    A window dearer than a whole day's budget never comes, and nothing waits behind it.
    """
    within: list[DueWindow] = []
    waiting: list[DueWindow] = []
    tried: set[str] = set()
    for each in ordered:
        if each.rows_processed is None:
            fits = left > 0 and each.dmo not in tried
            tried.add(each.dmo)
        elif each.rows_processed > budget:
            fits = False
        else:
            left -= each.rows_processed  # once it is used up, nothing that follows fits
            fits = left >= 0
        (within if fits else waiting).append(each)
    return within, waiting


def _budget_note(waiting: Sequence[DueWindow], budget: int, spent: int) -> str:
    known = [each.rows_processed for each in waiting if each.rows_processed is not None]
    if not known:
        return (
            f"{len(waiting)} windows wait for the next tick: what they cost is not known yet, and "
            "one window of each object is read first (STDM_DAILY_ROW_BUDGET)."
        )
    text = (
        f"STDM_DAILY_ROW_BUDGET={budget:,}: about {spent:,} rows were processed today, so "
        f"{len(waiting)} windows of about {sum(known):,} rows wait for tomorrow (UTC)."
    )
    never = sum(cost > budget for cost in known)
    if never:
        text += f" {never} of them cost more than a whole day's budget each: raise it, or they never come."
    return text
