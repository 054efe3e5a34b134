"""One directory for all builds of this room, so that dbt parses its project once."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from stdm_platform.lake import Lake
from stdm_platform.marts import MartStore
from stdm_platform.settings import Settings


@pytest.fixture(scope="session")
def parsed_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("marts") / "data"


@pytest.fixture
def data_dir(parsed_dir: Path) -> Iterator[Path]:
    """An empty data directory, but for the parsed dbt project."""
    yield parsed_dir
    for entry in parsed_dir.iterdir() if parsed_dir.exists() else []:
        if entry.name == "dbt":
            continue
        if entry.is_dir():
            shutil.rmtree(entry)
        else:
            entry.unlink()


@pytest.fixture
def lake(data_dir: Path) -> Lake:
    return Lake(data_dir)


@pytest.fixture
def store(data_dir: Path) -> MartStore:
    return MartStore(data_dir)


@pytest.fixture(scope="session")
def settings() -> Settings:
    return Settings()
