"""Every fault at every request of a day read over the tenant plane."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from stdm_platform.sandbox import running
from stdm_platform_tests.faults.replay import FAULTS
from stdm_platform_tests.faults.requests import (
    Exchanges,
    in_memory,
    org_options,
    recorded,
    world_named,
)

WORLD = "arrow"
ran: Counter[str] = Counter()


@pytest.fixture(scope="module")
def exchanges() -> Iterator[Exchanges]:
    with in_memory() as folder, running(org_options(folder / "org")) as org:
        yield recorded(org, world_named(WORLD), folder / "world")


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
    ran[fault] = len(ended)


def test_all_requests_of_the_trace_were_disturbed(exchanges: Exchanges) -> None:
    assert ran == dict.fromkeys(FAULTS, len(exchanges.trace))
    operations = {asked.operation for asked in exchanges.trace}
    assert operations == {"token.login", "token.exchange", "v3.submit", "v3.status", "v3.chunk"}
    assert sum(ran.values()) >= 400
    print(f"{sum(ran.values())} request cases over arrow: {len(exchanges.trace)} requests")
