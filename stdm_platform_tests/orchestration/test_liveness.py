"""A run whose process was killed is ended by the next tick, and what it left is asked for again."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import dagster as dg
import pytest

from stdm_platform.orchestration import dmo_assets, liveness
from stdm_platform.orchestration.liveness import (
    alive,
    end_runs_that_are_gone,
    is_gone,
    show_alive,
)
from stdm_platform.orchestration.partitions import daily_partitions
from stdm_platform.orchestration.resources import Platform
from stdm_platform_tests.session_objects import SESSION_DMOS

HOLD = """
import sys, time
from pathlib import Path
from stdm_platform.orchestration.liveness import alive
with alive(Path(sys.argv[1]), sys.argv[2]):
    print("held", flush=True)
    time.sleep(60)
"""


@pytest.fixture
def started(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[dg.DagsterInstance, str]:
    """An instance with a run that has started."""
    monkeypatch.setattr(liveness, "YOUNG_SECONDS", 0)
    instance = dg.DagsterInstance.ephemeral()
    run = dg.DagsterRun(job_name="stdm_daily", status=dg.DagsterRunStatus.STARTED)
    return instance, instance.add_run(run).run_id


def test_a_killed_process_is_gone_and_a_living_one_is_not(
    started: tuple[dg.DagsterInstance, str], tmp_path: Path
) -> None:
    instance, run_id = started
    command = [sys.executable, "-c", HOLD, str(tmp_path), run_id]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        assert end_runs_that_are_gone(instance, tmp_path) == []
        os.kill(process.pid, signal.SIGKILL)
    assert end_runs_that_are_gone(instance, tmp_path) == [
        f"Run {run_id[:8]} is ended: its process is gone."
    ]
    ended = instance.get_run_by_id(run_id)
    assert ended is not None
    assert ended.status is dg.DagsterRunStatus.FAILURE
    assert end_runs_that_are_gone(instance, tmp_path) == []
    assert list((tmp_path / "locks" / "runs").iterdir()) == []


def test_a_run_that_ended_leaves_no_lock_and_one_without_a_lock_is_left_alone(
    started: tuple[dg.DagsterInstance, str], tmp_path: Path
) -> None:
    instance, run_id = started
    with alive(tmp_path, run_id):
        assert not is_gone(tmp_path, run_id)
    assert not is_gone(tmp_path, run_id)
    assert end_runs_that_are_gone(instance, tmp_path) == []


def test_a_lock_file_that_was_just_made_is_not_looked_at(tmp_path: Path) -> None:
    folder = tmp_path / "locks" / "runs"
    folder.mkdir(parents=True)
    path = folder / "a-run.lock"
    path.touch()
    assert not is_gone(tmp_path, "a-run")
    os.utime(path, (time.time() - 60,) * 2)
    assert is_gone(tmp_path, "a-run")


def test_a_run_holds_its_lock_from_its_first_step_until_another_begins(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(liveness, "YOUNG_SECONDS", 0)
    folder = tmp_path / "locks" / "runs"
    for _ in range(2):
        show_alive(tmp_path, "first")
        assert [path.stem for path in folder.iterdir()] == ["first"]
        assert not is_gone(tmp_path, "first")
    show_alive(tmp_path, "second")
    assert [path.stem for path in folder.iterdir()] == ["second"]


def test_the_steps_of_assets_show_their_run_as_alive(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown: list[str] = []
    monkeypatch.setenv("STDM_DATA_DIR", str(tmp_path))
    monkeypatch.setattr(dmo_assets, "show_alive", lambda data_dir, run_id: shown.append(run_id))
    result = dg.materialize(
        [dmo_assets.dmo_asset(SESSION_DMOS[0], daily_partitions(None))],
        instance=dg.DagsterInstance.ephemeral(), resources={"platform": Platform()},
        partition_key="2026-01-14", raise_on_error=False,
    )  # fmt: skip
    assert not result.success, "no org is named"
    assert shown == [result.run_id]
