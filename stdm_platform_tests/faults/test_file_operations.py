"""A crash, a full disk or a loss of power at every change of the disk leaves the old or the new."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import pytest

from stdm_platform_tests.faults.actions import ACTIONS, Play
from stdm_platform_tests.faults.requests import in_memory

NAMES = [action.name for action in ACTIONS]
ran: Counter[str] = Counter()


@pytest.fixture(scope="module", params=ACTIONS, ids=NAMES)
def play(request: pytest.FixtureRequest) -> Iterator[Play]:
    with in_memory() as folder:
        yield Play(request.param, folder)


def test_a_crash_before_any_change_leaves_the_old_or_the_new_and_is_healed(play: Play) -> None:
    cases = {f"{index} {said}": play.crash(index) for index, said in enumerate(play.trace)}
    ran[f"crash: {play.action.name}"] = len(cases)
    assert {case: wrong for case, wrong in cases.items() if wrong} == {}


def test_a_disk_that_fills_up_at_any_change_is_told_and_changes_nothing(play: Play) -> None:
    cases = {f"{index} {play.trace[index]}": play.fill(index) for index in play.needing_space()}
    ran[f"full: {play.action.name}"] = len(cases)
    assert {case: wrong for case, (wrong, _) in cases.items() if wrong} == {}


def test_a_loss_of_power_at_any_moment_leaves_the_old_or_the_new(play: Play) -> None:
    assert list(play.lose_power()) == []
    ran[f"power: {play.action.name}"] = play.moments


def test_all_actions_were_disturbed_at_every_change_of_their_traces() -> None:
    assert {name.partition(": ")[2] for name in ran} == set(NAMES)
    assert sum(ran.values()) >= 450
    print(f"{sum(ran.values())} cases of file operations: {dict(ran)}")
