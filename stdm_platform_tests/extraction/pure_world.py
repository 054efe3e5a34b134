"""An org and a lake without files: rows that land late and change, and the windows read of them.

It stands in for both, so that weeks of ticks take seconds; what it lacks (files, queries, locks) is
tested elsewhere with the real ones.
"""

from __future__ import annotations

import random
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

from stdm_platform.catalog import Dmo
from stdm_platform.extraction.due import HeldGround
from stdm_platform.extraction.plan import Holdings, Plan, plan_of
from stdm_platform.lake import Window, is_settled
from stdm_platform_tests.session_objects import SESSION_DMOS

FIRST = date(2026, 1, 1)
MIDNIGHT = datetime(2026, 1, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


@dataclass(frozen=True)
class Row:
    """It can be seen from `lands`, and reads otherwise from `changes` on."""

    clock: datetime
    key: int
    lands: datetime
    changes: datetime

    def at(self, now: datetime) -> str:
        return "new" if now >= self.changes else "old"


@dataclass
class PureOrg:
    """Rows of each DMO by clock, and what queries were billed."""

    rows: dict[str, list[Row]]
    surcharge: int = 0
    processed: dict[str, int] = field(default_factory=dict)

    def read(self, dmo: str, window: Window, now: datetime) -> dict[int, str]:
        rows = self.rows[dmo]
        first = bisect_left(rows, window.start, key=lambda row: row.clock)
        last = bisect_left(rows, window.end, key=lambda row: row.clock)
        seen = {row.key: row.at(now) for row in rows[first:last] if row.lands <= now}
        self.processed[dmo] = self.processed.get(dmo, 0) + len(seen) + self.surcharge
        return seen


@dataclass
class HeldRows:
    ground: HeldGround
    rows: dict[int, str]


@dataclass
class PureLake:
    """Windows and their rows; refuses what the real lake would refuse."""

    held: dict[str, list[HeldRows]] = field(default_factory=dict)
    settled_ground_read_again: int = 0

    def publish(self, dmo: Dmo, window: Window, rows: dict[int, str], now: datetime) -> None:
        before = self.held.setdefault(dmo.name, [])
        touched = [each for each in before if each.ground.window.overlaps(window)]
        for each in touched:
            old = each.ground.window
            assert window.start <= old.start, "a partial overlap"
            assert window.end >= old.end, "a partial overlap"
            self.settled_ground_read_again += each.ground.settled
        ground = HeldGround(
            window, is_settled(window, now, dmo.settle_time), now, len(rows), len(rows)
        )
        kept = [each for each in before if each not in touched]
        self.held[dmo.name] = sorted(
            [*kept, HeldRows(ground, rows)], key=lambda each: each.ground.window
        )

    def holdings(self, dmo: Dmo, surcharge: int = 0) -> Holdings:
        by_day: dict[date, list[HeldGround]] = {}
        for each in self.held.get(dmo.name, ()):
            by_day.setdefault(each.ground.window.day, []).append(each.ground)
        sample = [
            HeldGround(g.window, g.settled, g.read_at, g.rows, (g.rows or 0) + surcharge)
            for ground in by_day.values()
            for g in ground
            if not g.settled
        ]
        return Holdings(dmo, by_day, {}, sample)

    def rows(self, dmo: str) -> dict[int, str]:
        return {key: value for each in self.held.get(dmo, ()) for key, value in each.rows.items()}


def tick(
    org: PureOrg,
    lake: PureLake,
    now: datetime,
    dmos: Sequence[Dmo] = SESSION_DMOS,
    *,
    killed_after: int | None = None,
    start: date = FIRST,
) -> Plan:
    """Plan and carry out; a killed tick leaves the rest undone."""
    plan = plan_of((lake.holdings(dmo, org.surcharge) for dmo in dmos), start=start, now=now)
    entries = {dmo.name: dmo for dmo in dmos}
    for due in plan.due[:killed_after]:
        lake.publish(entries[due.dmo], due.window, org.read(due.dmo, due.window, now), now)
    return plan


def lagging_rows(
    seed: int, days: int, dmos: Iterable[Dmo] = SESSION_DMOS, a_day: int = 60
) -> PureOrg:
    """Rows that land minutes to days late (section 4.4), the later ones never after 7 days."""
    chance = random.Random(seed)
    rows: dict[str, list[Row]] = {}
    for dmo in dmos:
        made = []
        for key in range(days * a_day):
            clock = MIDNIGHT + timedelta(milliseconds=chance.randrange(days * 86_400_000))
            lag = dmo.shortest_lag + chance.choice(
                [
                    timedelta(minutes=chance.uniform(0, 15)),
                    timedelta(hours=chance.expovariate(0.5)),
                    timedelta(hours=chance.uniform(0, 160)),
                ]
            )
            lands = clock + min(lag, timedelta(hours=167))
            changes = lands + timedelta(hours=chance.choice([0, 0, 1, 5, 30]))
            made.append(Row(clock, key, lands, min(changes, clock + timedelta(hours=167))))
        rows[dmo.name] = sorted(made, key=lambda row: row.clock)
    return PureOrg(rows)
