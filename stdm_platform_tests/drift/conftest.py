"""One org and one data directory from before any change; each test finds both as they were."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from stdm_platform.data360 import Data360
from stdm_platform.extraction import extract_range, windows_of_days
from stdm_platform.lake import Lake
from stdm_platform.sandbox import SandboxHandle, running
from stdm_platform_tests.drift.world import (
    BEFORE,
    HELD,
    NOW,
    World,
    as_it_was,
    copied,
    options,
    publish_standins,
    table,
)
from stdm_platform_tests.faults.world import client
from stdm_platform_tests.session_objects import SESSION_DMOS


@pytest.fixture(scope="session")
def one_org(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SandboxHandle]:
    with running(options(tmp_path_factory.mktemp("drifting") / "org")) as org:
        for dmo in SESSION_DMOS:
            org.execute(f'CREATE TABLE "kept_{dmo.name}" AS FROM {table(dmo.name)}')
        yield org


@pytest.fixture
def org(one_org: SandboxHandle) -> Iterator[SandboxHandle]:
    """The org; how it looks is put back. Whoever changes rows says so by `changed_rows`."""
    before = as_it_was(one_org.change_settings())
    yield one_org
    one_org.clear_faults()
    one_org.change_settings(**before)


@pytest.fixture
def changed_rows(org: SandboxHandle) -> Iterator[Callable[[str], None]]:
    """Says that a table is going to be changed; it is put back after the test."""
    names: set[str] = set()
    yield names.add
    for name in sorted(names):
        org.execute(f'CREATE OR REPLACE TABLE {table(name)} AS FROM "kept_{name}"')


@pytest.fixture(scope="session")
def base(
    one_org: SandboxHandle,
    clients: dict[str, Data360],
    tmp_path_factory: pytest.TempPathFactory,
) -> Path:
    """Two days of everything, read on both transports, and marts of them."""
    data_dir = tmp_path_factory.mktemp("before") / "data"
    lake = Lake(data_dir)
    for transport in ("json", "arrow"):
        windows = windows_of_days([BEFORE, HELD], NOW)
        outcomes = extract_range(
            clients[transport], lake, SESSION_DMOS, windows, now=NOW, again=True
        )
        assert {outcome.status for outcome in outcomes} == {"published"}
    publish_standins(lake, [BEFORE, HELD])
    world = World(one_org, data_dir)
    assert world.drifts() == []
    assert world.mart_days_to_build() == []
    return data_dir


@pytest.fixture
def world(org: SandboxHandle, base: Path, tmp_path: Path) -> World:
    return World(org, copied(base, tmp_path / "data"))


@pytest.fixture(scope="session")
def clients(one_org: SandboxHandle) -> Iterator[dict[str, Data360]]:
    """One per transport."""
    with ExitStack() as open_ones:
        yield {
            transport: open_ones.enter_context(client(one_org, transport))
            for transport in ("arrow", "json")
        }
