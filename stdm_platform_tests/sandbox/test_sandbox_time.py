"""The org's clock, its cache and its bill, as clients and tests meet them over HTTP."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from stranger import Stranger
from typer.testing import CliRunner

from stdm_platform.cli.sandbox import sandbox as sandbox_commands
from stdm_platform.errors import ArgumentError
from stdm_platform.sandbox import SandboxHandle, SandboxOptions, read_env_file, running

START = datetime(2026, 1, 14, tzinfo=UTC)
NOON = START + timedelta(hours=12)
LATER = START + timedelta(days=9)
STEPS = "ssot__AIAgentInteractionStep__dlm"
COUNT = f"SELECT count(*) FROM {STEPS}"
MORNING = (
    f"SELECT ssot__Id__c FROM {STEPS} WHERE ssot__StartTimestamp__c >= '2026-01-14T08:00:00Z' "
    "AND ssot__StartTimestamp__c < '2026-01-14T10:00:00Z'"
)


@pytest.fixture(scope="module")
def one_org(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SandboxHandle]:
    path = tmp_path_factory.mktemp("it's an org")  # a shell has to read this path
    options = SandboxOptions(path, days=1, sessions_per_day=120, clock=START)
    with running(options) as handle:
        yield handle


@pytest.fixture
def org(one_org: SandboxHandle) -> Iterator[SandboxHandle]:
    one_org.set_clock(START, speed=0)
    yield one_org
    one_org.change_settings(cache_results=False, billing="window", longest_lag_hours=None)


@pytest.fixture
def stranger(org: SandboxHandle) -> Stranger:
    return Stranger(org.env).log_in()


def billed(stranger: Stranger, sql: str) -> tuple[int, int]:
    """Rows processed, as Connect and as V3 tell."""
    answer = stranger.connect(json={"sql": sql}).json()
    _, status = stranger.v3_submit(sql)
    by_v3 = stranger.v3_finished(status)["executionStats"]["rowsProcessed"]
    return answer["status"]["executionStats"]["rowsProcessed"], by_v3


def test_rows_appear_as_the_clock_moves_on(org: SandboxHandle, stranger: Stranger) -> None:
    assert org.clock() == START
    assert stranger.connect_rows(COUNT) == [[0]]
    assert org.advance(timedelta(hours=12)) == NOON
    by_noon = stranger.connect_rows(COUNT)
    assert stranger.v3_rows_by_chunk(COUNT) == by_noon
    told = org.execute(f"SELECT count(*) FROM truth.steps_at('{NOON.isoformat()}')")
    assert by_noon == told
    assert org.set_clock(LATER) == LATER
    everything = org.execute(f'SELECT count(*) FROM "{STEPS}"')
    assert everything[0][0] > by_noon[0][0] > 0
    assert stranger.connect_rows(COUNT) == everything
    assert org.sql_log()[-1]["clock"] == "2026-01-23T00:00:00Z"


def test_a_clock_can_run_and_be_taken_off(org: SandboxHandle, stranger: Stranger) -> None:
    org.set_clock(START, speed=36_000)
    time.sleep(0.2)
    first, second = org.clock(), org.clock()
    assert first is not None
    assert second is not None
    assert START + timedelta(hours=2) <= first < second
    assert org.set_clock(None) is None
    assert stranger.connect_rows(COUNT) == org.execute(f'SELECT count(*) FROM "{STEPS}"')
    with pytest.raises(ArgumentError, match="no clock"):
        org.advance(timedelta(1))


def test_the_clock_control_refuses_nonsense(org: SandboxHandle, stranger: Stranger) -> None:
    for body in ({"now": "soon"}, {"pace": 2}, []):
        answer = stranger.http.put("/sandbox/control/clock", json=body)
        assert answer.status_code == 400
        assert answer.json()["error"].endswith(".")
    assert stranger.http.get("/sandbox/control/clock").json() == {
        "now": "2026-01-14T00:00:00Z",
        "speed": 0.0,
    }


def test_a_client_cannot_read_the_truth_or_the_clock(stranger: Stranger) -> None:
    for sql in ("SELECT * FROM truth.steps", "SELECT getvariable('org_now')"):
        assert stranger.connect(json={"sql": sql}).status_code == 400


def test_the_same_sql_keeps_the_answer_of_its_first_asking(
    org: SandboxHandle, stranger: Stranger
) -> None:
    org.change_settings(cache_results=True)
    since = f"{COUNT} WHERE ssot__StartTimestamp__c >= ?"
    given = [{"type": "TimestampTZ", "value": "2026-01-14T01:00:00Z"}]
    org.set_clock(NOON)
    first = stranger.connect_rows(COUNT)
    with_parameter = stranger.connect_rows(since, given)
    org.advance(timedelta(hours=23))
    assert stranger.connect_rows(COUNT) == first
    assert stranger.connect_rows(since, given) == with_parameter
    # Another literal, another parameter: a fresh answer, as the clock has it now.
    fresh = stranger.connect_rows(f"{COUNT} WHERE ssot__StartTimestamp__c < '2026-01-30'")
    given[0]["value"] = "2026-01-14T00:00:00Z"
    assert stranger.connect_rows(since, given) == fresh
    assert fresh[0][0] > first[0][0]
    org.advance(timedelta(hours=1))  # the cache keeps an answer for 24 h
    assert stranger.connect_rows(COUNT)[0][0] >= fresh[0][0]
    org.set_clock(START)  # a clock put back has not given any answer yet
    assert stranger.connect_rows(COUNT) == [[0]]


def test_rows_are_billed_by_window_or_by_object(org: SandboxHandle, stranger: Stranger) -> None:
    org.set_clock(NOON)
    rows = len(stranger.connect_rows(MORNING))
    visible = stranger.connect_rows(COUNT)[0][0]
    assert 0 < rows < visible
    assert billed(stranger, MORNING) == (rows, rows)
    org.change_settings(billing="object")
    assert billed(stranger, MORNING) == (visible, visible)
    twice = f"SELECT count(*) FROM ({MORNING}) a JOIN ({MORNING} AND 1 = 1) b USING (ssot__Id__c)"
    assert billed(stranger, twice) == (2 * visible, 2 * visible)
    assert billed(stranger, f"{MORNING} LIMIT 0") == (0, 0)
    with pytest.raises(ArgumentError, match="billing"):
        org.change_settings(billing="credits")
    assert org.change_settings()["billing"] == "object"


def test_the_longest_lag_can_be_changed_while_it_runs(org: SandboxHandle) -> None:
    latest = "SELECT max(epoch(lands_at - ssot__StartTimestamp__c)) / 3600 FROM truth.steps"
    assert org.execute(latest)[0][0] < 168
    org.change_settings(longest_lag_hours=1)
    assert org.execute(latest)[0][0] <= 1
    with pytest.raises(ArgumentError, match="longest-lag"):
        org.change_settings(longest_lag_hours=-1)


def test_a_shell_can_source_the_settings_file(org: SandboxHandle) -> None:
    file = org.data_dir / "sandbox.env"
    assert " " in str(file)
    script = 'set -a; . "$1"; printf %s "$STDM_PRIVATE_KEY_FILE"'
    done = subprocess.run(
        ["sh", "-c", script, "sh", str(file)], capture_output=True, text=True, check=True
    )
    assert done.stdout == org.env["STDM_PRIVATE_KEY_FILE"]
    assert Path(done.stdout).is_file()
    assert read_env_file(file) == org.env


def test_with_a_clock_the_first_day_is_the_clocks(tmp_path: Path) -> None:
    made = SandboxOptions(tmp_path, days=30, clock=START + timedelta(hours=3))
    assert made.checked(now=NOON).end == date(2026, 2, 12)
    assert (
        SandboxOptions(tmp_path, end=date(2030, 1, 1), clock=START).checked().last_day.year == 2030
    )


def test_the_command_passes_its_flags_on(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    given: list[SandboxOptions] = []
    monkeypatch.setattr("stdm_platform.sandbox.serve", given.append)
    words = [
        "serve", f"--data={tmp_path}", "--clock=2026-01-14", "--clock-speed=600",
        "--longest-lag-hours=200", "--billing=object", "--cache-results",
    ]  # fmt: skip
    assert CliRunner().invoke(sandbox_commands, words).exit_code == 0
    wanted: dict[str, Any] = {
        "clock": START, "clock_speed": 600.0, "longest_lag_hours": 200.0, "billing": "object",
        "cache_results": True,
    }  # fmt: skip
    assert {name: getattr(given[0], name) for name in wanted} == wanted
