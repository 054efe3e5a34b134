"""The generated org: exact, deterministic, whole, and full of the quirks that the page names."""

from __future__ import annotations

import ast
import html
import json
import uuid
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import duckdb
import pytest

from stdm_platform.catalog import DMOS, dmo
from stdm_platform.catalog.routes import routes_from_sessions
from stdm_platform.errors import ArgumentError
from stdm_platform.sandbox.generator import build_org, org, truths
from stdm_platform.sandbox.generator.agents import eighteen
from stdm_platform.sandbox.generator.tables import SQL_TYPES, insert_sql, table_name

END = date(2026, 1, 14)
SESSIONS, PARTICIPANTS, INTERACTIONS, STEPS, MESSAGES, MOMENTS = (
    table_name(dmo(name))
    for name in ("sessions", "participants", "interactions", "steps", "messages", "moments")
)
FIRST, LAST = "ssot__StartTimestamp__c", "ssot__EndTimestamp__c"
KIND = "ssot__AiAgentInteractionStepType__c"


def made(**changes: Any) -> duckdb.DuckDBPyConnection:
    con = duckdb.connect()
    con.execute("SET TimeZone = 'UTC'")
    build_org(con, **{"days": 1, "sessions_per_day": 100, "seed": 1, "end": END, **changes})
    return con


@pytest.fixture(scope="module")
def week() -> Iterator[duckdb.DuckDBPyConnection]:
    con = made(days=7, sessions_per_day=200)
    yield con
    con.close()


def rows(con: duckdb.DuckDBPyConnection, query: str) -> list[Any]:
    return con.execute(query).fetchall()


def one(con: duckdb.DuckDBPyConnection, query: str) -> Any:
    return rows(con, query)[0][0]


def count(con: duckdb.DuckDBPyConnection, table: str, condition: str = "true") -> int:
    return int(one(con, f"SELECT count(*) FROM {table} WHERE {condition}"))


def content(con: duckdb.DuckDBPyConnection, condition: str = "true") -> dict[str, list[Any]]:
    """All rows of the sessions that satisfy the condition, DMO by DMO."""
    scopes: dict[str, str] = {}
    for route in routes_from_sessions():
        found = [
            f"trim({route.dmo[link.column].source}, '\"') IN (SELECT {dmo(link.source)[link.source_column].source}"
            f" FROM {table_name(dmo(link.source))} WHERE {scopes[link.source]})"
            for link in route.links
        ]
        scopes[route.dmo.name] = f"({' OR '.join(found) or condition})"
    return {
        table_name(entry): rows(
            con,
            f"SELECT * FROM {table_name(entry)} WHERE {scopes[entry.name]} ORDER BY {entry[entry.key].source}",
        )
        for entry in DMOS
    }


# --- exact and deterministic


def test_tables_have_the_catalogs_columns_in_its_order(week: duckdb.DuckDBPyConnection) -> None:
    types = {**SQL_TYPES, "timestamp": "TIMESTAMP WITH TIME ZONE"}
    for entry in DMOS:
        described = [row[:2] for row in rows(week, f"DESCRIBE {table_name(entry)}")]
        assert described == [(column.source, types[column.type]) for column in entry.columns]


def test_each_day_has_exactly_the_sessions_asked_for(week: duckdb.DuckDBPyConnection) -> None:
    assert truths(week).rows["sessions"] == {END - timedelta(days=back): 200 for back in range(7)}


@pytest.mark.parametrize("sessions_per_day", [0, 1, 7, 83])
def test_any_number_of_sessions_is_met(sessions_per_day: int) -> None:
    con = made(days=3, sessions_per_day=sessions_per_day)
    expected = {END - timedelta(days=back): sessions_per_day for back in range(3)}
    assert truths(con).rows["sessions"] == (expected if sessions_per_day else {})


def test_the_same_seed_gives_the_same_rows() -> None:
    assert content(made(sessions_per_day=120)) == content(made(sessions_per_day=120))


def test_another_seed_gives_other_rows_and_other_keys() -> None:
    first, second = content(made(seed=1)), content(made(seed=2))
    for entry in (each for each in DMOS if not each.is_catalogue):
        table = table_name(entry)
        found = first[table]
        assert {row[0] for row in found}.isdisjoint({row[0] for row in second[table]})


def test_a_day_is_the_same_whatever_days_stand_beside_it() -> None:
    alone = content(made(days=1, end=date(2026, 1, 13)))
    among = content(made(days=3), f"CAST({FIRST} AS DATE) = DATE '2026-01-13'")
    assert alone == among


def test_a_day_is_the_same_however_it_is_cut_into_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = content(made())
    monkeypatch.setattr(org, "SESSIONS_PER_CHUNK", 37)
    assert content(made()) == whole


def test_days_below_one_and_negative_sessions_are_refused() -> None:
    with pytest.raises(ArgumentError, match="days is 0"):
        made(days=0)
    with pytest.raises(ArgumentError, match="sessions_per_day is -1"):
        made(sessions_per_day=-1)


def test_nothing_but_the_orgs_tables_is_left(week: duckdb.DuckDBPyConnection) -> None:
    names = {row[0] for row in rows(week, "SELECT table_name FROM duckdb_tables()")}
    assert names == {"sandbox_planted", *(entry.objects[0] for entry in DMOS)}


def test_text_bytes_makes_prompts_long() -> None:
    con = made(sessions_per_day=10, text_bytes=5_000)
    assert (
        one(
            con,
            f"SELECT min(strlen(ssot__InputValueText__c)) FROM {STEPS} WHERE {KIND} = 'LLM_STEP'",
        )
        > 5_000
    )


def test_a_value_for_an_unknown_column_is_refused() -> None:
    with pytest.raises(ValueError, match="sessions has no column"):
        insert_sql(dmo("sessions"), {"colour": "'red'"}, "", "")


# --- whole


@pytest.mark.parametrize("entry", DMOS, ids=lambda entry: entry.name)
def test_keys_are_unique_and_required_columns_filled(
    week: duckdb.DuckDBPyConnection, entry: Any
) -> None:
    key = entry[entry.key].source
    assert one(week, f"SELECT count(*) - count(DISTINCT {key}) FROM {table_name(entry)}") == 0
    for column in entry.columns:
        if column.required:
            assert count(week, table_name(entry), f'"{column.source}" IS NULL') == 0


@pytest.mark.parametrize(
    ("child", "foreign_key", "parent"),
    [
        (PARTICIPANTS, "ssot__AiAgentSessionId__c", SESSIONS),
        (INTERACTIONS, "ssot__AiAgentSessionId__c", SESSIONS),
        (INTERACTIONS, "ssot__PrevInteractionId__c", INTERACTIONS),
        (STEPS, "ssot__AiAgentInteractionId__c", INTERACTIONS),
        (STEPS, "ssot__PrevStepId__c", STEPS),
        (MESSAGES, "ssot__AiAgentInteractionId__c", INTERACTIONS),
        (MESSAGES, "ssot__AiAgentSessionId__c", SESSIONS),
        (MESSAGES, "ssot__AiAgentSessionParticipantId__c", PARTICIPANTS),
        (MESSAGES, "ssot__ParentMessageId__c", MESSAGES),
        (MOMENTS, "ssot__AiAgentSessionId__c", SESSIONS),
        (SESSIONS, "ssot__PreviousSessionId__c", SESSIONS),
    ],
)  # fmt: skip
def test_every_child_has_its_parent(
    week: duckdb.DuckDBPyConnection, child: str, foreign_key: str, parent: str
) -> None:
    set_keys = f"{foreign_key} <> 'NOT_SET'"
    assert count(week, child, set_keys) > 0
    assert (
        count(
            week, child, f"{set_keys} AND {foreign_key} NOT IN (SELECT ssot__Id__c FROM {parent})"
        )
        == 0
    )


@pytest.mark.parametrize(
    ("child", "clock", "end", "foreign_key", "parent"),
    [
        (INTERACTIONS, FIRST, LAST, "ssot__AiAgentSessionId__c", SESSIONS),
        (PARTICIPANTS, FIRST, FIRST, "ssot__AiAgentSessionId__c", SESSIONS),
        (MOMENTS, FIRST, LAST, "ssot__AiAgentSessionId__c", SESSIONS),
        (STEPS, FIRST, LAST, "ssot__AiAgentInteractionId__c", INTERACTIONS),
        (MESSAGES, "ssot__MessageSentTimestamp__c", "ssot__MessageSentTimestamp__c", "ssot__AiAgentInteractionId__c", INTERACTIONS),
    ],
)  # fmt: skip
def test_children_lie_inside_their_parents_on_the_clock(
    week: duckdb.DuckDBPyConnection, child: str, clock: str, end: str, foreign_key: str, parent: str
) -> None:
    outside = one(
        week,
        f"""SELECT count(*) FROM {child} c JOIN {parent} p ON p.ssot__Id__c = c.{foreign_key}
        WHERE c.{clock} < p.{FIRST} OR coalesce(c.{end} > p.{LAST}, false) OR coalesce(c.{end} < c.{clock}, false)""",
    )
    assert outside == 0


@pytest.mark.parametrize(
    ("table", "scope", "previous"),
    [
        (INTERACTIONS, "ssot__AiAgentSessionId__c", "ssot__PrevInteractionId__c"),
        (STEPS, "ssot__AiAgentInteractionId__c", "ssot__PrevStepId__c"),
    ],
)
def test_chains_follow_the_clock(
    week: duckdb.DuckDBPyConnection, table: str, scope: str, previous: str
) -> None:
    broken = one(
        week,
        f"""SELECT count(*) FROM (SELECT {previous} AS said, coalesce(
            lag(ssot__Id__c) OVER (PARTITION BY {scope} ORDER BY {FIRST}), 'NOT_SET') AS found FROM {table})
        WHERE said <> found""",
    )
    assert broken == 0


def test_children_stay_within_one_day_of_their_sessions_day(
    week: duckdb.DuckDBPyConnection,
) -> None:
    lag = one(
        week,
        f"""SELECT max(CAST(t.{FIRST} AS DATE) - CAST(s.{FIRST} AS DATE)) FROM {STEPS} t
        JOIN {INTERACTIONS} i ON i.ssot__Id__c = t.ssot__AiAgentInteractionId__c
        JOIN {SESSIONS} s ON s.ssot__Id__c = i.ssot__AiAgentSessionId__c""",
    )
    assert lag == 1


# --- shapes and frequencies


def test_shape_ratios_are_those_of_the_page(week: duckdb.DuckDBPyConnection) -> None:
    interactions = count(week, INTERACTIONS)
    assert 3.2 < interactions / 1400 < 4.2
    assert 3.5 < count(week, STEPS) / interactions < 4.6
    inputs = count(week, MESSAGES, "ssot__AiAgentInteractionMessageType__c = 'Input'")
    assert 0.9 < count(week, MESSAGES) / 2 / inputs < 1.1
    turn_ms = one(
        week,
        f"SELECT avg(epoch_ms({LAST}) - epoch_ms({FIRST})) FROM {INTERACTIONS} WHERE ssot__AiAgentInteractionType__c = 'TURN'",
    )
    assert 1_500 < turn_ms < 4_500


def test_frequencies_are_those_of_the_page_in_a_large_org() -> None:
    con = made(sessions_per_day=5_000)
    turns = "ssot__AiAgentInteractionType__c = 'TURN'"
    for table, condition, scope, least, most in [
        (SESSIONS, "ssot__AiAgentSessionEndType__c = 'NOT_SET'", "true", 1, 1),
        (SESSIONS, "ssot__AiAgentChannelType__c = 'E & O'", "true", 0.78, 0.87),
        (SESSIONS, "ssot__AiAgentChannelType__c = 'Builder'", "true", 0.07, 0.12),
        (SESSIONS, f"{LAST} IS NULL", "true", 0.02, 0.05),
        (PARTICIPANTS, "ssot__AiAgentType__c = 'EinsteinServiceAgent'", "true", 0.95, 0.99),
        (PARTICIPANTS, "ssot__AiAgentSessionParticipantRole__c = 'USER'", "true", 0.45, 0.58),
        (INTERACTIONS, "ssot__TopicApiName__c LIKE '%\\_16j%' ESCAPE '\\'", turns, 0.75, 0.9),
        (STEPS, "ssot__ErrorMessageText__c NOT IN ('NOT_SET', 'None', '')", f"{KIND} = 'ACTION_STEP'", 0.035, 0.065),
        (STEPS, "ssot__OutputValueText__c LIKE '%UNGROUNDED%' OR ssot__OutputValueText__c LIKE '%NOT_GROUNDED%'",
         "ssot__Name__c LIKE '%Validation%'", 0.02, 0.09),
    ]:  # fmt: skip
        found = one(
            con, f"SELECT avg((coalesce({condition}, false))::INTEGER) FROM {table} WHERE {scope}"
        )
        assert least <= found <= most, f"{condition}: {found}"
    for name, share in [
        ("CLOSED_USER_REQUEST", 0.568),
        ("CLOSED_TRANSFERRED", 0.077),
        ("CLOSED_ACTION", 0.018),
    ]:
        assert count(con, STEPS, f"ssot__Name__c = '{name}'") / 5_000 == pytest.approx(
            share, rel=0.2
        )


def test_both_generations_have_their_steps(week: duckdb.DuckDBPyConnection) -> None:
    names = dict(rows(week, f"SELECT ssot__Name__c, count(*) FROM {STEPS} GROUP BY 1"))
    assert {
        "AiCopilot__ReactTopicPrompt", "AiCopilot__ReactInitialPrompt", "AiCopilot__ReactValidationPrompt",
        "AiCopilot__ReactGeneralErrorHandlingPrompt", "flash_agent", "agent_router",
        "Atlas__GroundednessValidationPrompt", "pre_orchestration.guardrail", "InstructionAdherence",
        "Flight_Booking.SearchFlights", "take_payment", "CLOSED_ACTION",
    } <= set(names)  # fmt: skip


@pytest.mark.parametrize("entry", DMOS, ids=lambda entry: entry.name)
def test_values_come_from_the_catalogs_vocabularies(
    week: duckdb.DuckDBPyConnection, entry: Any
) -> None:
    for column in entry.columns:
        if column.vocabulary:
            query = f'SELECT DISTINCT "{column.source}" FROM {table_name(entry)} WHERE "{column.source}" IS NOT NULL'
            found = {row[0] for row in rows(week, query)}
            assert found <= {value.value for value in column.vocabulary}, column.source


def test_every_day_holds_the_rare_channels_types_and_steps(week: duckdb.DuckDBPyConnection) -> None:
    for table, column, values in [
        (SESSIONS, "ssot__AiAgentChannelType__c", 10),
        (PARTICIPANTS, "ssot__AiAgentType__c", 4),
        (STEPS, KIND, 9),
    ]:
        query = f"SELECT count(DISTINCT {column}) FROM {table} GROUP BY CAST({FIRST} AS DATE) ORDER BY CAST({FIRST} AS DATE) LIMIT 7"
        assert rows(week, query) == [(values,)] * 7


# --- quirks


QUIRKS = {
    "a session that starts with the day": (SESSIONS, f"epoch_ms({FIRST}) % 86400000 = 0"),
    "a session that starts in the last millisecond": (SESSIONS, f"epoch_ms({FIRST}) % 86400000 = 86399999"),
    "an active session": (SESSIONS, f"{LAST} IS NULL"),
    "an unset variable text": (SESSIONS, "ssot__VariableText__c = 'NOT_SET'"),
    "preview variables": (SESSIONS, "ssot__VariableText__c LIKE '%__preview_mode__%'"),
    "a session in a chain": (SESSIONS, "ssot__PreviousSessionId__c <> 'NOT_SET'"),
    "a messaging session": (SESSIONS, "ssot__RelatedMessagingSessionId__c LIKE '0Mw%'"),
    "a voice call": (SESSIONS, "ssot__RelatedVoiceCallId__c LIKE '0LQ%'"),
    "a preview without turns": (SESSIONS, f"ssot__AiAgentChannelType__c = 'Unknown (Internal)' AND ssot__Id__c NOT IN (SELECT ssot__AiAgentSessionId__c FROM {INTERACTIONS})"),
    "three participants": (f"(SELECT count(*) AS n FROM {PARTICIPANTS} GROUP BY ssot__AiAgentSessionId__c)", "n = 3"),
    "two agents": (f"(SELECT count(DISTINCT ssot__AiAgentApiName__c) AS n FROM {PARTICIPANTS} WHERE ssot__AiAgentSessionParticipantRole__c = 'AGENT' GROUP BY ssot__AiAgentSessionId__c)", "n = 2"),
    "a user row with the agent's name": (PARTICIPANTS, "ssot__AiAgentSessionParticipantRole__c = 'USER' AND ssot__AiAgentApiName__c <> 'NOT_SET'"),
    "a short record id": (PARTICIPANTS, "strlen(ssot__ParticipantId__c) = 15"),
    "a long record id": (PARTICIPANTS, "strlen(ssot__ParticipantId__c) = 18"),
    "one record in both forms": (f"(SELECT count(DISTINCT ssot__ParticipantId__c) AS n FROM {PARTICIPANTS} WHERE ssot__AiAgentSessionParticipantRole__c = 'USER' GROUP BY ssot__AiAgentSessionId__c, ssot__ParticipantId__c[:15])", "n = 2"),
    "a published topic": (INTERACTIONS, "regexp_full_match(ssot__TopicApiName__c, '[A-Za-z_]+_16[0-9A-Za-z]{13}')"),
    "a preview topic": (INTERACTIONS, "regexp_full_match(ssot__TopicApiName__c, '[A-Za-z_]+_PlannerPreview-[0-9a-f-]{36}')"),
    "a bare topic": (INTERACTIONS, "ssot__TopicApiName__c = 'points_balance'"),
    "a delegated turn": (INTERACTIONS, "ssot__TopicApiName__c = 'Billing_Desk'"),
    "an empty trace": (INTERACTIONS, "ssot__TelemetryTraceId__c = ''"),
    "a kept trace": (INTERACTIONS, "strlen(ssot__TelemetryTraceId__c) = 32"),
    "an unanswered message": (f"(SELECT list(ssot__AiAgentInteractionMessageType__c) AS kinds FROM {MESSAGES} GROUP BY ssot__AiAgentInteractionId__c)", "kinds = ['Input']"),
    "a greeting": (f"(SELECT list(ssot__AiAgentInteractionMessageType__c) AS kinds FROM {MESSAGES} GROUP BY ssot__AiAgentInteractionId__c)", "kinds = ['Output']"),
    "a JSON answer": (MESSAGES, "ssot__AiAgentInteractionMsgContentType__c = 'application/json' AND json_valid(ssot__ContentText__c)"),
    "a spoken message": (MESSAGES, "Modality__c = 'VOICE' AND MessageEndTimestamp__c > MessageStartTimestamp__c"),
    "unicode": (MESSAGES, "ssot__ContentText__c LIKE '%🙏%'"),
    "quotes": (MESSAGES, "ssot__ContentText__c LIKE '%\"%'"),
    "newlines": (MESSAGES, "contains(ssot__ContentText__c, chr(10))"),
    "an injection": (MESSAGES, "ssot__ContentText__c LIKE '%<script>%'"),
    "an empty step input": (STEPS, f"{KIND} = 'TOPIC_STEP' AND ssot__InputValueText__c = ''"),
    "a null error": (STEPS, "ssot__ErrorMessageText__c IS NULL"),
    "an empty error": (STEPS, "ssot__ErrorMessageText__c = ''"),
    "a slow failure": (STEPS, f"{KIND} = 'ACTION_STEP' AND {LAST} - {FIRST} >= INTERVAL 14 SECOND AND ssot__ErrorMessageText__c NOT IN ('NOT_SET', '')"),
    "a quick failure": (STEPS, f"{KIND} = 'ACTION_STEP' AND {LAST} - {FIRST} < INTERVAL 1 SECOND AND ssot__ErrorMessageText__c NOT IN ('NOT_SET', '')"),
    "a business failure without error text": (STEPS, f"{KIND} = 'ACTION_STEP' AND ssot__OutputValueText__c LIKE '%not found%' AND coalesce(ssot__ErrorMessageText__c, 'NOT_SET') = 'NOT_SET'"),
    "an escalating router": (STEPS, "ssot__Name__c = 'agent_router' AND ssot__OutputValueText__c LIKE '%escalate_to_human%'"),
    "a second validation": (f"(SELECT count(*) AS n FROM {STEPS} WHERE ssot__Name__c = 'AiCopilot__ReactValidationPrompt' GROUP BY ssot__AiAgentInteractionId__c)", "n = 2"),
    "a delegation": (STEPS, f"{KIND} = 'RELATED_AGENT_STEP' AND json_extract_string(ssot__AttributeText__c, 'related_agent_api_name') = 'Billing_Desk'"),
    "an unset gateway request of an LLM step": (STEPS, f"{KIND} = 'LLM_STEP' AND ssot__GenAiGatewayRequestId__c = 'NOT_SET'"),
    "a turn-long topic step": (f"{STEPS} t JOIN {INTERACTIONS} i ON i.ssot__Id__c = t.ssot__AiAgentInteractionId__c", f"t.{KIND} = 'TOPIC_STEP' AND t.{LAST} = i.{LAST}"),
    "a low adherence": (STEPS, "ssot__Name__c = 'InstructionAdherence' AND ssot__OutputValueText__c LIKE '%LOW%'"),
    "a moment without version": (MOMENTS, "ssot__AiAgentVersionApiName__c = 'NOT_SET'"),
    "three moments": (f"(SELECT count(*) AS n FROM {MOMENTS} GROUP BY ssot__AiAgentSessionId__c)", "n = 3"),
    "a child after the last day": (STEPS, f"CAST({FIRST} AS DATE) = DATE '2026-01-15'"),
}  # fmt: skip


@pytest.mark.parametrize("quirk", QUIRKS)
def test_the_week_holds(week: duckdb.DuckDBPyConnection, quirk: str) -> None:
    table, condition = QUIRKS[quirk]
    assert count(week, table, condition) > 0


def test_a_share_of_late_sessions_goes_on_after_midnight(week: duckdb.DuckDBPyConnection) -> None:
    crossing = one(
        week,
        f"""SELECT count(DISTINCT s.ssot__Id__c) FROM {INTERACTIONS} i
        JOIN {SESSIONS} s ON s.ssot__Id__c = i.ssot__AiAgentSessionId__c
        WHERE CAST(i.{FIRST} AS DATE) > CAST(s.{FIRST} AS DATE)""",
    )
    assert 0.02 < crossing / 1400 < 0.06


def test_session_ids_carry_their_start(week: duckdb.DuckDBPyConnection) -> None:
    for session_id, started in rows(week, f"SELECT ssot__Id__c, {FIRST} FROM {SESSIONS}"):
        key = uuid.UUID(session_id)
        assert key.version == 7
        epoch = datetime(1970, 1, 1, tzinfo=UTC)
        assert epoch + timedelta(milliseconds=key.int >> 80) == started


def test_guardrails_say_none_and_only_they_do(week: duckdb.DuckDBPyConnection) -> None:
    query = f"SELECT DISTINCT {KIND} FROM {STEPS} WHERE ssot__ErrorMessageText__c = 'None'"
    assert rows(week, query) == [("TRUST_GUARDRAILS_STEP",)]
    assert (
        count(
            week, STEPS, f"{KIND} = 'TRUST_GUARDRAILS_STEP' AND ssot__ErrorMessageText__c <> 'None'"
        )
        == 0
    )


def test_greeting_and_ending_interactions_have_no_topic(week: duckdb.DuckDBPyConnection) -> None:
    ends = "ssot__AiAgentInteractionType__c = 'SESSION_END'"
    assert count(week, INTERACTIONS, f"{ends} AND ssot__TopicApiName__c <> 'NOT_SET'") == 0
    without_steps = f"{ends} AND ssot__Id__c NOT IN (SELECT ssot__AiAgentInteractionId__c FROM {STEPS} WHERE ssot__Name__c LIKE 'CLOSED%')"
    assert count(week, INTERACTIONS, without_steps) == 0


def test_attributes_are_escaped_json_with_the_trace(week: duckdb.DuckDBPyConnection) -> None:
    query = f"SELECT ssot__TelemetryTraceId__c, ssot__AttributeText__c FROM {INTERACTIONS}"
    for trace, text in rows(week, query):
        assert '"' not in text
        inside = json.loads(html.unescape(text))["internalTraceId"]
        assert len(inside) == 32
        assert trace in ("", inside)


def test_record_ids_have_15_characters_or_18_with_a_true_check(
    week: duckdb.DuckDBPyConnection,
) -> None:
    records = {row[0] for row in rows(week, f"SELECT ssot__ParticipantId__c FROM {PARTICIPANTS}")}
    assert {record[:3] for record in records} == {"16j", "005", "0PA"}
    assert all(len(record) == 15 or record == eighteen(record[:15]) for record in records)


def decoded(text: str) -> Any:
    """Section 4.6: unescape, try JSON, then a safe literal."""
    try:
        return json.loads(text)
    except ValueError:
        pass
    try:
        return json.loads(html.unescape(text))
    except ValueError:
        return ast.literal_eval(text)


def test_every_payload_can_be_decoded(week: duckdb.DuckDBPyConnection) -> None:
    forms = set()
    texts = rows(week, f"""SELECT unnest([ssot__InputValueText__c, ssot__OutputValueText__c]) FROM {STEPS}
        WHERE {KIND} IN ('LLM_STEP', 'ACTION_STEP', 'TRUST_GUARDRAILS_STEP', 'CLASSIFIER_STEP')""")  # fmt: skip
    for (text,) in texts:
        assert isinstance(decoded(text), dict | list)
        forms.add(
            "escaped"
            if text.startswith("{&quot;")
            else "python"
            if text.startswith("{'")
            else "json"
        )
    assert forms == {"escaped", "python", "json"}


def test_validations_of_both_generations_have_negatives(week: duckdb.DuckDBPyConnection) -> None:
    classic, newer = set(), set()
    for name, text in rows(
        week,
        f"SELECT ssot__Name__c, ssot__OutputValueText__c FROM {STEPS} WHERE ssot__Name__c LIKE '%Validation%'",
    ):
        found = decoded(text)
        if name.startswith("Atlas"):
            newer.add(found["mgr.sensitive.step.result"].split(",")[0].removeprefix("category="))
        else:
            classic.add(json.loads(found["llmResponse"])["result"])
    verdicts = {"GROUNDED", "NOT_GROUNDED", "UNGROUNDED", "SMALL_TALK"}
    assert classic == verdicts
    assert newer == verdicts


def test_previews_and_active_sessions_have_no_moments(week: duckdb.DuckDBPyConnection) -> None:
    with_moments = f"ssot__Id__c IN (SELECT ssot__AiAgentSessionId__c FROM {MOMENTS})"
    preview = "(ssot__AiAgentChannelType__c LIKE 'Builder%' OR ssot__AiAgentChannelType__c = 'Unknown (Internal)')"
    assert count(week, SESSIONS, f"{with_moments} AND ({preview} OR {LAST} IS NULL)") == 0
    eligible = count(week, SESSIONS, f"NOT {preview} AND {LAST} IS NOT NULL")
    assert 0.6 < count(week, SESSIONS, with_moments) / eligible < 0.8


def test_topics_switch_in_some_sessions(week: duckdb.DuckDBPyConnection) -> None:
    switched = one(
        week,
        f"""SELECT avg((n > 1)::INTEGER) FROM (SELECT count(DISTINCT ssot__TopicApiName__c) AS n FROM {INTERACTIONS}
        WHERE ssot__TopicApiName__c <> 'NOT_SET' GROUP BY ssot__AiAgentSessionId__c)""",
    )
    assert 0.2 < switched < 0.5


def test_clocks_have_whole_milliseconds(week: duckdb.DuckDBPyConnection) -> None:
    for entry in DMOS:
        clock = entry[entry.clock].source
        assert count(week, table_name(entry), f"epoch_us({clock}) % 1000 <> 0") == 0
