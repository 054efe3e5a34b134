"""The instance's event log: the tables and files of Dagster's own class, and no statement compiled twice."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from unittest.mock import patch

import dagster as dg
import pytest
from dagster._core.storage.event_log import SqliteEventLogStorage
from sqlalchemy.sql.compiler import SQLCompiler

from stdm_platform.orchestration.event_log import FILES_KEPT_OPEN, EventLog
from stdm_platform.orchestration.instance import instance_at, prepare_instance
from stdm_platform.orchestration.launch import QUIET

KEY = dg.AssetKey(["stdm", "sessions"])
DAYS = [f"2026-01-{day:02}" for day in range(1, 21)]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv("DAGSTER_HOME", raising=False)
    return prepare_instance(tmp_path)


@pytest.fixture
def stock(home: Path) -> Path:
    """A home as it was before, with Dagster's own class."""
    (home / "dagster.yaml").write_text("telemetry: {enabled: false}\n")
    return home


def run(instance: dg.DagsterInstance, days: Sequence[str] = DAYS) -> str:
    @dg.op
    def report(context: dg.OpExecutionContext) -> None:
        for day in days:
            context.log_event(dg.AssetMaterialization(KEY, partition=day))
            context.log_event(dg.AssetCheckEvaluation(KEY, "contract", passed=True, partition=day))

    @dg.job
    def backfill() -> None:
        report()

    return backfill.execute_in_process(instance=instance, run_config=QUIET).run_id


def held(instance: dg.DagsterInstance) -> tuple[list[str], int]:
    checks = instance.event_log_storage.get_asset_check_execution_history(
        dg.AssetCheckKey(KEY, "contract"), limit=100
    )
    return sorted(instance.get_materialized_partitions(KEY)), len(checks)


def compiled(home: Path, days: Sequence[str]) -> int:
    """How many statements a run of so many days compiles."""
    made = 0
    begin: Callable[..., None] = SQLCompiler.__init__

    def counted(*given: object, **more: object) -> None:
        nonlocal made
        made += 1
        begin(*given, **more)

    with instance_at(home) as instance, patch.object(SQLCompiler, "__init__", counted):
        run(instance, days)
    return made


def test_a_run_of_more_days_compiles_no_more_statements(home: Path) -> None:
    compiled(home, DAYS[:1])  # the asset and its check are new to the instance once
    assert compiled(home, DAYS) == compiled(home, DAYS[:2]) > 0


def test_with_the_stock_event_log_each_day_compiles_its_own(stock: Path) -> None:
    more = compiled(stock, DAYS) - compiled(stock, DAYS[:2])
    assert more > 5 * len(DAYS[2:])


def test_what_either_event_log_wrote_the_other_one_reads(home: Path) -> None:
    ours = (home / "dagster.yaml").read_text()
    with instance_at(home) as instance:
        assert isinstance(instance.event_log_storage, EventLog)
        first = run(instance)
    (home / "dagster.yaml").write_text("telemetry: {enabled: false}\n")
    with instance_at(home) as instance:
        assert type(instance.event_log_storage) is SqliteEventLogStorage
        assert held(instance) == (DAYS, len(DAYS))
        told = len(instance.all_logs(first))
        run(instance)
    (home / "dagster.yaml").write_text(ours)
    with instance_at(home) as instance:
        assert held(instance) == (DAYS, 2 * len(DAYS))
        assert len(instance.all_logs(first)) == told > 2 * len(DAYS)


def test_two_instances_on_one_home_see_each_others_events(home: Path) -> None:
    with instance_at(home) as writer, instance_at(home) as reader:
        assert held(reader) == ([], 0)
        run(writer)
        assert held(reader) == (DAYS, len(DAYS))
        run(reader)
        assert held(writer) == (DAYS, 2 * len(DAYS))


def test_a_failed_transaction_leaves_nothing_and_the_next_one_works(home: Path) -> None:
    with instance_at(home) as instance:
        log = instance.event_log_storage
        assert isinstance(log, EventLog)
        with pytest.raises(RuntimeError, match="on purpose"):
            _write_half(log)
        with log.index_connection() as connection:
            count = connection.exec_driver_sql("SELECT count(*) FROM asset_keys").scalar()
        assert count == 0


def _write_half(log: EventLog) -> None:
    with log.index_connection() as connection:
        connection.exec_driver_sql("INSERT INTO asset_keys (asset_key) VALUES ('half')")
        raise RuntimeError("on purpose")


def test_no_more_files_stay_open_than_it_says(home: Path) -> None:
    with instance_at(home) as instance:
        for _ in range(FILES_KEPT_OPEN):
            run(instance, DAYS[:1])
        assert len(set(_open_databases(home))) <= FILES_KEPT_OPEN + 2  # and runs.db, schedules.db
    assert [path for path in _open_databases(home) if "history/runs/" in path] == []


def _open_databases(home: Path) -> Iterator[str]:
    for descriptor in Path("/proc/self/fd").iterdir():
        try:
            target = str(descriptor.readlink())
        except OSError:
            continue
        if target.startswith(str(home)) and target.endswith(".db"):
            yield target
