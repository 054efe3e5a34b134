"""`stdm drift`: exit codes, formats, what stands first, what is left out; without any org."""

from __future__ import annotations

import io
import json
import os
from pathlib import Path

import polars as pl
import pytest

from stdm_platform.catalog import dmo
from stdm_platform.cli import run
from stdm_platform.extraction.schemas import keep
from stdm_platform.guard import SeenColumn
from stdm_platform.lake import Lake
from stdm_platform.marts import lineage
from stdm_platform_tests.guard.looks import look

SESSIONS, STEPS = dmo("sessions"), dmo("steps")


@pytest.fixture
def lake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Lake:
    for name in [each for each in os.environ if each.startswith("STDM_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("STDM_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setattr(lineage, "marts_of_dmos", lambda data_dir: {"steps": ("a_mart", "b_mart")})
    return Lake(tmp_path / "data")


def with_drifts(lake: Lake) -> None:
    keep(lake, look(SESSIONS))
    keep(lake, look(SESSIONS, day=1, more=[SeenColumn("ssot__Mood__c", "Varchar")]))
    keep(lake, look(STEPS))
    keep(lake, look(STEPS, day=2, without=["started_at", "step_name"]))


def test_a_directory_that_knows_nothing_is_exit_3_with_what_to_run(
    lake: Lake, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["drift"]) == 3
    assert "stdm drift --probe" in capsys.readouterr().err


def test_no_drift_is_an_empty_list_and_exit_0(
    lake: Lake, capsys: pytest.CaptureFixture[str]
) -> None:
    keep(lake, look(SESSIONS))
    assert run(["drift", "--format", "json"]) == 0
    assert json.loads(capsys.readouterr().out) == []


def test_drifts_stand_with_what_they_touch_and_blocking_ones_first(
    lake: Lake, capsys: pytest.CaptureFixture[str]
) -> None:
    with_drifts(lake)
    assert run(["drift", "--format", "json"]) == 0
    said = capsys.readouterr()
    found = json.loads(said.out)
    assert [each["severity"] for each in found] == ["block", "warn", "news"]
    assert found[0]["column"] == "ssot__StartTimestamp__c"
    assert found[0]["first_day"] == "2026-01-16"
    assert found[0]["marts"] == "a_mart, b_mart"
    assert 'Column("started_at", …)' in found[0]["action"]
    assert "1 of these block" in said.err


def test_since_leaves_out_what_was_seen_before(
    lake: Lake, capsys: pytest.CaptureFixture[str]
) -> None:
    with_drifts(lake)
    for since, kept in (("2026-01-15", 3), ("2026-01-16", 2), ("2026-01-17", 0)):
        assert run(["drift", "--since", since, "--format", "json"]) == 0
        assert len(json.loads(capsys.readouterr().out)) == kept
    assert run(["drift", "--since", "yesterday"]) == 4


def test_one_table_can_be_asked_for(lake: Lake, capsys: pytest.CaptureFixture[str]) -> None:
    with_drifts(lake)
    assert run(["drift", "--table", "sessions", "--format", "json"]) == 0
    assert [each["kind"] for each in json.loads(capsys.readouterr().out)] == ["new_column"]
    assert run(["drift", "--table", "nothing"]) == 4


def test_every_format_holds_all_drifts(
    lake: Lake, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    with_drifts(lake)
    assert run(["drift"]) == 0
    assert capfdbinary.readouterr().out.count(b"ssot__") >= 3
    assert run(["drift", "--format", "csv"]) == 0
    assert pl.read_csv(io.BytesIO(capfdbinary.readouterr().out)).height == 3


def test_probing_without_credentials_says_which_variable_is_missing(
    lake: Lake, capsys: pytest.CaptureFixture[str]
) -> None:
    with_drifts(lake)
    assert run(["drift", "--probe"]) in (2, 4)
    assert "STDM_" in capsys.readouterr().err
