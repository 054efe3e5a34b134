"""Actions: each figure by hand, on the smallest rows in which a wrong formula would differ."""

from __future__ import annotations

from pathlib import Path

import pytest

from stdm_platform.errors import NotExtractedError
from stdm_platform.insight import Scope, action_overview, step_overview
from stdm_platform.lake import Lake
from stdm_platform_tests.insight.mart_tables import Row, marts_with, session, sketch
from stdm_platform_tests.marts.lakes import DAY, NEXT, hold

KINDS = ("timeout", "access", "not_found", "limit", "input", "other")


def calls(name: str, durations: list[int], **more: object) -> Row:
    row = {"action_name": name, "calls": len(durations), "sessions": 1, "timed_calls": len(durations),
           "error_count": 0, "unknown_error_count": 0, "slow_calls": 0, "max_ms": max(durations),
           "duration_sketch": sketch(*durations), **{f"{kind}_errors": 0 for kind in KINDS}}  # fmt: skip
    return {**row, **more}


def test_percentiles_of_days_come_from_all_their_calls_and_not_from_their_percentiles(
    tmp_path: Path,
) -> None:
    """The mean of the two days' medians is 5,050 ms; the true median of the 11 calls is 100 ms."""
    store = marts_with(
        tmp_path,
        action_summary=[
            calls("A", [100] * 10),
            calls("A", [10_000], session_date=NEXT, slow_calls=0),
        ],
    )
    (row,) = action_overview(store, Scope()).to_dicts()
    assert row["calls"] == 11
    assert row["p50_ms"] == pytest.approx(100, rel=0.01)
    assert row["p99_ms"] == pytest.approx(10_000, rel=0.01)
    assert row["max_ms"] == 10_000


def test_an_error_share_is_of_the_calls_that_can_be_told(tmp_path: Path) -> None:
    store = marts_with(
        tmp_path,
        action_summary=[
            calls("A", [1, 1], error_count=1, timeout_errors=1),
            calls("A", [1, 1], session_date=NEXT, error_count=None, unknown_error_count=2),
        ],
    )
    (row,) = action_overview(store, Scope()).to_dicts()
    assert (row["calls"], row["error_count"], row["unknown_error_count"]) == (4, 1, 2)
    assert row["error_share"] == 0.5
    assert row["timeout_errors"] == 1


def test_errors_of_which_none_can_be_told_are_unknown(tmp_path: Path) -> None:
    untold = calls("A", [1], error_count=None, unknown_error_count=1)
    (row,) = action_overview(marts_with(tmp_path, action_summary=[untold]), Scope()).to_dicts()
    assert (row["error_count"], row["error_share"]) == (None, None)


def test_actions_without_an_end_have_no_time(tmp_path: Path) -> None:
    timeless = calls("A", [1], timed_calls=0, duration_sketch={}, max_ms=None)
    (row,) = action_overview(marts_with(tmp_path, action_summary=[timeless]), Scope()).to_dicts()
    assert (row["calls"], row["p50_ms"], row["max_ms"]) == (1, None, None)


def test_one_agent_one_day_and_no_previews_are_what_was_asked_for(tmp_path: Path) -> None:
    store = marts_with(
        tmp_path,
        action_summary=[
            calls("A", [1]),
            calls("A", [1, 1], agent_name="Other"),
            calls("A", [1, 1, 1], is_preview=True),
            calls("A", [1, 1, 1, 1], session_date=NEXT),
        ],
    )
    scope = Scope(since=DAY, until=NEXT, agent="Desk")
    assert action_overview(store, scope)["calls"].to_list() == [1]
    assert action_overview(store, Scope(agent="Desk", previews=True))["calls"].to_list() == [8]
    assert action_overview(store, Scope(agent="nobody")).is_empty()


def test_steps_of_one_type_and_name_are_one_row_over_all_agents(tmp_path: Path) -> None:
    row = {**calls("A", [5]), "step_type": "LLM_STEP", "step_name": "agent_router"}
    del row["action_name"]
    store = marts_with(tmp_path, step_summary=[row, {**row, "agent_name": "Other"}])
    (found,) = step_overview(store, Scope()).to_dicts()
    assert (found["step_type"], found["step_name"], found["calls"]) == (
        "LLM_STEP",
        "agent_router",
        2,
    )


def test_steps_that_were_never_extracted_are_no_zero(tmp_path: Path) -> None:
    store = marts_with(tmp_path, session_summary=[session("s"), session("n", NEXT)])
    lake = Lake(tmp_path)
    for name in ("sessions", "interactions"):
        hold(lake, name)
    with pytest.raises(NotExtractedError, match="steps were never extracted") as caught:
        action_overview(store, Scope())
    assert "--table steps" in str(caught.value)
    hold(lake, "steps")
    assert action_overview(store, Scope()).is_empty()
