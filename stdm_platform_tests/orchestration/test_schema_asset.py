"""The page of the source in the UI: the asset asks the org, checks judge, people are told once."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from stdm_platform.catalog import dmo
from stdm_platform.extraction.schemas import keep
from stdm_platform.guard import SeenColumn
from stdm_platform.lake import Lake
from stdm_platform.orchestration import drift_page
from stdm_platform.orchestration.drift_sensor import drift_sensor
from stdm_platform.orchestration.resources import Platform
from stdm_platform.orchestration.schema_asset import KEY, SCHEMA_JOB, schema_checks, source_schema
from stdm_platform.sandbox import SandboxHandle
from stdm_platform_tests.guard.looks import look
from stdm_platform_tests.notify.receiver import Receiver, receiving
from stdm_platform_tests.session_objects import SESSION_DMOS

SESSIONS, STEPS = dmo("sessions"), dmo("steps")


@pytest.fixture(scope="module")
def one_receiver() -> Iterator[Receiver]:
    with receiving() as receiver:
        yield receiver


@pytest.fixture
def receiver(one_receiver: Receiver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Receiver:
    one_receiver.came.clear()
    monkeypatch.setenv("STDM_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("STDM_WEBHOOK_URL", one_receiver.url)
    monkeypatch.setattr(drift_page, "marts_of_dmos", lambda data_dir: {"steps": ("a_mart",)})
    return one_receiver


@pytest.fixture
def lake(tmp_path: Path, receiver: Receiver) -> Lake:
    return Lake(tmp_path / "data")


def run_job(instance: dg.DagsterInstance) -> tuple[dict[str, Any], dict[str, Any]]:
    """The metadata of the asset, and the evaluation of each DMO's check."""
    definitions = dg.Definitions(
        assets=[source_schema, *(dg.AssetSpec(["stdm", each.name]) for each in SESSION_DMOS)],
        asset_checks=[schema_checks],
        jobs=[SCHEMA_JOB],
        resources={"platform": Platform()},
    )
    result = definitions.resolve_job_def(SCHEMA_JOB.name).execute_in_process(instance=instance)
    (event,) = result.asset_materializations_for_node("stdm__source_schema")
    assert event.asset_key == KEY
    shown = {name: value.value for name, value in event.metadata.items()}
    checks = {each.asset_key.path[-1]: each for each in result.get_asset_check_evaluations()}
    return shown, checks


@pytest.mark.parametrize("transport", ["arrow", "json"])
def test_what_changes_while_the_platform_runs_is_on_the_page_and_in_its_check(
    org: SandboxHandle,
    lake: Lake,
    receiver: Receiver,
    monkeypatch: pytest.MonkeyPatch,
    transport: str,
) -> None:
    for name, value in org.env.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("STDM_DATA_DIR", str(lake.data_dir))
    monkeypatch.setenv("STDM_TRANSPORT", transport)
    org.sql_log(clear=True)
    with dg.DagsterInstance.ephemeral() as instance:
        shown, checks = run_job(instance)
        assert (shown["block"], shown["warn"], shown["news"]) == (0, 0, 0)
        assert "ssot__AIAgentSession__dlm" in shown["objects"]
        assert set(checks) == {each.name for each in SESSION_DMOS}
        assert all(each.passed for each in checks.values())
        assert org.sql_log() == [], "the metadata resource has told all"
        org.change_settings(
            rename_columns={"steps.started_at": "ssot__StartTime__c"},
            hide_columns=["sessions.channel_type"],
            families={"moments": "std"},
            rename_objects={"messages": "ssot__AiAgentInteractionMessageV2__dlm"},
        )
        shown, checks = run_job(instance)
    assert (shown["block"], shown["warn"]) == (2, 1)
    for part in ("marts/a_mart", "ssot__StartTime__c", "first seen", "what to do"):
        assert part in shown["drifts"]
    judged = {name: (each.passed, each.severity.value) for name, each in checks.items()}
    assert judged["steps"] == (False, "ERROR")
    assert judged["messages"] == (False, "ERROR")
    assert judged["sessions"] == (False, "WARN")
    assert judged["moments"][0] is judged["participants"][0] is True
    told = {notice["asset"]: notice for notice in receiver.notices()}
    assert set(told) == {"stdm/steps", "stdm/messages", "stdm/sessions"}
    assert len(receiver.came) == 3, "asset and checks tell once together"
    assert told["stdm/steps"]["event"] == "drift"
    assert told["stdm/steps"]["severity"] == "error"
    assert 'looks like "ssot__StartTime__c"' in told["stdm/steps"]["reason"]
    assert "ssot__AiAgentInteractionMessageV2__dlm" in told["stdm/messages"]["reason"]


def tick(cursor: str | None = None) -> Any:
    sensor = drift_sensor()
    with dg.build_sensor_context(
        instance=dg.DagsterInstance.ephemeral(),
        cursor=cursor,
        resources={"platform": Platform()},
        definitions=dg.Definitions(sensors=[sensor]),
    ) as context:
        return sensor.evaluate_tick(context)


def test_the_sensor_records_checks_when_something_changed_and_tells_each_drift_once(
    lake: Lake, receiver: Receiver
) -> None:
    keep(lake, look(SESSIONS))
    quiet = tick()
    assert all(event.passed for event in quiet.asset_events)
    assert tick(quiet.cursor).asset_events == []
    keep(lake, look(SESSIONS, day=1, without=["channel_type"]))
    keep(lake, look(STEPS, day=1, more=[SeenColumn("ssot__Mood__c", "Varchar")]))
    changed = tick(quiet.cursor)
    failed = {each.asset_key.path[-1] for each in changed.asset_events if not each.passed}
    assert failed == {"sessions"}
    assert [each["asset"] for each in receiver.notices()] == ["stdm/sessions"]
    assert tick(changed.cursor).asset_events == []
    tick()
    assert len(receiver.came) == 1, "a lost cursor tells nobody again"
    keep(lake, look(SESSIONS, day=2))
    healed = tick(changed.cursor)
    assert all(event.passed for event in healed.asset_events)
    keep(lake, look(SESSIONS, day=3, without=["channel_type"]))
    tick(healed.cursor)
    assert len(receiver.came) == 2, "what came back and went again is told again"


def test_news_never_pages(lake: Lake, receiver: Receiver) -> None:
    keep(lake, look(SESSIONS))
    keep(lake, look(SESSIONS, day=1, more=[SeenColumn("ssot__Mood__c", "Varchar")]))
    said = tick()
    (own,) = [each for each in said.asset_events if each.asset_key.path[-1] == "sessions"]
    assert own.passed
    assert own.metadata["news"].value == 1
    assert receiver.came == []


def test_a_receiver_that_is_down_fails_no_tick(lake: Lake, receiver: Receiver) -> None:
    keep(lake, look(SESSIONS))
    keep(lake, look(SESSIONS, day=1, without=["started_at"]))
    receiver.answers += [403]
    assert len(tick().asset_events) == len(SESSION_DMOS)


def test_before_anything_was_seen_the_sensor_says_so(lake: Lake) -> None:
    assert "Nothing was seen" in json.dumps(tick().skip_message)
