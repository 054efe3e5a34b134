"""A range of days of which one is refused: by Dagster, by the command, and when it is mended."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import dagster as dg
import pytest
from dagster import DagsterEventType

from stdm_platform.catalog import dmo
from stdm_platform.orchestration.instance import instance_at
from stdm_platform.sandbox import SandboxHandle
from stdm_platform_tests.changed_rows import changed_rows
from stdm_platform_tests.end_to_end.command import Ended, Stdm
from stdm_platform_tests.end_to_end.conftest import DAYS, RANGE, user_of
from stdm_platform_tests.end_to_end.facts import (
    all_marts,
    assert_same_marts,
    lake_checksums,
    lake_counts,
)
from stdm_platform_tests.session_objects import SESSION_DMOS

BAD = DAYS[1]
GOOD = [day for day in DAYS if day != BAD]
KEY = dg.AssetKey(["stdm", "messages"])

RUN = """
import json, sys
from datetime import date
from stdm_platform.definitions import defs
from stdm_platform.orchestration.launch import run_range
report = run_range(defs.resolve_job_def("stdm_daily"), *map(date.fromisoformat, sys.argv[1:]))
print(json.dumps([report.run_id, report.success, report.reasons]))
"""


@dataclass(frozen=True)
class Told:
    """What Dagster's event log says of one run."""

    run_id: str
    success: bool
    reasons: list[str]
    materialized: dict[str, list[str]]
    evaluations: dict[str, bool]
    metadata: dict[str, dict[str, object]]


@dataclass(frozen=True)
class Story:
    """A Dagster run and then the command, on one directory, while one day was bad."""

    stdm: Stdm
    count: int
    run: Told
    counts_after_run: dict[tuple[str, date], int]
    ended: Ended


@pytest.fixture(scope="module")
def story(one_org: SandboxHandle, tmp_path_factory: pytest.TempPathFactory, home: Path) -> Story:
    stdm = user_of(one_org, tmp_path_factory.mktemp("range"), home)
    with changed_rows(one_org, "messages"):
        entry = dmo("messages")
        table, clock, key = entry.objects[0], entry[entry.clock].source, entry[entry.key].source
        one_org.execute(
            f'INSERT INTO "{table}" FROM "{table}" WHERE {clock}::date = date \'{BAD}\' '
            f"ORDER BY {key} LIMIT 4"
        )
        run = dagster_run(stdm)
        counts = lake_counts(stdm.data_dir)
        ended = stdm("extract", *RANGE)
    return Story(stdm, 4, run, counts, ended)


def dagster_run(stdm: Stdm) -> Told:
    home = stdm.data_dir / "dagster"
    home.mkdir(parents=True)
    done = subprocess.run(
        [sys.executable, "-c", RUN, str(DAYS[0]), str(DAYS[-1])],
        cwd=stdm.cwd,
        env={**stdm.environment, "DAGSTER_HOME": str(home), "STDM_START_DATE": str(DAYS[0])},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    run_id, success, reasons = json.loads(done.stdout.splitlines()[-1])
    materialized: dict[str, list[str]] = {}
    evaluations: dict[str, bool] = {}
    metadata: dict[str, dict[str, object]] = {}
    with instance_at(home) as instance:
        for entry in instance.all_logs(run_id):
            event = entry.dagster_event
            if event is None:
                continue
            if event.event_type is DagsterEventType.ASSET_MATERIALIZATION:
                key = event.asset_key.to_user_string()
                materialized.setdefault(key, []).append(str(event.partition))
            if event.event_type is DagsterEventType.ASSET_CHECK_EVALUATION:
                said = event.asset_check_evaluation_data
                if said.asset_key == KEY and said.check_name == "contract" and said.partition:
                    evaluations[said.partition] = said.passed
                    metadata[said.partition] = {
                        name: value.value for name, value in said.metadata.items()
                    }
    return Told(run_id, success, reasons, materialized, evaluations, metadata)


def test_the_run_materializes_the_good_days_and_not_the_refused_one(story: Story) -> None:
    assert sorted(story.run.materialized["stdm/messages"]) == [str(day) for day in GOOD]
    for entry in SESSION_DMOS:
        if entry.name != "messages":
            found = sorted(story.run.materialized[f"stdm/{entry.name}"])
            assert found == [str(day) for day in DAYS]
    held = {day for name, day in story.counts_after_run if name == "messages"}
    assert held == set(GOOD)


def test_the_run_fails_and_names_the_refused_day(story: Story) -> None:
    assert not story.run.success
    assert f"messages of {BAD}" in " ".join(story.run.reasons)


def test_each_day_has_an_evaluation_of_its_own(story: Story) -> None:
    assert story.run.evaluations == {str(day): day != BAD for day in DAYS}
    said = str(story.run.metadata[str(BAD)]["contract"])
    source = dmo("messages")["message_id"].source
    assert f"messages of {BAD}: {source}: {story.count} " in said


def test_the_command_publishes_the_good_days_and_names_the_refused_one(story: Story) -> None:
    assert story.ended.code == 1
    assert f"messages of {BAD}" in story.ended.messages.splitlines()[-1]
    held = {day for name, day in lake_counts(story.stdm.data_dir) if name == "messages"}
    assert held == set(GOOD)


def test_the_marts_of_the_good_days_are_built_and_when_it_is_mended_all_are_right(
    story: Story, held: Stdm
) -> None:
    sessions = all_marts(story.stdm.data_dir)["session_summary"]
    assert sorted(set(sessions["session_date"])) == GOOD
    story.stdm("extract", *RANGE).succeeded()
    assert lake_checksums(story.stdm.data_dir) == lake_checksums(held.data_dir)
    assert_same_marts(all_marts(story.stdm.data_dir), all_marts(held.data_dir))
