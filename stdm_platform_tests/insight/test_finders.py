"""Finders: what they find, what they leave, and totals that no limit caps."""

from __future__ import annotations

from pathlib import Path

import pytest

from stdm_platform.errors import ArgumentError, NotExtractedError
from stdm_platform.insight import Filters, Scope, find_failed_sessions, find_sessions
from stdm_platform.insight.finders import OUTCOMES
from stdm_platform.lake import Lake
from stdm_platform.marts import DBT_PROJECT, MartStore
from stdm_platform_tests.insight.mart_tables import Row, marts_with, session
from stdm_platform_tests.marts.lakes import DAY, NEXT, hold


def said(key: str, definition: str, outcome: str | None, **more: object) -> Row:
    row = {"session_id": key, "definition": definition, "definition_version": "v1"}
    return {**row, "outcome": outcome, "reason": "x", **more}


def event(key: str, kind: str, **more: object) -> Row:
    row = {"session_id": key, "event_kind": kind, "event_id": "e", "event_at": f"{DAY} 10:00:00+00"}
    return {**row, **more}


def step(key: str, name: str, error: str | None = None, **more: object) -> list[Row]:
    kind = {"event_type": "ACTION_STEP", "name": name, "is_error": error is not None, **more}
    rows = [event(key, "step", **kind, error_text=error)]
    return [*rows, event(key, "error", **kind, error_text=error)] if error else rows


@pytest.fixture
def store(tmp_path: Path) -> MartStore:
    return marts_with(
        tmp_path,
        session_summary=[
            session("quiet", duration_ms=60_000),
            session("handed over", duration_ms=1_000, channel="Voice"),
            session("broken", error_count=2, duration_ms=None),
            session("judged", NEXT),
            session("preview", is_preview=True, error_count=1),
            session("untold", error_count=None),
            session("other", agent_name="Other", error_count=1),
        ],
        session_outcome=[
            said("quiet", "session_end_step", "deflected"),
            said("quiet", "containment", "escalated"),  # derived: no sign of its own
            said("handed over", "session_end_step", "escalated"),
            said("handed over", "router", "escalated"),
            said("judged", "judge", "abandoned", session_date=NEXT),
            said("broken", "session_end_step", None),
        ],
        session_timeline=[
            event("quiet", "turn", topic="Orders"),
            event("broken", "turn", topic="Order_Returns"),
            *step("quiet", "Orders.GetOrder"),
            *step("broken", "GetOrder", "Request TIMED out"),
            *step("handed over", "Orders.GetOrderStatus", "100%_sure"),
            *step("handed over", "GetOrder"),
            event("judged", "step", event_type="LLM_STEP", name="GetOrder", session_date=NEXT,
                  is_error=False),
        ],
    )  # fmt: skip


def found(store: MartStore, **filters: object) -> list[str]:
    rows = find_sessions(store, Scope(), Filters(**filters)).rows  # type: ignore[arg-type]
    return sorted(rows["session_id"].to_list())


def test_a_failed_session_is_one_with_a_sign_or_an_error_and_says_which(store: MartStore) -> None:
    failed = find_failed_sessions(store, Scope(agent="Desk"))
    reasons = dict(failed.rows.select("session_id", "reasons").rows())
    assert reasons == {
        "handed over": "router: escalated, session_end_step: escalated",
        "broken": "failed steps: 2",
        "judged": "judge: abandoned",
        "preview": "failed steps: 1",
    }
    assert failed.total == 4
    assert failed.facts == {"sessions": 6, "unknown_sessions": 3}
    assert failed.rows["session_id"][0] == "judged"  # the newest


def test_a_total_is_of_all_whatever_the_limit(store: MartStore) -> None:
    few = find_failed_sessions(store, Scope(), 1)
    assert (few.rows.height, few.total) == (1, 5)
    assert find_failed_sessions(store, Scope(), None).rows.height == 5
    none = find_sessions(store, Scope(), Filters(), 0)
    assert (none.rows.height, none.total) == (0, 7)
    with pytest.raises(ArgumentError):
        find_sessions(store, Scope(), Filters(), -1)


def test_names_are_whole_names_without_regard_to_case(store: MartStore) -> None:
    assert found(store, topic="orders") == ["quiet"]
    assert found(store, action="getorder") == ["broken", "handed over", "quiet"]
    assert found(store, action="Orders.GetOrder") == ["quiet"]
    assert found(store, channel="voice") == ["handed over"]
    assert found(store, action="nothing") == []


def test_error_text_is_searched_as_it_is_written(store: MartStore) -> None:
    assert found(store, error="timed out") == ["broken"]
    assert found(store, error="%_") == ["handed over"]
    assert found(store, error="' or 1=1 --") == []


def test_all_filters_have_to_hold(store: MartStore) -> None:
    assert found(store, action="getorder", topic="orders") == ["quiet"]
    assert found(store, action="getorder", error="timed", topic="orders") == []


def test_an_error_beside_an_action_is_an_error_of_that_action(store: MartStore) -> None:
    assert found(store, action="getorder", error="timed") == ["broken"]
    assert found(store, action="getorder", error="100%") == []
    assert found(store, action="getorderstatus", error="100%") == ["handed over"]


def test_a_duration_has_both_its_bounds_and_is_not_guessed(store: MartStore) -> None:
    assert found(store, min_seconds=60) == ["quiet"]
    assert found(store, max_seconds=1) == ["handed over"]
    assert found(store, min_seconds=0.5, max_seconds=60) == ["handed over", "quiet"]


def test_an_outcome_is_of_any_definition_or_of_the_one_that_was_named(store: MartStore) -> None:
    assert found(store, outcome="escalated") == ["handed over", "quiet"]
    assert found(store, outcome="escalated", definition="session_end_step") == ["handed over"]
    unknown = ["broken", "other", "preview", "untold"]
    assert found(store, outcome="unknown") == unknown
    assert "judged" in found(store, outcome="unknown", definition="session_end_step")


@pytest.mark.parametrize(
    "filters",
    [
        {"outcome": "resolved"},
        {"outcome": "abandoned", "definition": "router"},
        {"outcome": "escalated", "definition": "nothing"},
    ],
)
def test_an_outcome_that_nobody_can_say_is_refused_with_the_choices(
    store: MartStore, filters: dict[str, str]
) -> None:
    with pytest.raises(ArgumentError, match="Choose from"):
        found(store, **filters)


def test_the_range_bounds_the_days_of_the_events_too(store: MartStore) -> None:
    rows = find_sessions(store, Scope(since=NEXT), Filters(action="getorder")).rows
    assert rows.is_empty()
    assert find_sessions(store, Scope(since=NEXT), Filters()).total == 1


def test_error_texts_that_were_not_asked_for_are_no_answer(tmp_path: Path) -> None:
    untold = event("s", "step", event_type="ACTION_STEP", name="A", is_error=None)
    store = marts_with(tmp_path, session_summary=[session("s")], session_timeline=[untold])
    with pytest.raises(NotExtractedError, match="error texts"):
        found(store, error="x")
    assert found(store, action="a") == ["s"]


@pytest.mark.parametrize(
    "filters", [{"topic": "x"}, {"action": "x"}, {"error": "x"}, {"outcome": "unknown"}]
)
def test_a_filter_on_what_was_never_extracted_is_no_answer(
    tmp_path: Path, filters: dict[str, str]
) -> None:
    store = marts_with(tmp_path, session_summary=[session("s")])
    hold(Lake(tmp_path), "sessions")
    with pytest.raises(NotExtractedError, match="never extracted"):
        found(store, **filters)
    with pytest.raises(NotExtractedError, match="never extracted"):
        find_failed_sessions(store, Scope())
    assert found(store) == ["s"]


@pytest.mark.parametrize(
    "filters",
    [{"definition": "judge", "outcome": "escalated"}, {"definition": "judge", "outcome": "unknown"},
     {"outcome": "ambiguous"}, {"outcome": "high"}],
)  # fmt: skip
def test_an_outcome_that_no_definition_could_tell_is_no_answer(
    tmp_path: Path, filters: dict[str, str]
) -> None:
    """Without tags the judge never says anything: none found would be a zero that nobody counted."""
    outcomes = [
        said("s", "judge", None, reason="not_extracted"),
        said("s", "quality_score", None, reason="not_extracted"),
        said("s", "session_end_step", "escalated", reason="CLOSED_TRANSFERRED"),
    ]
    store = marts_with(tmp_path, session_summary=[session("s")], session_outcome=outcomes)
    with pytest.raises(NotExtractedError, match="tag_associations were never extracted"):
        found(store, **filters)
    assert found(store, outcome="escalated") == ["s"]


def test_no_hits_have_the_columns_and_types_of_hits(store: MartStore) -> None:
    """A16: what was empty had other types, and no program could join it."""
    for finder in (
        find_failed_sessions,
        lambda store, scope: find_sessions(store, scope, Filters()),
    ):
        hits, none = finder(store, Scope()).rows, finder(store, Scope(agent="nobody")).rows
        assert (none.height, none.schema) == (0, hits.schema)
        assert hits.height > 0


def test_every_definition_of_the_model_is_known_to_the_finder() -> None:
    model = (DBT_PROJECT / "marts" / "session_outcome.sql").read_text()
    for definition, outcomes in OUTCOMES.items():
        assert f"'{definition}'" in model
        for outcome in outcomes:
            if definition not in ("end_type", "session_end_step"):  # of intermediate models
                assert f"'{outcome}'" in model, (definition, outcome)
