"""The ticks of some days, in order, with what befalls them.

Belongs here: when ticks are made, skipped, late, made twice at once, or die. Does not: what has to hold
(`proof.py`). Each tick is `plan_now` and `extract_plan`, as the command and the sensor make it.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path
from random import Random

from stdm_platform.catalog import Dmo
from stdm_platform.extraction import DayOutcome, Plan, extract_plan, plan_now
from stdm_platform.lake import Lake, Window
from stdm_platform_tests.session_objects import SESSION_DMOS
from stdm_platform_tests.simulation.faults import Mortal, mortal_process
from stdm_platform_tests.simulation.landing import DAY, HOUR
from stdm_platform_tests.simulation.org import Asked, SimulatedOrg

STILL = timedelta(hours=74)
"""After the last day's end, hourly ticks go on until the last mark has passed; then four a day."""


@dataclass(frozen=True)
class Fate:
    """How often a tick is skipped, late, made twice at once, made by a new process, or dies."""

    skipped: float = 0.25
    late: float = 0.2
    doubled: float = 0.06
    new_process: float = 0.1
    dies: float = 0.12


CALM = Fate(0, 0, 0, 0, 0)
ROUGH = Fate()
ROUGHER = Fate(skipped=0.45, late=0.3, dies=0.16)


@dataclass
class Story:
    """What happened; `happened` counts ticks by kind, `met` tells of which DMOs windows were read in them.

    Of a tick that died it is the one DMO whose window was asked for last.
    """

    org: SimulatedOrg
    data_dir: Path
    seed: int
    fate: Fate = ROUGH
    dmos: Sequence[Dmo] = SESSION_DMOS
    happened: Counter[str] = field(default_factory=Counter)
    met: set[tuple[str, str]] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.chance = Random(self.seed)
        self.lake = self._new_lake()
        self.days = [self.org.world.start.date() + n * DAY for n in range(self.org.world.days)]

    def run(
        self,
        *,
        every: timedelta = HOUR,
        until: timedelta = 8 * DAY,
        after_tick: Callable[[datetime], None] = lambda now: None,
    ) -> None:
        """Ticks from the first hour until so long after the end of the last day."""
        last = self.org.world.end + until
        now = self.org.world.start + HOUR / 3
        with mortal_process() as mortal:
            self.org.before = mortal.act
            while now <= last:
                self._maybe_tick(now, mortal)
                after_tick(now)
                now += every if now < self.org.world.end + STILL else 6 * HOUR
            self.calm_tick(last)

    def calm_tick(self, now: datetime) -> None:
        """One tick of a new process, to which nothing happens."""
        self.org.now = now
        self.lake = self._new_lake()
        _raise_failures(self._read(self.lake, self._plan(self.lake, now), "calm"))

    def _maybe_tick(self, now: datetime, mortal: Mortal) -> None:
        chance, fate = self.chance, self.fate
        if chance.random() < fate.skipped:
            self.happened["skipped"] += 1
            return
        kinds, before = ["ticks"], len(self.org.asked)
        if chance.random() < fate.late:
            kinds.append("late tick")
            now += chance.randrange(600) * timedelta(seconds=1)
        if chance.random() < fate.new_process:
            kinds.append("new process")
            self.lake = self._new_lake()
        self.org.now = now
        rough, first = fate.dies > 0, now - self.org.world.start
        if chance.random() < fate.doubled or (
            rough and not self.happened["doubled"] and first > DAY
        ):
            self._doubled(now)
        elif chance.random() < fate.dies or (
            rough and not self.happened["died"] and first > 2 * DAY
        ):
            self._dying(now, mortal)
        else:
            _raise_failures(self._read(self.lake, self._plan(self.lake, now), f"tick {now}"))
        for kind in kinds:
            self._note(kind, self.org.asked[before:])

    def _dying(self, now: datetime, mortal: Mortal) -> None:
        plan = self._plan(self.lake, now)
        before, asked = mortal.acts, len(self.org.asked)
        after = self.chance.randrange(1, 14 * len(self._wanted(plan)) + 30)
        with mortal.dying(after):
            self._read(self.lake, plan, f"dying {now}")
        if mortal.acts - before >= after:
            self._note("died", self.org.asked[asked:][-1:])
        self.lake = self._new_lake()

    def _doubled(self, now: datetime) -> None:
        """Two processes make the same tick, and both have their plan before either reads."""
        ready, before = threading.Barrier(2), len(self.org.asked)

        def one(run: str) -> list[DayOutcome]:
            lake = self._new_lake()
            plan = self._plan(lake, now)
            ready.wait()
            return self._read(lake, plan, run, workers=2)

        self.org.slow = 0.002
        with ThreadPoolExecutor(2) as pool:
            ended = [pool.submit(one, f"{name} of {now}") for name in ("one", "the other")]
            for each in ended:
                _raise_failures(each.result())
        self.org.slow = 0.0
        asked = self.org.asked[before:]
        self._note("doubled", asked)
        times = Counter((each.dmo, each.window) for each in asked)
        runs = Counter((name, window) for name, window, _ in {_key(each) for each in asked})
        by_name = {dmo.name: dmo for dmo in self.dmos}
        for (name, window), number in times.items():
            # A run reads a window once more where another held its key, as a clock was changed.
            moved = self.org.world.has_moved(by_name[name], window.start, window.end)
            if runs[name, window] > 1 or number > 1 + moved:
                self.org.broken.append(f"{name} {window} was read {number} times at {now}")

    def _note(self, kind: str, asked: Sequence[Asked]) -> None:
        self.happened[kind] += 1
        self.met |= {(kind, each.dmo) for each in asked}

    def _plan(self, lake: Lake, now: datetime) -> Plan:
        return plan_now(lake, start=self.days[0], now=now, dmos=self.dmos)

    def _read(self, lake: Lake, plan: Plan, run: str, *, workers: int = 1) -> list[DayOutcome]:
        """One worker: threads wait for each other more than for an org in this process."""
        return extract_plan(
            self.org.source(run), lake, plan, days=self.days, dmos=self.dmos, workers=workers
        )

    def _wanted(self, plan: Plan) -> list[date]:
        return [each.window.day for each in plan.due if each.window.day in self.days]

    def _new_lake(self) -> Lake:
        return Lake(self.data_dir, self.dmos)


def _key(asked: Asked) -> tuple[str, Window, str]:
    return asked.dmo, asked.window, asked.run


def _raise_failures(outcomes: Sequence[DayOutcome]) -> None:
    for outcome in outcomes:
        assert outcome.status in ("published", "kept"), outcome.describe()
