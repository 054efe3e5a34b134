"""What the DuckDB of a build may take of the machine."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from types import SimpleNamespace

import duckdb
import pytest

from stdm_platform.errors import MartError
from stdm_platform.lake import Lake
from stdm_platform.marts import MartStore, build, dbt_environment
from stdm_platform.marts.dbt_command import DbtOutcome
from stdm_platform.marts.engine import (
    connect_to_warehouse,
    export_memory,
    spill_folder,
    threads_for,
)
from stdm_platform.marts.preparation import _remove_warehouse
from stdm_platform.settings import Settings

DAY = date(2026, 1, 15)


@pytest.mark.parametrize(
    ("memory", "cores", "threads"),
    [
        ("1GB", 2, 2),
        ("1GB", 64, 4),
        ("512MiB", 8, 2),
        ("100MB", 8, 1),
        ("4 gb", 8, 8),
        ("0%", 8, 1),
    ],
)
def test_there_are_no_more_threads_than_cores_and_memory_allow(
    memory: str, cores: int, threads: int
) -> None:
    assert threads_for(memory, cores) == threads


def test_a_share_is_one_of_the_machines_memory() -> None:
    assert threads_for("100%", 2) == 2


def test_the_warehouse_spills_into_its_data_directory(tmp_path: Path) -> None:
    store = MartStore(tmp_path)
    wanted = "current_setting('temp_directory'), current_setting('memory_limit'), current_setting('TimeZone')"
    with connect_to_warehouse(store, Settings(duckdb_memory_limit="64MiB")) as warehouse:
        said = warehouse.execute(f"select {wanted}").fetchall()
    assert said == [(str(spill_folder(store)), "64.0 MiB", "UTC")]
    assert spill_folder(store).parent == tmp_path


def test_what_is_published_is_sorted_in_no_more_memory_than_a_build_may_take() -> None:
    assert export_memory(None) == "500MB"
    assert export_memory(Settings(duckdb_memory_limit="64MiB")) == "64MiB"
    assert export_memory(Settings(duckdb_memory_limit="8GB")) == "500MB"


def test_what_a_killed_build_spilled_goes_before_the_next(tmp_path: Path) -> None:
    store = MartStore(tmp_path)
    spill_folder(store).mkdir(parents=True)
    (spill_folder(store) / "left").write_bytes(b"gigabytes")
    _remove_warehouse(store)
    assert not spill_folder(store).exists()


def test_dbt_gets_the_same_settings_with_and_without_ours(tmp_path: Path) -> None:
    """Others would make dbt parse its whole project again."""
    store = MartStore(tmp_path)
    assert dbt_environment(store) == dbt_environment(store, Settings())
    assert (
        dbt_environment(store, Settings(duckdb_memory_limit="3GB"))["STDM_DUCKDB_MEMORY_LIMIT"]
        == "3GB"
    )


@pytest.mark.parametrize("where", ["in dbt", "as it is published"])
def test_too_little_memory_is_told_with_the_setting_that_allows_more(
    where: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reason = "Out of Memory Error: could not allocate block of size 256.0 KiB"
    failures = (f"model turn_latency failed: {reason}",) if where == "in dbt" else ()

    def publish(*_: object) -> None:
        raise duckdb.OutOfMemoryException(reason)

    monkeypatch.setattr(build, "_chunks", lambda lake, days: [days])
    monkeypatch.setattr(build, "prepare", lambda *_: SimpleNamespace(days=(DAY,)))
    monkeypatch.setattr(build, "run_dbt", lambda *_: DbtOutcome((), failures))
    monkeypatch.setattr(build, "publish", publish)
    settings = Settings(duckdb_memory_limit="20MB")
    with pytest.raises(MartError) as caught:
        build.build_marts(Lake(tmp_path), MartStore(tmp_path), [DAY], settings)
    assert "Out of Memory" in caught.value.message
    assert ("turn_latency" in caught.value.message) == bool(failures)
    assert "STDM_DUCKDB_MEMORY_LIMIT=20MB: allow it more" in (caught.value.action or "")
