"""Ticks against the running clock of a sandbox org over HTTP: some by the command, some in this process.

Belongs here: the ticks and what befalls them, where the process is a real one and dies by SIGKILL. Does
not: the checks of the lake (`proof.py`), the command line (`benchmarks/simulation.py`).
The test in the suite uses a small one, the benchmark thirty days.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from random import Random

from stdm_platform.data360 import Connection, Data360
from stdm_platform.extraction import extract_plan, plan_now
from stdm_platform.lake import Lake, Window
from stdm_platform.sandbox import SandboxHandle, SandboxOptions, running
from stdm_platform.settings import Settings
from stdm_platform_tests.session_objects import SESSION_DMOS, TABLES
from stdm_platform_tests.simulation.landing import DAY, HOUR
from stdm_platform_tests.simulation.org import READ

SECONDS = 600


@dataclass(frozen=True)
class Chances:
    """Shares of ticks: skipped, made by the command, by both at once, killed, org restarted before."""

    skipped: float = 0.0
    command: float = 0.0
    doubled: float = 0.0
    killed: float = 0.0
    restarted: float = 0.0


@dataclass(frozen=True)
class Queried:
    """A window that the org was asked for, at its clock, in which tick."""

    dmo: str
    window: Window
    at: datetime
    tick: int


@dataclass
class HttpStory:
    """One org, one data directory, and all that was asked. Use it as a context."""

    folder: Path
    start: datetime
    days: int
    sessions_a_day: int
    seed: int
    chances: Chances
    happened: Counter[str] = field(default_factory=Counter)
    asked: list[Queried] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.chance = Random(self.seed)
        self.data_dir = self.folder / "data"
        self.lake = Lake(self.data_dir)
        self._stack = ExitStack()
        self._disturbed = False

    @property
    def end(self) -> datetime:
        return self.start + self.days * DAY

    @property
    def wanted(self) -> list[date]:
        return [(self.start + place * DAY).date() for place in range(self.days)]

    def __enter__(self) -> HttpStory:
        self._serve()
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def run(
        self,
        instants: Sequence[datetime],
        *,
        fixed: Mapping[int, str] | None = None,
        told: Callable[[int], None] = lambda done: None,
    ) -> None:
        """A tick at each instant, or what befalls it; `fixed` says it for some, by number."""
        for place, now in enumerate(instants):
            if fixed and place in fixed:
                self._watched(now, getattr(self, f"_{fixed[place]}"))
            elif self.chance.random() < self.chances.skipped:
                self.happened["skipped"] += 1
            else:
                self._watched(now, self._fate())
            told(place + 1)

    def finish(self, now: datetime) -> None:
        """The last tick, by the command, which builds the marts that are due."""
        self._watched(now, self._by_command)

    def _fate(self) -> Callable[[datetime], None]:
        drawn = self.chance.random()
        for fate, share in (
            (self._restarted, self.chances.restarted),
            (self._killed, self.chances.killed),
            (self._doubled, self.chances.doubled),
            (self._by_command, self.chances.command),
        ):
            if drawn < share:
                return fate
            drawn -= share
        return self._here

    def _watched(self, now: datetime, tick: Callable[[datetime], None]) -> None:
        """A tick, and afterwards what it asked for, held against what was settled before it."""
        settled = self._settled()
        self.org.set_clock(now)
        self._disturbed = False
        tick(now)
        self.happened["ticks"] += 1
        self._note(settled)

    def _here(self, now: datetime) -> None:
        plan = plan_now(self.lake, start=self.start.date(), now=now, dmos=SESSION_DMOS)
        for outcome in extract_plan(
            self.client, self.lake, plan, days=self.wanted, dmos=SESSION_DMOS
        ):
            assert outcome.status in ("published", "kept"), outcome.describe()

    def _by_command(self, now: datetime) -> None:
        self.happened["commands"] += 1
        process = self._command(now)
        said = process.communicate(timeout=SECONDS)[0].decode()
        assert process.returncode == 0, said

    def _doubled(self, now: datetime) -> None:
        self.happened["doubled"] += 1
        with ThreadPoolExecutor(1) as pool:
            command = pool.submit(self._by_command, now)
            while not self.org.sql_log() and not command.done():
                time.sleep(0.02)
            self._here(now)
            command.result()

    def _killed(self, now: datetime) -> None:
        """SIGKILL once the org was asked some queries; in the middle of reading or of publishing."""
        process, after = self._command(now), self.chance.randrange(1, 16)
        while process.poll() is None and len(self.org.sql_log()) < after:
            time.sleep(0.02)
        if process.poll() is None:
            time.sleep(self.chance.uniform(0, 0.1))
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate(timeout=SECONDS)
        self._let_the_dead_be_heard()
        self._disturbed = True
        self.happened["killed"] += process.returncode == -signal.SIGKILL

    def _let_the_dead_be_heard(self) -> None:
        """Wait until the org notes no more of what was sent: it is no query of the next tick."""
        heard = [-1]
        while len(set(heard[-6:])) > 1 or len(heard) < 6:
            time.sleep(0.1)
            heard.append(len(self.org.sql_log()))

    def _restarted(self, now: datetime) -> None:
        """Another process of the org, with another port and no token of before, and no memory here."""
        self.happened["restarts"] += 1
        self._stack.close()
        self._serve()
        self.org.set_clock(now)
        self.lake = Lake(self.data_dir)
        self._here(now)

    def _serve(self) -> None:
        options = SandboxOptions(
            self.folder / "org",
            days=self.days,
            sessions_per_day=self.sessions_a_day,
            seed=self.seed + 1,
            clock=self.start,
            cache_results=True,
        )
        self.org: SandboxHandle = self._stack.enter_context(running(options))
        given = {name.removeprefix("STDM_").lower(): value for name, value in self.org.env.items()}
        self.client = self._stack.enter_context(
            Data360(Connection.from_settings(Settings(**given)))
        )

    def _command(self, now: datetime) -> subprocess.Popen[bytes]:
        inherited = {n: v for n, v in os.environ.items() if not n.startswith(("STDM_", "DAGSTER_"))}
        start = str(self.start.date())
        variables = {"STDM_DATA_DIR": str(self.data_dir), "STDM_START_DATE": start}
        words = ("-m", "stdm_platform", "extract-incremental", "--now", now.isoformat())
        return subprocess.Popen(
            [sys.executable, *words],
            env={**inherited, **TABLES, **self.org.env, **variables},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )

    def _settled(self) -> set[tuple[str, date]]:
        """Days that are one settled window, by the names of their files."""
        paths = (self.data_dir / "lake").glob("*/date=*/*_settled_*.parquet")
        return {(p.parts[-3], date.fromisoformat(p.parts[-2].removeprefix("date="))) for p in paths}

    def _note(self, settled: set[tuple[str, date]]) -> None:
        names = {each.lower(): dmo.name for dmo in SESSION_DMOS for each in dmo.objects}
        before = len(self.asked)
        for entry in self.org.sql_log(clear=True):
            said = READ.fullmatch(entry["sql"])
            if said is None or entry["error"]:
                continue
            ends = [datetime.fromisoformat(given["value"]) for given in entry["parameters"]]
            window = Window(*(each.astimezone(UTC) for each in ends))
            at = datetime.fromisoformat(entry["clock"])
            self.asked.append(
                Queried(names[said["object"].lower()], window, at, self.happened["ticks"])
            )
        now = self.asked[before:]
        for place, one in enumerate(now):
            if (one.dmo, one.window.day) in settled:
                self.broken.append(f"{one.dmo} {one.window} was read at {one.at} and is settled")
            twice = [each for each in now[:place] if each.dmo == one.dmo]
            if not self._disturbed and any(one.window.overlaps(each.window) for each in twice):
                self.broken.append(f"{one.dmo} {one.window} was read twice at {one.at}")


def instants(start: datetime, days: int, every: timedelta, last_mark: timedelta) -> list[datetime]:
    """The ticks of so many days, the last marks included, and then four a day until all is settled."""
    found, now, end = [], start + every, start + days * DAY
    while now <= end + 7 * DAY + HOUR:
        found.append(now)
        now += every if now < end + last_mark else 6 * HOUR
    return found
