"""Runs of DMO assets inside the test process: what Dagster is told of good, bad and absent days."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from stdm_platform.catalog import dmo
from stdm_platform.lake import Lake, Reading, Window
from stdm_platform.orchestration import dmo_assets
from stdm_platform.orchestration.dmo_assets import dmo_asset
from stdm_platform.orchestration.launch import RANGE_END, RANGE_START
from stdm_platform.orchestration.partitions import daily_partitions
from stdm_platform.orchestration.resources import Platform
from stdm_platform.sandbox import SandboxHandle
from stdm_platform_tests.changed_rows import changed_rows
from stdm_platform_tests.faults.world import DAYS, environment, published_hash
from stdm_platform_tests.guard.held_figures import put

PARTITIONS = [str(day) for day in DAYS]
FAILED = dg.DagsterEventType.STEP_FAILURE
STARTED = dg.DagsterEventType.STEP_START
PLANNED = dg.DagsterEventType.ASSET_CHECK_EVALUATION_PLANNED
SESSIONS = '"ssot__AIAgentSession__dlm"'


class Runs:
    """Runs of some DMO assets on an instance of their own."""

    def __init__(self, instance: dg.DagsterInstance, data_dir: Path) -> None:
        self.instance = instance
        self.data_dir = data_dir

    def run(
        self, *names: str, days: Sequence[str] = PARTITIONS, **tags: str
    ) -> dg.ExecuteInProcessResult:
        assets = [dmo_asset(dmo(name), daily_partitions(None)) for name in names]
        return dg.materialize(
            assets,
            instance=self.instance,
            resources={"platform": Platform()},
            tags={RANGE_START: days[0], RANGE_END: days[-1], **tags},
            raise_on_error=False,
        )

    def materialized(self, name: str) -> list[str]:
        key = dg.AssetKey(["stdm", name])
        return sorted(self.instance.get_materialized_partitions(key))

    def checks(self, name: str, check: str = "contract") -> dict[str | None, bool]:
        """Of each day whether it passed; None is the evaluation of the whole run."""
        records = self.instance.event_log_storage.get_asset_check_execution_history(
            dg.AssetCheckKey(dg.AssetKey(["stdm", name]), check), limit=100
        )
        found: dict[str | None, bool] = {}
        for record in reversed(records):
            assert record.event is not None
            assert record.event.dagster_event is not None
            if record.event.dagster_event.event_type is PLANNED:
                continue  # a day whose source failed was never evaluated
            evaluation = record.event.dagster_event.asset_check_evaluation_data
            found[evaluation.partition] = evaluation.passed
        return found


def failures(result: dg.ExecuteInProcessResult) -> list[str]:
    return [
        event.step_failure_data.user_failure_data.description or ""
        for event in result.all_events
        if event.event_type is FAILED and event.step_failure_data.user_failure_data
    ]


def metadata(result: dg.ExecuteInProcessResult, name: str) -> dict[str, dict[str, Any]]:
    return {
        event.partition or "": {
            key: value.value for key, value in event.materialization.metadata.items()
        }
        for event in result.get_asset_materialization_events()
        if event.asset_key == dg.AssetKey(["stdm", name])
    }


@pytest.fixture
def runs(org: SandboxHandle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Runs:
    for name, value in environment(org, tmp_path / "data").items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(dmo_assets, "RETRIES", dg.RetryPolicy(max_retries=2))
    return Runs(dg.DagsterInstance.ephemeral(), tmp_path / "data")


def window_queries(org: SandboxHandle) -> list[str]:
    """The first instants of the windows that were asked for."""
    return sorted(
        entry["parameters"][0] if isinstance(entry["parameters"][0], str)
        else entry["parameters"][0]["value"]
        for entry in org.sql_log() if "CAST(?" in entry["sql"]
    )  # fmt: skip


def test_a_range_is_one_run_with_rows_and_checks_per_day(org: SandboxHandle, runs: Runs) -> None:
    result = runs.run("sessions")
    assert result.success
    assert runs.materialized("sessions") == PARTITIONS
    of_days = metadata(result, "sessions")
    assert sorted(of_days) == PARTITIONS
    for day, said in of_days.items():
        assert said["dagster/partition_row_count"] == 10
        assert said["rows_processed"] == 10
        assert said["bytes"] > 0
        assert said["final"] is True
        assert said["seconds"] > 0
        assert day in str(said["windows"])
        assert said["preview"].count("\n") == 6
    for check in ("contract", "vocabulary", "quarantine", "volume", "null_share"):
        evaluations = runs.checks("sessions", check)
        assert {day: evaluations.get(day) for day in PARTITIONS} == dict.fromkeys(PARTITIONS, True)


def test_a_range_of_days_is_one_step_for_each_object(org: SandboxHandle, runs: Runs) -> None:
    result = runs.run("sessions", "participants")
    assert result.success
    assert runs.instance.get_runs_count() == 1
    begun = [e.step_key for e in result.all_events if e.event_type is STARTED]
    assert sorted(begun) == ["stdm__participants", "stdm__sessions"]
    for name in ("sessions", "participants"):
        assert runs.materialized(name) == PARTITIONS


def test_the_failed_day_of_a_range_can_be_run_alone(org: SandboxHandle, runs: Runs) -> None:
    org.set_faults([{"kind": "bad_sql", "on": "*.submit", "at": [2]}])
    assert not runs.run("sessions").success
    (missing,) = set(PARTITIONS) - set(runs.materialized("sessions"))
    org.clear_faults()
    org.sql_log(clear=True)
    assert runs.run("sessions", days=[missing]).success
    assert [start[:10] for start in window_queries(org)] == [missing]
    assert runs.materialized("sessions") == PARTITIONS


def test_a_day_with_far_fewer_rows_than_usual_warns_and_is_materialized(
    org: SandboxHandle, runs: Runs
) -> None:
    lake, entry = Lake(runs.data_dir), dmo("sessions")
    for back in range(1, 36):
        day = DAYS[0] - timedelta(days=back)
        window = Window.of_day(day)
        read = [Reading(window.end + timedelta(days=8), "q", "0", 0, "json", 500, window)]
        put(lake, entry, day, read, org_id=org.org_id)
    result = runs.run("sessions")
    assert result.success
    days = dict.fromkeys(PARTITIONS, False)
    assert runs.checks("sessions", "volume") == {**days, None: False}
    assert runs.checks("sessions", "null_share") == dict.fromkeys([*PARTITIONS, None], True)
    (said,) = (
        each for each in result.get_asset_check_evaluations()
        if each.check_name == "volume" and each.partition == PARTITIONS[0]
    )  # fmt: skip
    summary = str(said.metadata["summary"].value)
    assert (
        f"sessions of {PARTITIONS[0]}: 10 rows; the last 5 {DAYS[0]:%A}s held 500 to 500" in summary
    )
    assert said.severity == dg.AssetCheckSeverity.WARN
    table = said.metadata["same_weekdays"]
    assert isinstance(table, dg.TableMetadataValue)
    newest, *before = (each.data for each in table.records)
    assert newest == {
        "day": PARTITIONS[0],
        "weekday": f"{DAYS[0]:%A}",
        "rows": 10,
        "weeks before": 0,
    }
    assert [(each["weeks before"], each["rows"]) for each in before] == [
        (n, 500) for n in range(1, 6)
    ]


def test_a_value_that_nobody_has_seen_stands_in_a_table_as_served(
    org: SandboxHandle, runs: Runs
) -> None:
    hostile = "<b>New|Kind</b>\u202e"
    with changed_rows(org, "sessions"):
        org.execute(
            f"UPDATE {SESSIONS} SET ssot__AiAgentChannelType__c = '{hostile}' "
            f"WHERE ssot__StartTimestamp__c::date = date '{PARTITIONS[0]}'"
        )
        result = runs.run("sessions")
    (said,) = (
        each for each in result.get_asset_check_evaluations()
        if each.check_name == "vocabulary" and each.partition == PARTITIONS[0]
    )  # fmt: skip
    table = said.metadata["table"]
    assert isinstance(table, dg.TableMetadataValue)
    (record,) = table.records
    assert record.data == {
        "day": PARTITIONS[0], "column": "ssot__AiAgentChannelType__c", "value": "<b>New|Kind</b><U+202E>", "rows": 10,
    }  # fmt: skip


def test_rows_in_quarantine_warn_and_do_not_block_the_day(org: SandboxHandle, runs: Runs) -> None:
    with changed_rows(org, "sessions"):
        org.execute(
            f"UPDATE {SESSIONS} SET ssot__Id__c = NULL WHERE ssot__Id__c = (SELECT min(ssot__Id__c) "
            f"FROM {SESSIONS} WHERE ssot__StartTimestamp__c::date = date '{PARTITIONS[0]}')"
        )
        result = runs.run("sessions")
        assert result.success
    said = metadata(result, "sessions")
    assert {day: facts.get("quarantined", 0) for day, facts in said.items()} == {
        day: int(day == PARTITIONS[0]) for day in PARTITIONS
    }
    days = {day: day != PARTITIONS[0] for day in PARTITIONS}
    assert runs.checks("sessions", "quarantine") == {**days, None: False}
    assert runs.checks("sessions", "contract") == dict.fromkeys([*PARTITIONS, None], True)


def test_a_source_failure_of_one_day_leaves_that_day_out_and_names_it(
    org: SandboxHandle, runs: Runs
) -> None:
    org.set_faults([{"kind": "bad_sql", "on": "*.submit", "at": [3]}])
    result = runs.run("sessions")
    assert not result.success
    assert org.served() == {"bad_sql": 1}
    (missing,) = set(PARTITIONS) - set(runs.materialized("sessions"))
    (said,) = failures(result)
    assert said.startswith(f"sessions of {missing}: ")
    assert "Correct the SQL" in said
    assert "Traceback" not in said
    assert "\n" not in said
    evaluations = runs.checks("sessions")
    assert missing not in evaluations
    assert all(evaluations[day] for day in PARTITIONS if day != missing)


def test_a_refused_day_is_a_failed_check_and_the_other_days_are_materialized(
    org: SandboxHandle, runs: Runs
) -> None:
    runs.run("sessions")
    before = published_hash(runs.data_dir / "lake" / "sessions" / f"date={PARTITIONS[1]}")
    where = f"WHERE \"ssot__StartTimestamp__c\"::DATE = '{PARTITIONS[1]}'"
    with changed_rows(org, "sessions"):
        org.execute(f"INSERT INTO {SESSIONS} SELECT DISTINCT * FROM {SESSIONS} {where} LIMIT 1")
        result = runs.run("sessions")
        assert not result.success
        evaluations = runs.checks("sessions")
        assert evaluations[PARTITIONS[1]] is False
        assert evaluations[PARTITIONS[0]] is evaluations[PARTITIONS[2]] is True
        materialized = [event.partition for event in result.get_asset_materialization_events()]
        assert sorted(materialized) == [PARTITIONS[0], PARTITIONS[2]]
        told = [event.message or "" for event in result.all_events if event.event_type is FAILED]
        assert any(PARTITIONS[1] in line for line in [*told, *failures(result)]), told
        folder = runs.data_dir / "lake" / "sessions" / f"date={PARTITIONS[1]}"
        assert published_hash(folder) == before


def test_an_object_that_the_org_lacks_is_a_success_that_says_so(
    org: SandboxHandle, runs: Runs
) -> None:
    org.change_settings(hide_objects=["moments"])
    result = runs.run("moments", "sessions")
    assert result.success
    of_days = metadata(result, "moments")
    assert sorted(of_days) == PARTITIONS
    for said in of_days.values():
        assert said["status"] == "absent"
        assert "no such object" in said["absent_object"]
    assert not list((runs.data_dir / "lake").glob("moments/*/*.parquet"))


def test_a_column_that_the_org_lacks_stands_in_the_metadata(org: SandboxHandle, runs: Runs) -> None:
    org.change_settings(hide_columns=["sessions.variable_text"])
    result = runs.run("sessions")
    assert result.success
    for said in metadata(result, "sessions").values():
        assert said["absent_columns"] == ["ssot__VariableText__c"]


def test_a_step_retries_what_may_pass_and_reads_no_finished_window_again(
    org: SandboxHandle, runs: Runs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STDM_MAX_ATTEMPTS", "1")
    monkeypatch.setenv("STDM_TRANSPORT", "arrow")
    org.set_faults([{"kind": "server_error", "on": "v3.submit", "at": [3]}])
    result = runs.run("sessions")
    assert result.success
    assert org.served() == {"server_error": 1}
    kinds = [event.event_type for event in result.all_events]
    assert kinds.count(dg.DagsterEventType.STEP_RESTARTED) == 1
    # The refused request never became a query: three windows, three queries.
    assert len(window_queries(org)) == len(set(window_queries(org))) == 3
    assert runs.materialized("sessions") == PARTITIONS


def test_a_run_made_again_from_a_failed_one_reads_only_what_was_missing(
    org: SandboxHandle, runs: Runs
) -> None:
    org.set_faults([{"kind": "bad_sql", "on": "*.submit", "at": [3]}])
    failed = runs.run("sessions")
    (missing,) = set(PARTITIONS) - set(runs.materialized("sessions"))
    org.clear_faults()
    org.sql_log(clear=True)
    again = runs.run("sessions", **{"dagster/parent_run_id": failed.run_id})
    assert again.success
    assert [start[:10] for start in window_queries(org)] == [missing]
    assert runs.materialized("sessions") == PARTITIONS
    assert {said["status"] for said in metadata(again, "sessions").values()} == {
        "kept",
        "published",
    }


@pytest.mark.parametrize(
    ("kind", "word"), [("forbidden", "cdp_query_api"), ("missing_field", "field")]
)
def test_a_permanent_fault_is_not_retried_and_names_object_and_day(
    org: SandboxHandle, runs: Runs, kind: str, word: str
) -> None:
    org.set_faults([{"kind": kind, "on": "*.submit", "permanent": True}])
    result = runs.run("sessions")
    assert not result.success
    (said,) = failures(result)
    assert said.startswith("sessions ")
    assert f"of {PARTITIONS[0]}" in said
    assert word in said
    assert dg.DagsterEventType.STEP_RESTARTED not in [e.event_type for e in result.all_events]
    assert runs.materialized("sessions") == []


def test_a_wrong_login_fails_the_run_with_the_next_action(
    org: SandboxHandle, runs: Runs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STDM_USERNAME", "nobody@example.com")
    (said,) = failures(runs.run("sessions"))
    assert said.startswith(f"sessions of {PARTITIONS[0]}: The org refused the login")
    assert "pre-authorized" in said
