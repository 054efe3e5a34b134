"""From what is due to runs: stretches of days, run keys, and the clock that a run plans with.

Belongs here: what sensor and assets have to agree on. Does not: the plan (`extraction`), the sensor
(`watermark.py`).

A run carries the tick's clock in a tag, not its windows: each asset makes the plan of that clock
anew. The plan is a function of the evidence, so it gives what the sensor saw, less what was read
meanwhile by an earlier attempt, the command or another run; and no tag grows with the windows.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import dagster as dg

from stdm_platform.catalog import DMOS, Dmo, chosen_dmos
from stdm_platform.extraction import (
    DayOutcome,
    Plan,
    Source,
    extract_plan,
    first_day,
    kept_day,
    plan_now,
)
from stdm_platform.lake import Lake
from stdm_platform.settings import Settings

TICK, EVIDENCE = "stdm/tick", "stdm/evidence"
RANGE_START, RANGE_END = "dagster/asset_partition_range_start", "dagster/asset_partition_range_end"
PARTITION = "dagster/partition"
MOST_DAYS = 31
"""Days of one run: a long hole is filled by several, so that a failure costs one of them."""


@dataclass(frozen=True)
class Stretch:
    """Consecutive days of which the same DMOs are due; without DMOs only their marts are."""

    first: date
    last: date
    dmos: frozenset[str]

    def days(self) -> list[date]:
        """Its days, oldest first."""
        return days_between(self.first, self.last)

    def __str__(self) -> str:
        return f"{self.first}" if self.first == self.last else f"{self.first} to {self.last}"


def stretches(days: Mapping[date, frozenset[str]]) -> list[Stretch]:
    """The days as few runs in which each DMO is due on each day, so that none claims more."""
    found: list[Stretch] = []
    for day, names in sorted(days.items()):
        last = found[-1] if found else None
        if (
            last is not None
            and last.dmos == names
            and day - last.last == timedelta(days=1)
            and day - last.first < timedelta(days=MOST_DAYS)
        ):
            found[-1] = Stretch(last.first, day, names)
        else:
            found.append(Stretch(day, day, names))
    return found


def evidence_digest(lake: Lake, plan: Plan, stretch: Stretch) -> str:
    """A digest of the windows that are held around a stretch and of those that are planned.

    The same evidence gives the same run, whatever process or cursor asks; any new window another.
    """
    held = {
        file.path.name
        for dmo in DMOS
        for day in [*stretch.days(), stretch.last + timedelta(days=1)]
        for file in lake.windows(dmo.name, day)
    }
    planned = {
        f"{each.dmo} {each.window} {each.reason}"
        for each in plan.due
        if each.window.day in stretch.days()
    }
    facts = [str(stretch), *sorted(stretch.dmos), *sorted(held), *sorted(planned)]
    return hashlib.sha256("\n".join(facts).encode()).hexdigest()[:16]


def tags_of(stretch: Stretch, now: datetime, digest: str) -> dict[str, str]:
    """The tags of a stretch's run; a single day is asked for as a partition instead of a range."""
    tags = {TICK: now.isoformat(), EVIDENCE: digest}
    if stretch.first != stretch.last:
        tags |= {RANGE_START: stretch.first.isoformat(), RANGE_END: stretch.last.isoformat()}
    return tags


def days_of_run(tags: Mapping[str, str]) -> list[date]:
    """The days that a run is about, as its tags say."""
    if RANGE_START in tags and RANGE_END in tags:
        return days_between(
            date.fromisoformat(tags[RANGE_START]), date.fromisoformat(tags[RANGE_END])
        )
    return [date.fromisoformat(tags[PARTITION])] if PARTITION in tags else []


def tick_of_run(run: dg.DagsterRun) -> datetime | None:
    """The clock of the tick that asked for a run; None for a run that somebody launched."""
    said = run.tags.get(TICK)
    return None if said is None else datetime.fromisoformat(said)


def plan_at(lake: Lake, settings: Settings, now: datetime, *, keep: bool = False) -> Plan:
    """The plan of that clock; with `keep` the first day to hold is stored."""
    start = first_day(lake, settings, now, keep=keep)
    dmos = chosen_dmos(settings.table_names(), of="STDM_TABLES:")
    return plan_now(lake, start=start, now=now, dmos=dmos, budget=settings.daily_row_budget)


def extract_due(
    client: Source, lake: Lake, settings: Settings, dmo: Dmo, days: Sequence[date], tick: datetime
) -> dict[date, DayOutcome]:
    """Read what was due of these days at the tick and still is; the other days are kept as held."""
    plan = plan_at(lake, settings, tick)
    if dmo.name not in plan.timings:  # an earlier attempt found that the org lacks the object
        return {day: DayOutcome(dmo, day, "absent") for day in days}
    read = extract_plan(
        client,
        lake,
        plan,
        text=settings.text,
        limit=settings.quarantine_limit,
        days=days,
        dmos=[dmo],
    )
    outcomes = {outcome.day: outcome for outcome in read}
    return {day: outcomes.get(day) or kept_day(lake, dmo, day) for day in days}


def days_between(first: date, last: date) -> list[date]:
    """The days from `first` to `last`, both included."""
    return [first + timedelta(days=more) for more in range((last - first).days + 1)]


def span_of(days: Iterable[date]) -> str:
    """`2026-01-14 to 2026-01-16 (3 days)`."""
    ordered = sorted(set(days))
    if len(ordered) == 1:
        return str(ordered[0])
    return f"{ordered[0]} to {ordered[-1]} ({len(ordered)} days)"
