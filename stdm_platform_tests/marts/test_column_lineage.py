"""Where the columns of marts come from is what their SQL says, and stands in `dbt_models/column_lineage.csv`."""

from __future__ import annotations

import pytest

from stdm_platform.catalog import DMOS, dmo
from stdm_platform.marts import mart_columns
from stdm_platform.marts.column_lineage import LINEAGE_FILE, Origin, column_lineage, lineage_text
from stdm_platform.marts.column_tracing import Columns, traced_columns


@pytest.fixture(scope="module")
def traced() -> dict[str, Columns]:
    return traced_columns()


def test_the_file_says_what_the_models_say(traced: dict[str, Columns]) -> None:
    assert LINEAGE_FILE.read_text() == lineage_text(traced), (
        "run `uv run python -m stdm_platform.marts`"
    )


def test_every_published_column_was_traced_and_every_origin_is_in_the_catalog(
    traced: dict[str, Columns],
) -> None:
    published = {(each.mart, each.column_name) for each in mart_columns()}
    assert {(mart, column) for mart, columns in traced.items() for column in columns} == published
    known = {(entry.name, column) for entry in DMOS for column in entry.column_names}
    found = {
        origin
        for columns in column_lineage().values()
        for each in columns.values()
        for origin in each
    }
    assert found <= known


def test_origins_pass_through_models_and_joins() -> None:
    found = column_lineage()["session_summary"]
    assert found["session_date"] == (Origin("sessions", dmo("sessions").clock),)
    assert Origin("participants", "agent_api_name") in found["agent_name"]
    assert set(found["llm_ms"]) == {
        Origin("steps", name) for name in ("started_at", "ended_at", "step_type")
    }


def trace(sql: str, **models: str) -> dict[str, set[str]]:
    found = traced_columns({**models, "asked": sql})["asked"]
    return {column: {".".join(each) for each in origins} for column, origins in found.items()}


def test_a_union_by_name_keeps_columns_apart_that_stand_at_other_places() -> None:
    sql = """
        select session_id as a, channel_type as b from stdm.sessions
        union all by name
        select step_type as b, 1 as c, session_id as a from (select s.*, i.session_id from stdm.steps s
            join stdm.interactions i on s.interaction_id = i.interaction_id)
    """
    assert trace(sql) == {
        "a": {"sessions.session_id", "interactions.session_id"},
        "b": {"sessions.channel_type", "steps.step_type"},
        "c": set(),
    }


def test_a_plain_union_goes_by_place_and_a_star_through_models() -> None:
    found = trace(
        "select session_id as a, end_type as b from model.first union all select channel_type, 'x' from model.first",
        first="select * from stdm.sessions",
    )
    assert found == {
        "a": {"sessions.session_id", "sessions.channel_type"},
        "b": {"sessions.end_type"},
    }


def test_a_count_of_rows_comes_from_their_key_and_a_filter_is_no_origin() -> None:
    sql = "select count(*) as n, count(*) filter (end_type = 'x') as ended from stdm.sessions where channel_type = 'E' group by individual_id"
    assert trace(sql) == {"n": {"sessions.session_id"}, "ended": {"sessions.end_type"}}


def test_the_day_of_the_lake_is_the_clock_and_its_file_is_nothing() -> None:
    assert trace("select date as day, filename from stdm.messages") == {
        "day": {f"messages.{dmo('messages').clock}"},
        "filename": set(),
    }


def test_a_count_of_groups_comes_from_what_makes_a_group() -> None:
    found = trace(
        "select count(*) as n from model.first",
        first="select session_id, interaction_type as kind, count(*) as turns from stdm.interactions group by all",
    )
    assert found == {"n": {"interactions.session_id", "interactions.interaction_type"}}


def test_a_count_of_rows_of_a_union_comes_from_the_keys_of_all_sides() -> None:
    found = trace(
        "select count(*) as n from (select step_id as id from stdm.steps union all select message_id from stdm.messages)"
    )
    assert found == {"n": {"steps.step_id", "messages.message_id"}}
