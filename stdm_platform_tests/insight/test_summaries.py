"""Summaries: each figure by hand, on the smallest marts in which a wrong formula would differ."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import duckdb
import pytest

from stdm_platform.errors import ArgumentError, NotExtractedError
from stdm_platform.insight import (
    Scope,
    freshness,
    query,
    session_overview,
    topic_overview,
    topic_routing,
)
from stdm_platform.marts import MartStore

MARTS = """
create table session_summary as
select * from (values
    ('s1', 'Desk', 'Web', false, date '2026-01-14', timestamptz '2026-01-14 10:00:00+00',
     10000::bigint, 4::bigint, 2::bigint, 1::bigint, 'escalated', 'complete'),
    ('s2', 'Desk', 'Web', false, date '2026-01-14', timestamptz '2026-01-14 11:00:00+00',
     20000, 0, 0, 0, null, 'open'),
    ('s3', 'Desk', 'Web', false, date '2026-01-15', timestamptz '2026-01-15 10:00:00+00',
     90000, 2, 1, 1, 'deflected', 'complete'),
    ('s4', 'Desk', 'Builder', true, date '2026-01-15', timestamptz '2026-01-15 12:00:00+00',
     1000, 9, 9, 9, 'escalated', 'complete'),
    ('s5', 'Other', null, false, date '2026-01-15', timestamptz '2026-01-15 13:00:00+00',
     null, 1, null, null, null, 'settling')
) as t (session_id, agent_name, channel, is_preview, session_date, started_at, duration_ms,
        turn_count, error_count, action_error_count, outcome, completeness);
create table topic_summary as
select * from (values
    ('Desk', date '2026-01-14', 'Orders', 6::bigint, 2::bigint, 0::bigint, 1::bigint, 1::bigint, 1::bigint),
    ('Desk', date '2026-01-15', 'Orders', 2, 2, 1, 0, 1, 0),
    ('Desk', date '2026-01-15', '(none)', 1, 1, 0, 0, 0, 0)
) as t (agent_name, session_date, topic, turn_count, sessions, preview_sessions, action_error_count,
        escalated_sessions, rated_escalated_sessions);
create table topic_routing as
select * from (values
    ('Desk', date '2026-01-14', '(start)', 'Orders', 3::bigint, 3::bigint),
    ('Desk', date '2026-01-15', '(start)', 'Orders', 0, 0),
    ('Desk', date '2026-01-15', '(start)', 'Refunds', 1, 1)
) as t (agent_name, session_date, from_topic, to_topic, transitions, sessions);
"""


@pytest.fixture
def store(tmp_path: Path) -> MartStore:
    with duckdb.connect(str(tmp_path / "marts.duckdb")) as connection:
        connection.execute(MARTS)
    return MartStore(tmp_path)


def test_previews_are_left_out_of_rates_and_counted_on_demand(store: MartStore) -> None:
    rows = session_overview(store, Scope()).to_dicts()
    assert [(row["agent_name"], row["channel"], row["sessions"]) for row in rows] == [
        ("Desk", "Web", 3),
        ("Other", "(unknown)", 1),
    ]
    assert session_overview(store, Scope(previews=True))["sessions"].sum() == 5


def test_sessions_without_turns_count_in_the_mean(store: MartStore) -> None:
    assert session_overview(store, Scope()).row(0, named=True)["turns_per_session"] == 2.0


def test_shares_have_all_sessions_as_denominator_and_the_unknown_stands_beside(
    store: MartStore,
) -> None:
    row = session_overview(store, Scope()).row(0, named=True)
    shares = [
        row["escalated_share"],
        row["deflected_share"],
        row["unknown_outcome_share"],
    ]
    assert shares == [0.333, 0.333, 0.333]
    assert row["complete_share"] == 0.667
    assert row["median_duration_s"] == 20.0


def test_a_range_of_days_leaves_out_its_end(store: MartStore) -> None:
    scope = Scope(since=date(2026, 1, 14), until=date(2026, 1, 15))
    assert session_overview(store, scope)["sessions"].sum() == 2


def test_an_agent_that_does_not_exist_gives_no_rows(store: MartStore) -> None:
    assert session_overview(store, Scope(agent="Nobody")).height == 0


def test_topics_add_up_over_days(store: MartStore) -> None:
    row = topic_overview(store, Scope()).row(0, named=True)
    assert (row["topic"], row["turn_count"], row["sessions"]) == ("Orders", 8, 4)
    assert (row["turns_per_session"], row["escalated_sessions"]) == (2.0, 2)


def test_the_escalation_share_of_a_topic_leaves_previews_out_on_both_sides(
    store: MartStore,
) -> None:
    assert topic_overview(store, Scope()).row(0, named=True)["escalation_share"] == 0.333


def test_the_share_of_a_move_is_of_all_moves_from_its_topic(store: MartStore) -> None:
    rows = topic_routing(store, Scope()).to_dicts()
    assert [(row["to_topic"], row["share_of_from"]) for row in rows] == [
        ("Orders", 0.75),
        ("Refunds", 0.25),
    ]


def test_freshness_counts_what_the_rates_leave_out(store: MartStore) -> None:
    facts = freshness(store, Scope())
    assert (facts["sessions"], facts["preview_sessions"], facts["complete_sessions"]) == (5, 1, 3)
    assert facts["first_day"] == date(2026, 1, 14)


def test_sql_answers_with_a_frame(store: MartStore) -> None:
    assert query(store, "select count(*) as n from session_summary").to_dicts() == [{"n": 5}]
    assert query(store, "show tables").height == 3


def test_a_difference_of_instants_is_shown_as_text(store: MartStore) -> None:
    sql = """select interval 90 minutes as "a ""b", 1 as n"""
    assert query(store, sql).to_dicts() == [{'a "b': "01:30:00", "n": 1}]


def test_refused_sql_is_one_line_with_a_next_action(store: MartStore) -> None:
    with pytest.raises(ArgumentError, match="show tables") as caught:
        query(store, "select nothing from nowhere")
    assert "\n" not in str(caught.value)


def test_nothing_can_be_changed_through_sql(store: MartStore) -> None:
    with pytest.raises(ArgumentError, match="read-only"):
        query(store, "create table x as select 1 as a")


def test_without_marts_the_next_action_is_named(tmp_path: Path) -> None:
    with pytest.raises(NotExtractedError, match="stdm extract"):
        query(MartStore(tmp_path), "select 1")


def test_what_marts_do_not_know_is_said_as_unknown(tmp_path: Path) -> None:
    with duckdb.connect(str(tmp_path / "marts.duckdb")) as connection:
        connection.execute(MARTS)
        connection.execute("update session_summary set is_preview = null, outcome = null")
        connection.execute("update session_summary set turn_count = null where session_id = 's2'")
        connection.execute(
            "update topic_summary set preview_sessions = null, rated_escalated_sessions = null"
        )
    store = MartStore(tmp_path)
    row = session_overview(store, Scope()).row(0, named=True)
    assert (row["agent_name"], row["sessions"], row["turns_per_session"]) == ("Desk", 3, 3.0)
    assert (row["escalated_share"], row["deflected_share"]) == (None, None)
    assert (row["unknown_outcome_share"], row["error_count"]) == (1.0, 3)
    topic = topic_overview(store, Scope()).row(0, named=True)
    assert (topic["preview_sessions"], topic["escalation_share"]) == (None, None)
    facts = freshness(store, Scope())
    assert (facts["preview_sessions"], facts["untold_sessions"]) == (0, 5)
