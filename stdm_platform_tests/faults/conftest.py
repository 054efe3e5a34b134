"""One sandbox org for all fault tests; each test finds it undisturbed."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from stdm_platform.sandbox import SandboxHandle, running
from stdm_platform_tests.faults.world import Rows, client, extract, lake_rows, options


@pytest.fixture(scope="session")
def one_org(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SandboxHandle]:
    with running(options(tmp_path_factory.mktemp("faulty") / "org")) as handle:
        yield handle


@pytest.fixture
def org(one_org: SandboxHandle) -> Iterator[SandboxHandle]:
    before = one_org.change_settings()
    one_org.clear_faults()
    one_org.requests(clear=True)
    one_org.sql_log(clear=True)
    yield one_org
    one_org.clear_faults()
    one_org.change_settings(**before)


@pytest.fixture(scope="session")
def undisturbed(one_org: SandboxHandle, tmp_path_factory: pytest.TempPathFactory) -> Rows:
    """What the lake holds after a run without faults."""
    data_dir = tmp_path_factory.mktemp("undisturbed")
    with client(one_org) as asked:
        assert {outcome.status for outcome in extract(asked, data_dir)} == {"published"}
    return lake_rows(data_dir)
