"""One build of a generated org: every planted case is found where it is, and nothing else.

The hand-worked examples of section 8 of the Data 360 page are listed in `test_faults_of_the_peer.py`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

import duckdb
import pytest

from stdm_platform.catalog import DMOS
from stdm_platform.lake import Lake
from stdm_platform.marts import MartStore, build_marts
from stdm_platform.sandbox.generator import build_org
from stdm_platform.sandbox.generator.planted import Planted, planted
from stdm_platform.settings import Settings
from stdm_platform_tests.marts.lakes import DAY, copy_days

DAYS = [DAY - timedelta(days=back) for back in range(3)]
SIGNALS = {
    "groundedness": "groundedness",
    "toxicity": "toxicity",
    "prompt_attack": "prompt_attack",
    "pii": "pii",
    "low_adherence": "instruction_adherence",
    "unresolved": "task_resolution",
}


@dataclass(frozen=True)
class World:
    """The published marts, and what the org planted in the rows that the lake holds."""

    marts: duckdb.DuckDBPyConnection
    cases: list[Planted]
    lake: Lake


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    data_dir = tmp_path_factory.mktemp("planted") / "data"
    lake, store = Lake(data_dir), MartStore(data_dir)
    with duckdb.connect() as org:
        org.execute("set timezone = 'UTC'")
        build_org(org, days=len(DAYS), sessions_per_day=60, seed=7, end=DAY)
        for entry in DMOS:
            copy_days(org, lake, entry, DAYS)
        cases = planted(org)
    build_marts(lake, store, DAYS, Settings())
    held = keys_held(lake)
    with store.connect() as marts:
        # What landed after the last day that is held is not there to be found.
        yield World(marts, [c for c in cases if c.row_id is None or c.row_id in held], lake)


def keys_held(lake: Lake) -> set[str]:
    """The keys of every row of the lake."""
    keys: set[str] = set()
    with lake.temporary_snapshot([entry.name for entry in DMOS]) as snapshot:
        for entry in DMOS:
            rows = snapshot.scan(entry.name).select(entry.key).collect()
            keys.update(rows[entry.key].to_list())
    return keys


@pytest.mark.parametrize("kind", SIGNALS)
def test_every_planted_signal_is_found_at_its_turn_and_step_and_nothing_else(
    world: World, kind: str
) -> None:
    wanted = Counter(
        (case.row_id, case.session_id, case.interaction_id, case.step_id)
        for case in world.cases
        if case.kind == kind
    )
    found = world.marts.execute(
        """
        select string_split(detection_id, '#')[1], session_id, interaction_id, step_id
        from quality_signals where signal = ? and is_flagged
        """,
        [SIGNALS[kind]],
    ).fetchall()
    assert Counter(found) == wanted
    assert wanted.total() > 0


def test_planted_verdicts_of_groundedness_come_in_every_encoding(world: World) -> None:
    encodings = {case.encoding for case in world.cases if case.kind == "groundedness"}
    assert {"classic json", "classic html", "newer"} <= encodings


def test_what_the_report_counts_is_what_the_signals_say(world: World) -> None:
    differing = world.marts.execute(
        """
        with said as (
            select session_date, agent_name, is_preview, signal,
                count(*) filter (is_flagged and is_counted) as flagged,
                count(distinct session_id) filter (is_flagged and is_counted) as flagged_sessions
            from quality_signals group by all
        )
        select * from quality_daily as daily left join said
            on daily.session_date = said.session_date and daily.agent_name = said.agent_name
            and daily.signal = said.signal and daily.is_preview is not distinct from said.is_preview
        where daily.flagged <> coalesce(said.flagged, 0)
            or daily.flagged_sessions <> coalesce(said.flagged_sessions, 0)
        """
    ).fetchall()
    assert differing == []
    states = world.marts.execute("select distinct state from quality_daily").fetchall()
    assert ("checked",) in states
    assert ("not_extracted",) not in states


def test_every_escalation_slow_action_error_switch_and_thumb_is_found(world: World) -> None:
    def wanted(kind: str, encoding: str | None = None) -> Counter[str | None]:
        return Counter(
            case.row_id
            for case in world.cases
            if case.kind == kind and encoding in (None, case.encoding)
        )

    questions = {
        "action_error": "select step_id from session_timeline where event_kind = 'error' and step_id in (select event_id from session_timeline where event_type = 'ACTION_STEP')",
        "slow_action": "select event_id from session_timeline where event_type = 'ACTION_STEP' and duration_ms > 10000",
        "topic_switch": "select event_id from session_timeline where event_kind = 'topic_change'",
        "feedback": "select feedback_id from feedback where sentiment is not null",
    }
    for kind, sql in questions.items():
        found = Counter(row[0] for row in world.marts.execute(sql).fetchall())
        assert found == wanted(kind), kind
        assert found.total() > 0, kind
    for definition, encoding in (("session_end_step", "session_end_step"), ("router", "router")):
        sql = (
            "select session_id from session_outcome where definition = ? and outcome = 'escalated'"
        )
        sessions = {row[0] for row in world.marts.execute(sql, [definition]).fetchall()}
        planted_ones = {
            case.session_id
            for case in world.cases
            if case.kind == "escalation" and case.encoding == encoding
        }
        assert sessions == planted_ones
        assert sessions
    tags = {case.row_id: case.value for case in world.cases if case.kind == "quality_score"}
    scores = dict(
        world.marts.execute("select moment_id, quality_score from moment_links").fetchall()
    )
    assert {key: score for key, score in scores.items() if score is not None}.items() <= {
        key: float(value) for key, value in tags.items() if value is not None
    }.items()


def test_percentiles_of_days_roll_up_to_those_of_all_days(world: World) -> None:
    rolled = world.marts.execute(
        """
        select action_name, percentile_ms(list(duration_sketch), 0.5), percentile_ms(list(duration_sketch), 0.95),
            percentile_ms(list(duration_sketch), 0.99)
        from action_summary group by action_name having sum(timed_calls) > 0 order by action_name
        """
    ).fetchall()
    exact = world.marts.execute(
        """
        select coalesce(name, '(none)') as name, quantile_disc(duration_ms, [0.5, 0.95, 0.99])
        from session_timeline where event_type = 'ACTION_STEP' and duration_ms is not null
        group by 1 order by 1
        """
    ).fetchall()
    assert len(rolled) == len(exact) > 5
    for (name, *found), (same, true) in zip(rolled, exact, strict=True):
        assert name == same
        for percentile, value in zip(found, true, strict=True):
            assert percentile == pytest.approx(value, rel=0.01, abs=0.06)
    alone = world.marts.execute(
        "select count(*) from step_summary where p95_ms is distinct from percentile_ms([duration_sketch], 0.95)"
    ).fetchall()
    assert alone == [(0,)]


def test_the_marts_agree_with_each_other(world: World) -> None:
    one = world.marts.execute(
        """
        select
            (select count(*) from turn_latency where llm_ms + action_ms + guardrail_ms + groundedness_ms
                + other_ms + unexplained_ms <> duration_ms or unexplained_ms < 0) as do_not_add_up,
            (select count(*) from session_outcome) - 8 * (select count(*) from session_summary) as outcomes,
            (select sum(sessions) from agent_daily) - (select count(*) from session_summary) as sessions,
            (select sum(turn_count) from agent_daily) - (select count(*) from turn_latency) as turns,
            (select sum(calls) from action_summary) - (select sum(action_step_count) from session_summary) as actions,
            (select sum(error_count) from action_summary) - (select sum(action_error_count) from session_summary) as errors,
            (select sum(calls) from step_summary) - (select count(*) from session_timeline where event_kind = 'step') as steps,
            (select sum(calls - unbound_calls) from llm_usage) - (select count(*) from session_timeline where event_kind = 'llm_call') as calls,
            (select sum(llm_calls) from agent_daily) - (select sum(calls - unbound_calls) from llm_usage) as llm_calls,
            (select count(*) from (select 1 from session_timeline group by session_id having max(event_number) <> count(*))) as gaps,
        """
    ).fetchall()
    assert [float(value) for value in one[0]] == [0] * 10


def test_what_observing_cost_is_read_from_the_footers(world: World) -> None:
    found = world.marts.execute(
        "select object_name, session_date, readings, rows_processed from observing_cost"
    ).fetchall()
    told = [
        (entry.name, day, len(said.readings), said.readings[-1].rows_processed)
        for entry in DMOS
        for day in world.lake.days(entry.name)
        for _, said in world.lake.evidence_of_day(entry.name, day)
    ]
    assert sorted(found) == sorted(told)
    columns = world.marts.execute("describe observing_cost").fetchall()
    assert {row[0] for row in columns} >= {"org_id", "read_date", "rows_read"}
