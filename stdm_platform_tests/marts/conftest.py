"""One directory for all builds of this room, so that dbt parses its project once."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from dbt.adapters.duckdb.connections import DuckDBConnectionManager
from dbt.cli.main import dbtRunner
from dbt.contracts.graph.manifest import Manifest

from stdm_platform.lake import Lake
from stdm_platform.marts import MartStore, dbt_arguments, dbt_command, dbt_environment
from stdm_platform.settings import Settings
from stdm_platform_tests.parsed import lend_parse


@pytest.fixture(scope="session")
def parsed_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return lend_parse(tmp_path_factory.mktemp("marts") / "data")


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


_manifests: list[Manifest] = []


def _parsed_once(store: MartStore) -> Manifest:
    """What dbt parsed for the first build of this process: it is the same in every directory."""
    if not _manifests:
        parsed = dbtRunner().invoke(dbt_arguments(store, ["parse"]))
        assert isinstance(parsed.result, Manifest), parsed.exception
        _manifests.append(parsed.result)
    return _manifests[0]


@pytest.fixture
def quick_dbt(monkeypatch: pytest.MonkeyPatch) -> None:
    """Call dbt inside this process: its imports, three seconds each time, are paid once."""

    def call(
        store: MartStore, command: Sequence[str], settings: Settings | None, pass_fds: object
    ) -> subprocess.CompletedProcess[str]:
        for name, value in dbt_environment(store, settings).items():
            monkeypatch.setenv(name, value)
        store.target_dir.mkdir(parents=True, exist_ok=True)
        monkeypatch.chdir(store.dbt_dir)
        result = dbtRunner(manifest=_parsed_once(store)).invoke(dbt_arguments(store, command))
        DuckDBConnectionManager.close_all_connections()
        returncode = 0 if result.success else 1
        return subprocess.CompletedProcess(command, returncode, str(result.exception), "")

    monkeypatch.setattr(dbt_command, "_call", call)
