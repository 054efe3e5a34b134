"""One build of the example lake for all tests of this room that need real marts."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from stdm_platform.marts import MartStore, build_marts, session_days_due
from stdm_platform.settings import Settings
from stdm_platform_tests.insight.example_lake import example_lake
from stdm_platform_tests.parsed import lend_parse


@pytest.fixture(scope="session")
def example(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A directory whose `stdm_data` holds the example lake and its marts; nobody changes them."""
    home = tmp_path_factory.mktemp("example")
    data_dir = lend_parse(home / "stdm_data")
    lake, store = example_lake(data_dir), MartStore(data_dir)
    build_marts(lake, store, session_days_due(lake, store), Settings())
    yield home
    shutil.rmtree(home, ignore_errors=True)
