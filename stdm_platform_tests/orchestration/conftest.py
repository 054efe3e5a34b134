"""One sandbox org for the runs that happen inside the test process."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from stdm_platform.sandbox import SandboxHandle, running
from stdm_platform_tests.faults.world import options


@pytest.fixture(scope="session")
def one_org(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SandboxHandle]:
    with running(options(tmp_path_factory.mktemp("dagster") / "org", sessions_per_day=10)) as org:
        yield org


@pytest.fixture
def org(one_org: SandboxHandle) -> Iterator[SandboxHandle]:
    before = one_org.change_settings()
    one_org.clear_faults()
    one_org.sql_log(clear=True)
    yield one_org
    one_org.clear_faults()
    one_org.change_settings(**before)
