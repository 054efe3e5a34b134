"""Every fault at every request of a day read over Connect, and in the rarer ways of an org."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from stdm_platform.sandbox import SandboxHandle, running
from stdm_platform.sandbox.fault_kinds import OPERATIONS
from stdm_platform_tests.faults.replay import FAULTS
from stdm_platform_tests.faults.requests import (
    WORLDS,
    Exchanges,
    in_memory,
    org_options,
    recorded,
    world_named,
)

NAMES = [world.name for world in WORLDS if world.name != "arrow"]
ran: Counter[str] = Counter()
traces: dict[str, set[str]] = {}


@pytest.fixture(scope="module")
def org() -> Iterator[SandboxHandle]:
    with in_memory() as folder, running(org_options(folder / "org")) as handle:
        yield handle


@pytest.fixture(scope="module", params=NAMES)
def exchanges(org: SandboxHandle, request: pytest.FixtureRequest) -> Iterator[Exchanges]:
    with in_memory() as folder:
        yield recorded(org, world_named(request.param), folder / "world")


@pytest.fixture
def folder() -> Iterator[Path]:
    with in_memory() as made:
        yield made


@pytest.mark.parametrize("fault", FAULTS)
def test_the_day_is_as_the_org_has_it_or_as_it_was_and_told(
    exchanges: Exchanges, folder: Path, fault: str
) -> None:
    cases = [case for case in exchanges.cases() if case.fault == fault]
    ended = [exchanges.run(case, folder / str(number)) for number, case in enumerate(cases)]
    assert {str(each.case): each.wrong for each in ended if each.wrong} == {}
    ran[exchanges.world.name] += len(ended)
    traces[exchanges.world.name] = {asked.operation for asked in exchanges.trace}


def test_all_requests_of_all_traces_were_disturbed() -> None:
    assert set(ran) == set(NAMES)
    assert sum(ran.values()) >= 500
    met = set().union(*traces.values())
    assert met == {each for each in OPERATIONS if not each.endswith(".cancel")}
    print(f"{sum(ran.values())} request cases: {dict(ran)}")
