"""Each optional column that an org lacks makes null what is made of it, and changes nothing else.

All absences are days of one lake, so one build of the marts shows them all (see `absences.py`).
"""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from stdm_platform.lake import Lake
from stdm_platform.marts import MartStore, build_marts
from stdm_platform.settings import Settings
from stdm_platform_tests.drift.absences import (
    LETTERS,
    absences,
    as_first_day,
    hold_absences,
    optional,
    read_by_models,
)
from stdm_platform_tests.end_to_end.facts import all_marts
from stdm_platform_tests.parsed import lend_parse
from stdm_platform_tests.session_objects import SESSION_DMOS

Columns = dict[str, set[str]]
SUMMARY = "session_summary"
ENDED: Columns = {
    SUMMARY: {"ended_at", "duration_ms", "completeness", "completeness_reason"},
    "session_completeness": {"*"},
}
AGENTS: Columns = {
    SUMMARY: {"agent_name", "agent_version", "agent_rule", "has_several_agents"},
    "topic_routing": {"*"},
    "topic_summary": {"*"},
}
OUTCOMES: Columns = {
    SUMMARY: {"outcome", "outcome_rule"},
    "topic_summary": {"escalated_sessions", "unknown_outcome_sessions", "rated_escalated_sessions", "escalation_share"},
}  # fmt: skip
TOPICS: Columns = {
    SUMMARY: {"first_topic", "last_topic", "topic_count", "topic_switch_count"},
    "topic_routing": {"*"},
    "topic_summary": {"*"},
}
PREVIEWS: Columns = {
    SUMMARY: {"channel", "is_preview"},
    "session_completeness": {"preview_sessions"},
    "topic_routing": {"preview_sessions"},
    "topic_summary": {"preview_sessions", "rated_escalated_sessions", "escalation_share"},
}


def both(*several: Columns) -> Columns:
    return {
        mart: set().union(*(each.get(mart, set()) for each in several))
        for mart in {mart for each in several for mart in each}
    }


MADE_OF: dict[str, Columns] = {
    "sessions.ended_at": ENDED,
    "sessions.channel_type": PREVIEWS,
    "participants.participant_role": AGENTS,
    "participants.agent_api_name": AGENTS,
    "participants.agent_version_api_name": {SUMMARY: {"agent_version"}},
    "interactions.ended_at": {"topic_summary": {"median_turn_ms", "p95_turn_ms"}},
    "interactions.interaction_type": both(
        TOPICS, ENDED, {SUMMARY: {"turn_count"}, "session_completeness": {"turn_count"}}
    ),
    "interactions.topic_api_name": TOPICS,
    "steps.ended_at": {SUMMARY: {"llm_ms", "action_ms"}},
    "steps.step_type": both(
        OUTCOMES,
        {
            SUMMARY: {"llm_step_count", "action_step_count", "topic_step_count", "llm_ms", "action_ms",
                      "action_error_count"},
            "topic_summary": {"action_step_count", "action_error_count"},
        },
    ),
    "steps.step_name": OUTCOMES,
    "steps.error_message_text": {
        SUMMARY: {"error_count", "action_error_count"}, "topic_summary": {"action_error_count"},
    },
    "messages.message_type": {SUMMARY: {"user_message_count", "agent_message_count"}},
}  # fmt: skip
"""By optional column what of the marts is made of it, checked by hand; of all others nothing is.
`*` is the grain: rows are grouped otherwise."""

SAID: dict[str, set[object]] = {
    "agent_name": {"(unknown)"},
    "agent_rule": {"none", "moment"},
    "first_topic": {"(unknown)"},
    "last_topic": {"(unknown)"},
    "outcome_rule": {"none"},
    "completeness": {"open", "settling", "complete"},
    "completeness_reason": {"no_end", "rows_may_change", "windows_missing"},
}
"""What columns that are never null say instead."""

COUNTS_UNKNOWN = {"unknown_outcome_sessions"}
"""Columns that grow with what is not known."""


KEYS = {
    "turn_latency": ("session_id", "turn_number"),
    "session_outcome": ("session_id", "definition"),
    "agent_daily": ("agent_name", "agent_version", "channel"),
    "quality_daily": ("agent_name", "is_preview", "signal"),
}
"""Marts of which no figure may become a zero, or any other number, where a column is not there."""

MAY_GROW_OR_FALL = {
    "complete_sessions", "unknown_outcome_sessions", "timed_turns", "untimed_step_count", "sessions",
    "judged_sessions", "priced_calls", "calls_with_tokens",
}  # fmt: skip
"""Denominators and counts of what is not known: they say themselves of how much they speak."""


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Marts of one day, held many times over."""
    data_dir = lend_parse(tmp_path_factory.mktemp("absent") / "data")
    lake, wanted = Lake(data_dir), absences()
    hold_absences(lake, list(wanted.values()), sessions=10)
    build_marts(lake, MartStore(data_dir), lake.days("sessions"), Settings())
    return data_dir


@pytest.fixture(scope="module")
def built(data_dir: Path) -> dict[str, dict[str, pl.DataFrame]]:
    """Mart → absence → its rows as they would be on the first day."""
    wanted = absences()
    numbered = {mart: as_first_day(frame) for mart, frame in all_marts(data_dir).items()}
    return {
        mart: {
            name: of_number.get(number, next(iter(of_number.values())).clear())
            for number, name in enumerate(wanted)
        }
        for mart, of_number in numbered.items()
        if of_number
    }


def test_the_table_names_columns_that_are_optional_and_read() -> None:
    read = {f"{dmo.name}.{name}" for dmo in SESSION_DMOS for name in read_by_models(dmo)}
    assert set(MADE_OF) <= read
    assert sum(len(optional(dmo)) for dmo in SESSION_DMOS) > 90
    assert all(f"{name}.{column}" in read for name, of in LETTERS.items() for column in of)


@pytest.mark.parametrize("name", [each for each in absences() if each != "nothing"])
def test_what_is_not_there_is_null_and_nothing_else_differs(
    built: dict[str, dict[str, pl.DataFrame]], name: str
) -> None:
    gone = {} if name == "other letters" else absences()[name]
    columns = [f"{dmo}.{column}" for dmo, of_dmo in gone.items() for column in of_dmo]
    may_differ = both(*(MADE_OF.get(column, {}) for column in columns))
    for mart, frames in built.items():
        expected, found = frames["nothing"], frames[name]
        allowed = may_differ.get(mart, set())
        if "*" in allowed:
            continue
        assert found.height == expected.height > 0
        for column in expected.columns:
            if column not in allowed:
                assert found[column].equals(expected[column]), f"{mart}.{column}"
            elif column not in COUNTS_UNKNOWN:
                _assert_unknown(expected[column], found[column])


def test_each_column_of_the_table_makes_a_difference(
    built: dict[str, dict[str, pl.DataFrame]],
) -> None:
    for name, made in MADE_OF.items():
        assert any(not built[mart][name].equals(built[mart]["nothing"]) for mart in made), name


@pytest.mark.parametrize("mart", KEYS)
def test_no_figure_becomes_another_number_where_a_column_is_missing(
    data_dir: Path, mart: str
) -> None:
    with MartStore(data_dir).connect() as marts:
        rows = marts.sql(f"from {mart} order by session_date, {', '.join(KEYS[mart])}").pl()
    by_day = as_first_day(rows)
    whole, held = by_day[0], 0
    figures = [
        name
        for name, kind in whole.schema.items()
        if (kind.is_numeric() or name == "outcome") and name not in MAY_GROW_OR_FALL
    ]
    for number, name in enumerate(absences()):
        found = by_day.get(number, whole.clear())
        if not found.select(KEYS[mart]).equals(whole.select(KEYS[mart])):
            continue  # grouped otherwise
        held += 1
        for column in figures:
            for before, after in zip(whole[column], found[column], strict=True):
                assert after is None or after == before, f"{name}: {column} {before} -> {after}"
    assert held > 20


def test_turns_and_transitions_are_counted_alike_whoever_answered(
    built: dict[str, dict[str, pl.DataFrame]],
) -> None:
    for name in ("participants.participant_role", "participants.agent_api_name"):
        for mart, count in (("topic_routing", "transitions"), ("topic_summary", "turn_count")):
            frames = built[mart]
            assert frames[name][count].sum() == frames["nothing"][count].sum() > 0


def test_topics_and_turns_that_an_org_does_not_say_are_unknown_and_not_none(
    built: dict[str, dict[str, pl.DataFrame]],
) -> None:
    moves = ["from_topic", "to_topic"]
    for name in ("interactions.interaction_type", "interactions.topic_api_name"):
        summary, routing = built[SUMMARY][name], built["topic_routing"][name]
        talked = summary.filter(built[SUMMARY]["nothing"]["turn_count"] > 0)
        for column in ("topic_count", "topic_switch_count"):
            assert talked[column].null_count() == talked.height > 0, (name, column)
        for column in ("first_topic", "last_topic"):
            assert set(talked[column]) == {"(unknown)"}, (name, column)
        assert {("(start)", "(unknown)"), ("(unknown)", "(end)")} <= set(
            routing.select(moves).rows()
        )
        assert set(routing["from_topic"]) | set(routing["to_topic"]) <= {
            "(start)", "(unknown)", "(end)",
        }  # fmt: skip
        ends = routing.filter(pl.col("to_topic") == "(end)")
        assert ends["transitions"].sum() == summary.height
    assert set(built["topic_summary"]["interactions.topic_api_name"]["topic"]) == {"(unknown)"}
    assert built["topic_summary"]["interactions.interaction_type"].height == 0


def test_no_outcome_known_gives_no_share(built: dict[str, dict[str, pl.DataFrame]]) -> None:
    topics = built["topic_summary"]["steps.step_type"]
    for column in (
        "escalated_sessions",
        "rated_escalated_sessions",
        "escalation_share",
        "action_step_count",
    ):
        assert topics[column].null_count() >= topics.filter(pl.col("sessions") > 0).height > 0, (
            column
        )
    known = built["topic_summary"]["nothing"]
    unknown = known.filter(pl.col("unknown_outcome_sessions") == pl.col("sessions"))
    assert known["escalation_share"].drop_nulls().len() > 0
    assert unknown["escalation_share"].null_count() == unknown.height > 0


def _assert_unknown(expected: pl.Series, found: pl.Series) -> None:
    """Where the value is another one, it is null or says that it is not known."""
    words = SAID.get(expected.name, set())
    for before, after in zip(expected, found, strict=True):
        assert after == before or after is None or after in words, (expected.name, before, after)
