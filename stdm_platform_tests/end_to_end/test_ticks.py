"""`stdm extract-incremental` and `stdm status`, and what the commands show before they ask."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from stdm_platform.sandbox import SandboxHandle
from stdm_platform_tests.end_to_end.command import Stdm
from stdm_platform_tests.end_to_end.conftest import FIRST
from stdm_platform_tests.session_objects import SESSION_DMOS

FIRST_TICK, NEXT_TICK = f"{FIRST}T10:20:00Z", f"{FIRST}T11:20:00Z"


@pytest.fixture
def ticking(stdm: Stdm, org: SandboxHandle) -> Stdm:
    org.sql_log(clear=True)
    return stdm.with_variables(STDM_START_DATE=str(FIRST))


def windows_asked(org: SandboxHandle) -> list[str]:
    """The object and the window of each query for rows."""
    return [
        f"{entry['sql'].split('FROM')[1].split('WHERE')[0]} {entry['parameters']}"
        for entry in org.sql_log()
        if "CAST(?" in entry["sql"]
    ]


def state(stdm: Stdm, now: str) -> dict[str, dict[str, Any]]:
    said = stdm("status", "--format", "json", "--now", now).succeeded().json()
    return {row["table"]: row for row in said}


def test_ticks_at_once_read_each_window_once_and_the_next_only_what_is_new_since(
    ticking: Stdm, org: SandboxHandle, tmp_path: Path
) -> None:
    untouched = ticking.with_variables(STDM_DATA_DIR=str(tmp_path / "not there"))
    shown = untouched("extract-incremental", "--now", FIRST_TICK, "--dry-run").succeeded()
    assert f"{FIRST}T10:05:00.000Z" in shown.out
    assert '"ssot__AIAgentSession__dlm"' in shown.out
    assert org.sql_log() == [], "a dry run asks nothing"
    assert not untouched.data_dir.exists()
    with ThreadPoolExecutor(2) as pool:
        words = ("extract-incremental", "--now", FIRST_TICK)
        ended = list(pool.map(lambda _: ticking(*words).succeeded(), range(2)))
    assert "1 new" in ended[0].out + ended[1].out
    assert "Marts of 1 session days" in ended[0].messages + ended[1].messages
    asked = windows_asked(org)
    assert len(asked) == len(set(asked)) == len(SESSION_DMOS)
    org.sql_log(clear=True)
    assert "No window is due" in ticking("extract-incremental", "--now", FIRST_TICK).messages
    assert org.sql_log() == []
    held = state(ticking, FIRST_TICK)
    assert {row["readings"] for row in held.values()} == {1}
    assert held["sessions"]["frontier"] == f"{FIRST}T10:05:00.000Z"
    assert held["sessions"]["watermark"] == f"{FIRST}T00:00:00.000Z"
    assert held["sessions"]["rows_processed"] == held["sessions"]["rows"] > 0
    assert {row["mart_days_due"] for row in held.values()} == {0}
    shown = ticking("extract-incremental", "--now", NEXT_TICK, "--dry-run").succeeded()
    assert "again +1 h" in shown.out


def test_a_daily_budget_stops_a_tick_and_says_so(ticking: Stdm, org: SandboxHandle) -> None:
    tick = ("extract-incremental", "--now", FIRST_TICK, "--dry-run")
    said = ticking(*tick, STDM_DAILY_ROW_BUDGET="1000").succeeded().messages
    assert "6 windows" in said
    assert "STDM_DAILY_ROW_BUDGET" in ticking(*tick, STDM_DAILY_ROW_BUDGET="0").messages


def test_more_than_31_days_are_not_read_unasked(ticking: Stdm, org: SandboxHandle) -> None:
    ended = ticking("extract", "--since", "2025-12-01", "--until", "2026-01-15", "--now", NEXT_TICK)
    assert ended.code == 4
    assert "45 days of 6 objects" in ended.messages
    assert "--yes" in ended.messages
    shown = ticking(
        "extract", "--days", "45", "--table", "sessions", "--now", NEXT_TICK, "--dry-run"
    )
    assert shown.succeeded().out.count("asked") == 45
    assert org.sql_log() == []


def test_the_state_of_an_empty_directory_is_told(stdm: Stdm) -> None:
    held = state(stdm, FIRST_TICK)
    assert set(held) == {dmo.name for dmo in SESSION_DMOS}
    assert held["moments"]["frontier"] is None
    assert held["moments"]["settled_share"] == 0
