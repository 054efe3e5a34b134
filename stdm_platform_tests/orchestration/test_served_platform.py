"""`workspace.yaml` served by Dagster's own processes: a range over GraphQL, and nothing leaks.

The org is full of canaries (`faults/canary.py`); a fresh DAGSTER_HOME, and the `STDM_*` variables
alone.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from stdm_platform.orchestration.ticks import RANGE_END, RANGE_START, TICK
from stdm_platform_tests.faults.canary import PlantedOrg, planted_org
from stdm_platform_tests.faults.world import DAYS, environment, mart_tables
from stdm_platform_tests.notify.receiver import SECRET, Receiver, receiving
from stdm_platform_tests.orchestration.processes import GraphQL, eventually, free_port, session_of
from stdm_platform_tests.parsed import lend_parse
from stdm_platform_tests.session_objects import SESSION_DMOS

BIN = Path(sys.executable).parent
PARTITIONS = [str(day) for day in DAYS]
NEVER_HELD = "2025-06-20"
MARTS = ("orphan_rows", "session_completeness", "session_summary", "topic_routing", "topic_summary")
LAUNCH = """mutation($p: ExecutionParams!) { launchRun(executionParams: $p) { __typename
    ... on LaunchRunSuccess { run { runId } } ... on PythonError { message stack }
    ... on InvalidSubsetError { message } ... on RunConfigValidationInvalid { errors { message } } } }"""
RUN = """query($r: ID!) { runOrError(runId: $r) { ... on Run { status runConfigYaml
    tags { key value } stepStats { stepKey status } } } }"""
ENTRIES = """metadataEntries { __typename label description
    ... on TextMetadataEntry { text } ... on MarkdownMetadataEntry { mdStr }
    ... on JsonMetadataEntry { jsonString } ... on PathMetadataEntry { path }
    ... on IntMetadataEntry { intValue } }"""
LOGS = """query($r: ID!, $after: String) { logsForRun(runId: $r, afterCursor: $after, limit: 900) {
    __typename ... on EventConnection { cursor hasMore events { __typename
        ... on MessageEvent { message stepKey level eventType }
        ... on MaterializationEvent { partition assetKey { path } ENTRIES }
        ... on AssetCheckEvaluationEvent { evaluation {
            checkName success partition assetKey { path } ENTRIES } }
        } } } }""".replace("ENTRIES", ENTRIES)
DAILY = [["stdm", dmo.name] for dmo in SESSION_DMOS] + [["marts", mart] for mart in MARTS]
KEYS = ", ".join(f"{{path: {json.dumps(path)}}}" for path in DAILY)
"""The assets that have days; Dagster answers 500 when it is asked for the days of another one."""
ASSETS = (
    """{ assetNodes(assetKeys: [KEYS]) { assetKey { path } groupName jobNames description dependencyKeys { path }
    ENTRIES staleStatusByPartition(partitions: PARTITIONS) assetPartitionStatuses { ... on TimePartitionStatuses {
        ranges { startKey endKey status } } } assetMaterializations(limit: 5) { partition ENTRIES }
    } }""".replace("ENTRIES", ENTRIES)
    .replace("PARTITIONS", json.dumps(PARTITIONS))
    .replace("KEYS", KEYS)
)
SENSORS = """query($s: RepositorySelector!) { sensorsOrError(repositorySelector: $s) {
    ... on Sensors { results { name sensorState { status
        ticks(limit: 5) { status skipReason error { message } } } } } } }"""
RESOURCES = """query($s: RepositorySelector!) { allTopLevelResourceDetailsOrError(repositorySelector: $s) {
    __typename ... on ResourceDetailsList { results { name description
        configFields { name description defaultValueAsJson } configuredValues { key value type } } } } }"""


@dataclass
class Served:
    """What was launched, and how to ask about it."""

    planted: PlantedOrg
    graphql: GraphQL
    repository: dict[str, Any]
    data_dir: Path
    home: Path
    receiver: Receiver
    run_id: str
    run: dict[str, Any]

    @property
    def selector(self) -> dict[str, str]:
        return {
            "repositoryName": self.repository["name"],
            "repositoryLocationName": self.repository["location"]["name"],
        }

    def events(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        after: str | None = None
        while True:
            page = self.graphql.ask(LOGS, r=self.run_id, after=after)["logsForRun"]
            found += page["events"]
            after = page["cursor"]
            if not page["hasMore"]:
                return found


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("served")
    data_dir, home, port = folder / "data", folder / "dagster_home", free_port()
    home.mkdir()
    lend_parse(data_dir)
    with ExitStack() as stack:
        planted = stack.enter_context(planted_org(folder / "org"))
        receiver = stack.enter_context(receiving())
        told = {"DAGSTER_HOME": str(home), "STDM_WEBHOOK_URL": receiver.url}
        variables = environment(planted.org, data_dir, **planted.variables, **told)
        variables.pop("STDM_PRIVATE_KEY_FILE", None)

        def start(name: str, *words: str) -> None:
            command = [str(BIN / name), *words, "-w", "workspace.yaml"]
            stack.enter_context(session_of(command, variables, folder / f"{name}.log"))

        start("dagster-webserver", "-h", "127.0.0.1", "-p", str(port))
        graphql = GraphQL(port)
        repository = eventually(graphql.repository, 150, "the code location")
        # Only now: two processes that both make the tables of a fresh home trip over each other.
        start("dagster-daemon", "run")
        served = Served(planted, graphql, repository, data_dir, home, receiver, "", {})
        _launch_in_vain(served)
        _launch(served)
        yield served


def _launch_in_vain(served: Served) -> None:
    """A run that the tick of another day asked for: nothing of its day was due, nothing is held."""
    tags = {"dagster/partition": NEVER_HELD, TICK: "2025-06-01T00:00:00+00:00"}
    _launch_with(served, tags, assetSelection=[{"path": ["stdm", "sessions"]}])


def _launch_with(served: Served, tags: dict[str, str], **selected: Any) -> str:
    parameters = {
        "selector": {**served.selector, "jobName": "stdm_daily", **selected},
        "runConfigData": {},
        "mode": "default",
        "executionMetadata": {"tags": [{"key": k, "value": v} for k, v in tags.items()]},
    }
    launched = served.graphql.ask(LAUNCH, p=parameters)["launchRun"]
    assert launched["__typename"] == "LaunchRunSuccess", launched
    return str(launched["run"]["runId"])


def _launch(served: Served) -> None:
    tags = {RANGE_START: PARTITIONS[0], RANGE_END: PARTITIONS[-1]}
    served.run_id = _launch_with(served, tags)

    def ended() -> dict[str, Any] | None:
        run: dict[str, Any] = served.graphql.ask(RUN, r=served.run_id)["runOrError"]
        return run if run["status"] in ("SUCCESS", "FAILURE", "CANCELED") else None

    served.run = eventually(ended, 400, "the run")


def test_a_range_of_the_daily_job_succeeds_as_one_run(served: Served) -> None:
    assert served.run["status"] == "SUCCESS", [
        event["message"] for event in served.events() if event.get("level") in ("ERROR", "CRITICAL")
    ]
    assert {step["status"] for step in served.run["stepStats"]} == {"SUCCESS"}
    assert mart_tables(served.data_dir)["session_summary"][0] == 60
    assert served.run["runConfigYaml"].strip() == "{}"


def test_every_dmo_and_mart_shows_the_days_as_materialized(served: Served) -> None:
    nodes = served.graphql.ask(ASSETS)["assetNodes"]
    ranges = {
        "/".join(node["assetKey"]["path"]): node["assetPartitionStatuses"]["ranges"]
        for node in nodes
    }
    wanted = [f"stdm/{dmo.name}" for dmo in SESSION_DMOS] + [f"marts/{mart}" for mart in MARTS]
    assert ranges.keys() >= set(wanted)
    expected = {"startKey": PARTITIONS[0], "endKey": PARTITIONS[-1], "status": "MATERIALIZED"}
    in_vain = {"startKey": NEVER_HELD, "endKey": NEVER_HELD, "status": "FAILED"}
    for node in nodes:
        assert node["staleStatusByPartition"] == ["FRESH"] * len(DAYS), node["assetKey"]
    assert in_vain in ranges["stdm/sessions"]
    ranges["stdm/sessions"].remove(in_vain)
    assert {name: found for name, found in ranges.items() if found != [expected]} == {}


def test_the_lineage_leads_from_the_dmos_to_the_marts(served: Served) -> None:
    nodes = served.graphql.ask(ASSETS)["assetNodes"]
    parents = {
        "/".join(node["assetKey"]["path"]): {"/".join(k["path"]) for k in node["dependencyKeys"]}
        for node in nodes
    }
    for mart in MARTS:
        reached, todo = set(), {f"marts/{mart}"}
        while todo:
            reached |= todo
            todo = {parent for one in todo for parent in parents.get(one, set())} - reached
        assert {"stdm/sessions", "stdm/interactions", "stdm/steps"} <= reached, mart


def test_each_day_of_each_dmo_has_its_own_passed_contract(served: Served) -> None:
    seen = set()
    for event in served.events():
        evaluation = event.get("evaluation")
        if evaluation and evaluation["checkName"] in ("contract", "vocabulary"):
            assert evaluation["success"]
            name = evaluation["assetKey"]["path"][-1]
            seen.add((name, evaluation["checkName"], evaluation["partition"]))
    wanted = {
        (dmo.name, check, day)
        for dmo in SESSION_DMOS
        for check in ("contract", "vocabulary")
        for day in PARTITIONS
    }
    assert wanted - seen == set()


def test_the_job_and_the_schedule_have_their_names(served: Served) -> None:
    assert "stdm_daily" in [job["name"] for job in served.repository["jobs"]]
    schedules = {each["name"]: each for each in served.repository["schedules"]}
    assert {name: each["cronSchedule"] for name, each in schedules.items()} == {
        "stdm_daily_schedule": "0 2 * * *",
        "stdm_source_schema_schedule": "30 1 * * *",
    }
    assert {each["executionTimezone"] for each in schedules.values()} == {"UTC"}


def test_a_webhook_hears_of_the_failed_run_from_the_daemon(served: Served) -> None:
    eventually(lambda: served.receiver.came, 90, "the notice")
    (notice,) = served.receiver.notices()
    assert notice["event"] == "run_failed"
    assert notice["asset"] == "stdm/sessions"
    assert notice["partitions"] == [NEVER_HELD]
    assert notice["reason"].startswith(f"sessions of {NEVER_HELD}: nothing is held of it")
    assert served.planted.found_in(served.receiver.came[0]) == []


def test_the_sensors_that_cost_nothing_are_on_and_say_why_they_skip(served: Served) -> None:
    found = served.graphql.ask(SENSORS, s=served.selector)["sensorsOrError"]["results"]
    states = {sensor["name"]: sensor["sensorState"] for sensor in found}
    assert {name: state["status"] for name, state in states.items()} == {
        "stdm_drift_sensor": "RUNNING",
        "stdm_failure_sensor": "RUNNING",
        "stdm_freshness_sensor": "RUNNING",
        "stdm_watermark_sensor": "STOPPED",
    }
    (first, *_) = states["stdm_freshness_sensor"]["ticks"]
    assert first["error"] is None
    assert "late" in first["skipReason"]


def test_graphql_shows_no_canary(served: Served) -> None:
    served.graphql.ask(RUN, r=served.run_id)
    nodes = served.graphql.ask(ASSETS)["assetNodes"]
    assert any("preview" in str(node["assetMaterializations"]) for node in nodes)
    details = served.graphql.ask(RESOURCES, s=served.selector)["allTopLevelResourceDetailsOrError"]
    assert {"platform", "warehouse"} <= {resource["name"] for resource in details["results"]}
    assert len(served.events()) > 50
    said = "\n".join(served.graphql.answers)
    assert served.planted.found_in(said) == []
    assert SECRET not in said


def test_no_file_of_dagster_dbt_or_ours_shows_a_canary(served: Served) -> None:
    assert list(served.home.rglob("*.db")), "the event log is a file"
    folder = served.home.parent
    assert served.planted.found_under([served.home, served.data_dir]) == []
    for log in folder.glob("*.log"):
        assert served.planted.found_in(log.read_bytes()) == []
        assert SECRET not in log.read_text()


def test_the_servers_say_no_warning_of_ours(served: Served) -> None:
    for log in served.home.parent.glob("*.log"):
        lines = log.read_text().splitlines()
        bad = [line for line in lines if "Warning" in line or "Traceback" in line]
        assert [line for line in bad if "stdm" in line or "Beta" in line] == []
