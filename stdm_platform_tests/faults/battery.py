"""The whole fault battery as one command, with the table of its cases.

`python -m stdm_platform_tests.faults.battery` puts every fault on every request of a day with all of
its objects, and disturbs every change of the disk; it exits 1 when any case goes wrong. The suite
runs the same cases, with two objects for each request instead of all.
"""

from __future__ import annotations

import argparse
import logging
import sys
import time
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from pathlib import Path

from stdm_platform.sandbox import running
from stdm_platform_tests.faults.actions import ACTIONS, Play
from stdm_platform_tests.faults.requests import WORLDS, in_memory, org_options, recorded

TOLD_WIDTH = 110


@dataclass
class Table:
    """Cases by kind: how many there were, how many went wrong, and what was said."""

    count: Counter[str] = field(default_factory=Counter)
    wrong: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    told: dict[str, str] = field(default_factory=dict)

    def add(self, kind: str, case: str, wrong: list[str], told: str = "") -> None:
        self.count[kind] += 1
        if wrong:
            self.wrong[kind].append(f"{case}: {'; '.join(wrong)}")
        if told:
            self.told.setdefault(kind, told)

    def show(self) -> None:
        print(f"{'cases':>6} {'passed':>6}  kind, and what the first error of it said")
        for kind, count in self.count.items():
            print(f"{count:6} {count - len(self.wrong[kind]):6}  {kind}")
            if kind in self.told:
                print(f"{'':16}{self.told[kind][:TOLD_WIDTH]}")
            for each in self.wrong[kind]:
                print(f"{'':16}WRONG {each}")


def requests(table: Table, folder: Path, *, whole: bool) -> None:
    """Every fault at every request of every world."""
    with running(org_options(folder / "org")) as org:
        for number, world in enumerate(WORLDS):
            exchanges = recorded(org, world, folder / f"world{number}")
            for place, case in enumerate(exchanges.cases()):
                ended = exchanges.run(case, folder / f"{number}.{place}", whole=whole)
                operation = case.asked.operation
                kind = f"{world.name}: {case.fault} at {operation}"
                table.add(kind, str(case), ended.wrong, ended.told)


def file_operations(table: Table, folder: Path) -> None:
    """A crash, a full disk and a loss of power at every change of every action."""
    for number, action in enumerate(ACTIONS):
        inner = folder / f"action{number}"
        inner.mkdir()
        play = Play(action, inner)
        for index, said in enumerate(play.trace):
            table.add(f"crash: {action.name}", said, play.crash(index))
        for index in play.needing_space():
            wrong, told = play.fill(index)
            table.add(f"full disk: {action.name}", play.trace[index], wrong, told)
        found = list(play.lose_power())
        kind = f"loss of power: {action.name}"
        table.add(kind, "some moment", found)
        table.count[kind] = play.moments


def main() -> int:
    """Run all of it and print the table; 1 when a case went wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--two", action="store_true", help="two objects a case, as in the suite")
    given = parser.parse_args()
    logging.getLogger("stdm_platform").setLevel(logging.CRITICAL)
    begun, table = time.monotonic(), Table()
    with in_memory() as folder:
        requests(table, folder, whole=not given.two)
        asked = table.count.total()
        file_operations(table, folder)
    table.show()
    wrong = sum(map(len, table.wrong.values()))
    total = table.count.total()
    print(
        f"{total} cases in {time.monotonic() - begun:.0f} s: {asked} of requests, "
        f"{total - asked} of file operations; {wrong} went wrong"
    )
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
