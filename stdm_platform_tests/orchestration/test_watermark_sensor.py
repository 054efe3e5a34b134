"""Ticks of the sensor: what becomes a run, what is skipped and why, and what a tick costs."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from dagster._core.definitions.data_version import CachingStaleStatusResolver
from dagster._core.loader import LoadingContextForTest

from stdm_platform.catalog import dmo
from stdm_platform.extraction import plan_now
from stdm_platform.lake import Lake, Window, footers
from stdm_platform.lake.evidence import read_footer
from stdm_platform.marts import MartStore, session_days_due
from stdm_platform.orchestration import ticks, watermark
from stdm_platform.orchestration.dmo_assets import dmo_asset
from stdm_platform.orchestration.freshness import freshness_checks
from stdm_platform.orchestration.jobs import DAILY_JOB
from stdm_platform.orchestration.mart_assets import mart_assets
from stdm_platform.orchestration.partitions import FIRST_DAY, daily_partitions
from stdm_platform.orchestration.resources import Platform, warehouse
from stdm_platform.orchestration.ticks import EVIDENCE, RANGE_END, RANGE_START, TICK, Stretch
from stdm_platform.orchestration.watermark import watermark_sensor
from stdm_platform.sandbox import SandboxHandle
from stdm_platform.settings import load_settings
from stdm_platform_tests.benchmarks import idle_tick
from stdm_platform_tests.changed_rows import changed_rows
from stdm_platform_tests.extraction.history import ORG as HISTORY_ORG
from stdm_platform_tests.extraction.history import write_history
from stdm_platform_tests.faults.world import DAYS, END, environment
from stdm_platform_tests.lake.days import published, reading, rows
from stdm_platform_tests.parsed import lend_parse
from stdm_platform_tests.session_objects import SESSION_DMOS

NOW = datetime(2026, 1, 20, 10, 20, tzinfo=UTC)
DAY = timedelta(days=1)
SESSIONS = '"ssot__AIAgentSession__dlm"'
QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}


class At(Platform):
    """The platform at a given instant."""

    at: str

    def now(self) -> datetime:
        return datetime.fromisoformat(self.at)


class Sensor:
    """The sensor of a data directory, on an instance of its own, over the daily job."""

    def __init__(self, data_dir: Path, assets: list[dg.AssetsDefinition]) -> None:
        self.instance = dg.DagsterInstance.ephemeral()
        self.lake = Lake(data_dir)
        self.assets = assets
        self.sensor = watermark_sensor(FIRST_DAY, assets[-1].keys)
        self.definitions = dg.Definitions(
            assets=assets,
            asset_checks=[freshness_checks],
            jobs=[DAILY_JOB],
            sensors=[self.sensor],
            resources={"platform": At(at=NOW.isoformat()), "warehouse": warehouse(load_settings())},
            executor=dg.in_process_executor,
        )

    def tick(self, now: datetime = NOW, cursor: str | None = None) -> Any:
        with dg.build_sensor_context(
            instance=self.instance,
            cursor=cursor,
            resources={"platform": At(at=now.isoformat())},
            definitions=self.definitions,
        ) as context:
            return self.sensor.evaluate_tick(context)

    def requests(self, now: datetime = NOW, cursor: str | None = None) -> list[dg.RunRequest]:
        return list(self.tick(now, cursor).run_requests or ())

    def skip(self, now: datetime = NOW) -> str:
        said = self.tick(now)
        assert not said.run_requests
        return str(said.skip_message)

    def run(self, request: dg.RunRequest) -> dg.ExecuteInProcessResult:
        """What the daemon does with a request, in this process."""
        tags = dict(request.tags)
        if request.partition_key is not None:
            tags["dagster/partition"] = request.partition_key
        return self.definitions.resolve_job_def("stdm_daily").execute_in_process(
            instance=self.instance,
            tags=tags,
            run_config=QUIET,
            asset_selection=list(request.asset_selection or ()),
            raise_on_error=False,
        )

    def stale(self) -> dict[str, str]:
        """What the UI would show of each day of a mart."""
        resolver = CachingStaleStatusResolver(
            self.instance,
            self.definitions.resolve_asset_graph(),
            LoadingContextForTest(self.instance),
        )
        key = dg.AssetKey(["marts", "session_summary"])
        return {str(day): resolver.get_status(key, str(day)).value for day in DAYS}

    def record_run(self, request: dg.RunRequest, status: dg.DagsterRunStatus) -> None:
        self.instance.add_run(
            dg.DagsterRun(job_name="stdm_daily", status=status, tags=dict(request.tags))
        )


@pytest.fixture(scope="module")
def parsed_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return lend_parse(tmp_path_factory.mktemp("parsed"))


@pytest.fixture(scope="module")
def assets(parsed_dir: Path) -> list[dg.AssetsDefinition]:
    """All assets of the platform; the dbt project is parsed once."""
    partitions = daily_partitions(None)
    marts = mart_assets(parsed_dir, partitions)
    return [*(dmo_asset(each, partitions) for each in SESSION_DMOS), marts]


@pytest.fixture
def sensor(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, assets: list[dg.AssetsDefinition]
) -> Sensor:
    monkeypatch.setenv("STDM_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("STDM_START_DATE", "2026-01-18")
    return Sensor(tmp_path / "data", assets)


@pytest.fixture
def no_marts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watermark, "session_days_to_build", lambda lake, store: [])


def read_all(sensor: Sensor, now: datetime = NOW) -> None:
    """As if all that is due had been read, with no rows."""
    write_history(sensor.lake.data_dir, SESSION_DMOS, now.date(), 3, read_at=now)


def test_days_of_which_the_same_is_due_are_one_run_of_consecutive_days() -> None:
    first, both, one = date(2026, 1, 1), frozenset("ab"), frozenset("a")
    days = {first: both, first + DAY: both, first + 2 * DAY: one, first + 4 * DAY: one}
    assert ticks.stretches(days) == [
        Stretch(first, first + DAY, both),
        Stretch(first + 2 * DAY, first + 2 * DAY, one),
        Stretch(first + 4 * DAY, first + 4 * DAY, one),
    ]
    long = ticks.stretches({first + n * DAY: both for n in range(40)})
    assert [len(stretch.days()) for stretch in long] == [31, 9]


@pytest.mark.usefixtures("no_marts")
def test_an_empty_lake_becomes_one_run_of_all_days_from_the_start_date(sensor: Sensor) -> None:
    (request,) = sensor.requests()
    assert request.tags[RANGE_START] == "2026-01-18"
    assert request.tags[RANGE_END] == "2026-01-20"
    assert request.tags[TICK] == NOW.isoformat()
    wanted = {dg.AssetKey(["stdm", each.name]) for each in SESSION_DMOS}
    assert wanted < set(request.asset_selection or ())
    assert "STDM" not in str({**request.tags, **request.run_config}), "no settings, no secrets"


@pytest.mark.usefixtures("no_marts")
def test_a_tick_with_nothing_due_says_so(sensor: Sensor) -> None:
    read_all(sensor)
    assert sensor.skip().startswith("Nothing is due at 2026-01-20 10:20 UTC: no window")


@pytest.mark.usefixtures("no_marts")
def test_the_run_key_is_of_the_evidence_whatever_the_cursor_the_clock_or_the_instance(
    sensor: Sensor,
) -> None:
    read_all(sensor, NOW - 2 * DAY)
    yesterday = Window.of_day(date(2026, 1, 19))
    published(sensor.lake, yesterday, org=HISTORY_ORG)
    keys = [request.run_key for request in sensor.requests()]
    assert keys == [request.run_key for request in sensor.requests(cursor="nonsense")]
    assert keys == [request.run_key for request in sensor.requests(NOW + timedelta(seconds=20))]
    assert keys == [
        request.run_key for request in Sensor(sensor.lake.data_dir, sensor.assets).requests()
    ]
    assert len(set(keys)) == len(keys)
    published(sensor.lake, yesterday, org=HISTORY_ORG)
    assert keys != [request.run_key for request in sensor.requests()], "another window is held"


@pytest.mark.usefixtures("no_marts")
def test_days_that_an_unfinished_run_is_at_work_on_wait_for_the_next_tick(sensor: Sensor) -> None:
    (request,) = sensor.requests()
    sensor.record_run(request, dg.DagsterRunStatus.STARTED)
    assert "is at work on 2026-01-18 to 2026-01-20 (3 days)" in sensor.skip()
    later = sensor.requests(NOW + DAY)
    assert [each.partition_key for each in later] == ["2026-01-21"]


@pytest.mark.usefixtures("no_marts")
def test_a_run_that_failed_is_asked_for_again_under_a_new_key(sensor: Sensor) -> None:
    (request,) = sensor.requests()
    sensor.record_run(request, dg.DagsterRunStatus.FAILURE)
    (again,) = sensor.requests()
    assert again.tags[EVIDENCE] == request.tags[EVIDENCE]
    assert again.run_key != request.run_key


@pytest.mark.usefixtures("no_marts")
def test_a_day_before_the_first_partition_is_named(
    sensor: Sensor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STDM_START_DATE", "2024-12-31")
    said = sensor.skip(datetime(2024, 12, 31, 20, 0, tzinfo=UTC))
    assert said == ("2024-12-31 is no partition: set STDM_START_DATE, or use the stdm command.")


def test_mart_days_that_are_due_alone_become_a_run_of_marts(
    sensor: Sensor, monkeypatch: pytest.MonkeyPatch
) -> None:
    read_all(sensor)
    monkeypatch.setattr(watermark, "session_days_to_build", lambda lake, store: [date(2026, 1, 18)])
    (request,) = sensor.requests()
    assert request.partition_key == "2026-01-18"
    assert {key.path[0] for key in request.asset_selection or ()} == {"marts"}


def test_a_used_up_budget_is_the_reason_to_skip(
    sensor: Sensor, monkeypatch: pytest.MonkeyPatch, no_marts: None
) -> None:
    monkeypatch.setenv("STDM_DAILY_ROW_BUDGET", "5")
    for each in SESSION_DMOS:
        published(
            sensor.lake,
            Window(datetime(2026, 1, 20, tzinfo=UTC), datetime(2026, 1, 20, 5, tzinfo=UTC)),
            [rows(20, entry=each, at=datetime(2026, 1, 20, 1, tzinfo=UTC))],
            entry=each,
            said=reading(NOW - timedelta(hours=4)),
        )
    assert "STDM_DAILY_ROW_BUDGET=5" in sensor.skip()


def test_an_idle_tick_reads_no_footer_that_an_earlier_one_has_read(
    sensor: Sensor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What it costs is told by `benchmarks.idle_tick`; a process that begins anew has the cache."""
    read: list[Path] = []
    monkeypatch.setattr(
        footers, "read_footer", lambda path: (read.append(path), read_footer(path))[1]
    )
    for name in ("STDM_DATA_DIR", "STDM_TABLES", "STDM_START_DATE"):
        monkeypatch.setenv(name, "")  # puts back what the benchmark's platform sets
    now = idle_tick.NOW
    lake = idle_tick.write_idle_platform(sensor.lake.data_dir, SESSION_DMOS, 20)
    assert read
    read.clear()
    assert "Nothing is due" in sensor.skip(now)
    assert read == []
    for file in lake.windows("sessions", now.date()):
        os.utime(file.path)
    assert "Nothing is due" in sensor.skip(now)
    assert len(read) == len(lake.windows("sessions", now.date()))


@pytest.fixture
def beside_org(
    org: SandboxHandle,
    parsed_dir: Path,
    monkeypatch: pytest.MonkeyPatch,
    assets: list[dg.AssetsDefinition],
) -> Iterator[Sensor]:
    """In the directory where dbt has parsed its project; the lake is emptied after the test."""
    for name, value in environment(org, parsed_dir).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("STDM_START_DATE", str(DAYS[-2]))
    yield Sensor(parsed_dir, assets)
    shutil.rmtree(parsed_dir / "lake")


def test_a_requested_run_reads_what_is_due_builds_the_marts_and_leaves_nothing_due(
    beside_org: Sensor, org: SandboxHandle
) -> None:
    now = datetime(END.year, END.month, END.day, 10, 20, tzinfo=UTC)
    (request,) = beside_org.requests(now)
    result = beside_org.run(request)
    assert result.success
    assert [str(file.window.end) for file in beside_org.lake.held("sessions")] == [
        f"{END} 00:00:00+00:00",
        f"{END} 10:05:00+00:00",
    ]
    built = {event.partition for event in result.asset_materializations_for_node("marts")}
    assert built == {str(day) for day in DAYS[-2:]}
    asked = len(org.sql_log())
    assert "Nothing is due" in beside_org.skip(now)
    assert len(org.sql_log()) == asked, "the sensor asks the org nothing"
    again = beside_org.run(request)
    assert again.success
    windows = [entry for entry in org.sql_log()[asked:] if "CAST(?" in entry["sql"]]
    assert windows == [], "the same run once more has nothing left to read"


def test_a_mart_day_turns_stale_when_its_lake_day_changed_and_fresh_when_it_is_rebuilt(
    beside_org: Sensor, org: SandboxHandle
) -> None:
    kept = {RANGE_START: str(DAYS[0]), RANGE_END: str(DAYS[-1])}
    everything = dg.RunRequest(tags=kept)
    only_sessions = everything.with_replaced_attrs(
        asset_selection=[dg.AssetKey(["stdm", "sessions"])]
    )
    assert beside_org.run(everything).success
    assert beside_org.stale() == {str(day): "FRESH" for day in DAYS}
    again = beside_org.run(only_sessions)
    assert again.success
    assert len(again.asset_materializations_for_node("stdm__sessions")) == len(DAYS)
    assert beside_org.stale() == {str(day): "FRESH" for day in DAYS}, "the same rows once more"
    day = f"\"ssot__StartTimestamp__c\"::DATE = '{DAYS[1]}'"
    changed = f"UPDATE {SESSIONS} SET \"ssot__AiAgentChannelType__c\" = 'Messaging' WHERE {day}"
    with changed_rows(org, "sessions"):
        org.execute(changed)
        assert beside_org.run(only_sessions).success
        stale = beside_org.stale()
        assert stale[str(DAYS[1])] == "STALE"
        assert stale[str(DAYS[0])] == "FRESH"
        due = session_days_due(Lake(beside_org.lake.data_dir), MartStore(beside_org.lake.data_dir))
        assert [day for day, said in stale.items() if said == "STALE"] == [str(day) for day in due]
        marts = [key for key in (request_keys(beside_org)) if key.path[0] == "marts"]
        assert beside_org.run(everything.with_replaced_attrs(asset_selection=marts)).success
        assert beside_org.stale() == {str(day): "FRESH" for day in DAYS}


def request_keys(sensor: Sensor) -> list[dg.AssetKey]:
    return [key for each in sensor.assets for key in each.keys]


def test_a_tick_after_a_tick_reads_the_new_hour_and_the_last_one_again(
    beside_org: Sensor, org: SandboxHandle, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STDM_START_DATE", str(END))
    monkeypatch.setattr(watermark, "session_days_to_build", lambda lake, store: [])
    sessions = dmo("sessions")
    monkeypatch.setattr(ticks, "plan_now", partial(plan_now, dmos=[sessions]))
    now = datetime(END.year, END.month, END.day, 2, 20, tzinfo=UTC)
    for hour in range(2):
        (request,) = beside_org.requests(now + timedelta(hours=hour))
        only = request.with_replaced_attrs(asset_selection=[dg.AssetKey(["stdm", "sessions"])])
        assert beside_org.run(only).success
    (first, second) = beside_org.lake.windows("sessions", END)
    assert (first.reading, second.reading) == (2, 1)
    assert first.window.end == second.window.start == now - sessions.shortest_lag
