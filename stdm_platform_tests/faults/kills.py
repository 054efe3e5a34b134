"""Kill `stdm extract` at random moments, and look at what people could read after each kill.

`python -m stdm_platform_tests.faults.kills --rounds N` does it N times; the suite a few times.

The org alternates between two states, A and B, so that a half-done change would show: after each
kill every day of the lake is that of A or of B, and the marts are those of one state. At the end
the command runs undisturbed and has to give what it gives in a new directory.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from stdm_platform.sandbox import SandboxHandle, running
from stdm_platform_tests.faults.world import (
    SINCE,
    STDM,
    UNTIL,
    Rows,
    Tables,
    environment,
    lake_rows,
    leftovers,
    mart_tables,
    options,
    readings_held,
    readings_told,
    stdm,
)
from stdm_platform_tests.parsed import lend_parse

EXTRACT = ("extract", "--since", SINCE, "--until", UNTIL)
STEPS = '"ssot__AIAgentInteractionStep__dlm"'
STATES = {
    "A": f"UPDATE {STEPS} SET ssot__Name__c = 'the name in state A'",
    "B": f"UPDATE {STEPS} SET ssot__Name__c = 'the name in state B', "
    "ssot__EndTimestamp__c = ssot__EndTimestamp__c + INTERVAL 1 SECOND",
    "back": f"UPDATE {STEPS} SET ssot__EndTimestamp__c = ssot__EndTimestamp__c - INTERVAL 1 SECOND",
}


@dataclass
class State:
    """What an undisturbed run shows of one state of the org, and how long it took."""

    lake: Rows
    marts: Tables
    seconds: float


@dataclass
class Killing:
    """Rounds of killing in one data directory."""

    org: SandboxHandle
    data_dir: Path
    random: random.Random
    states: dict[str, State] = field(default_factory=dict)
    now: str = "A"
    kills: int = 0
    orphaned: int = 0

    def measure(self, *flags: str) -> None:
        """Run undisturbed in both states; the directory holds state A in the end."""
        lend_parse(self.data_dir)
        for name in ("B", "A"):
            self.turn(name)
            begun = time.monotonic()
            self.run(*flags)
            self.states[name] = State(
                lake_rows(self.data_dir), mart_tables(self.data_dir), time.monotonic() - begun
            )
        assert self.states["A"].lake != self.states["B"].lake
        if "--no-marts" not in flags:
            assert self.states["A"].marts != self.states["B"].marts

    def turn(self, state: str) -> None:
        """Put the org into a state."""
        if state == self.now:
            return
        self.org.execute(STATES[state] if state == "B" else STATES["back"])
        self.org.execute(STATES["A"] if state == "A" else "SELECT 1")
        self.now = state

    def run(self, *flags: str) -> None:
        """The command, undisturbed."""
        ended = stdm(environment(self.org, self.data_dir), *EXTRACT, *flags, cold=True)
        assert ended.returncode == 0, ended.stderr

    def kill_once(self, *flags: str, share: tuple[float, float] = (0.0, 1.0)) -> None:
        """Start the command in the other state, kill it at a random moment, look."""
        self.turn("B" if self.now == "A" else "A")
        seconds = min(state.seconds for state in self.states.values())
        moment = seconds * self.random.uniform(*share)
        alone = self.random.random() < 0.4
        killed = _killed_after(
            environment(self.org, self.data_dir),
            # A request of its own: going on with an older one would keep that one's finished
            # windows, which are rightly of the other state.
            [*EXTRACT, "--again", *flags],
            moment,
            alone=alone,
        )
        self.kills += killed
        self.orphaned += killed and alone
        self.look()

    def look(self) -> None:
        """Nobody can read a mixture."""
        for key, rows in lake_rows(self.data_dir).items():
            assert rows in [state.lake.get(key) for state in self.states.values()], key
        marts = mart_tables(self.data_dir)
        assert marts in ({}, *(state.marts for state in self.states.values()))
        assert readings_told(self.data_dir) in (None, readings_held(self.data_dir))

    def end(self, *flags: str) -> None:
        """The next run goes through, and one of its own leaves nothing of the killed ones.

        The next run may go on with the request that an `--again` was killed too early to replace:
        then it rightly keeps that one's finished windows, which are of the other state.
        """
        self.run("--no-marts", *(flag for flag in flags if flag != "--no-marts"))
        self.look()
        self.run("--again", *flags)
        state = self.states[self.now]
        assert lake_rows(self.data_dir) == state.lake
        assert mart_tables(self.data_dir) == state.marts
        assert leftovers(self.data_dir) == []


def _killed_after(
    variables: Mapping[str, str], arguments: Sequence[str], seconds: float, *, alone: bool
) -> bool:
    """Whether the command still ran; `alone` leaves its children to themselves."""
    process = subprocess.Popen(
        [STDM, *arguments],
        env=dict(variables),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        if alone:
            process.kill()
        else:
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        return True
    return False


def main() -> None:
    """Kill as often as asked, half of it while the marts are built, and report."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=50)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="stdm-kills-"))
    begun = time.monotonic()
    try:
        with running(options(folder / "org")) as org:
            killing = Killing(org, folder / "data", random.Random(given.seed))
            killing.measure()
            for number in range(1, given.rounds + 1):
                killing.kill_once()
                if number % 10 == 0:
                    killing.end()
                    print(f"{number} rounds, {time.monotonic() - begun:.0f} s")
            killing.end()
        print(f"{killing.kills} kills ({killing.orphaned} of the parent alone), all as undisturbed")
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
