"""What is planted is there, and nothing else is: found again in the rows by readers of the tests' own."""

from __future__ import annotations

import ast
import html
import json
import re
from collections import Counter
from collections.abc import Iterator
from datetime import date
from typing import Any

import duckdb
import pytest

from stdm_platform.catalog import dmo
from stdm_platform.sandbox.generator import Planted, build_org, planted
from stdm_platform.sandbox.generator.quality import HARMS
from stdm_platform.sandbox.generator.tables import table_name

NO_ERROR = (None, "", "NOT_SET", "None")
STEP = {
    name: dmo("steps")[name].source
    for name in ("step_id", "step_type", "step_name", "output_value_text", "error_message_text")
}


@pytest.fixture(scope="module")
def org() -> Iterator[duckdb.DuckDBPyConnection]:
    con = duckdb.connect()
    con.execute("SET TimeZone = 'UTC'")
    build_org(con, days=2, sessions_per_day=400, seed=3, end=date(2026, 1, 15))
    yield con
    con.close()


@pytest.fixture(scope="module")
def cases(org: duckdb.DuckDBPyConnection) -> list[Planted]:
    return planted(org)


def rows(
    org: duckdb.DuckDBPyConnection, name: str, *columns: str, where: str = "true"
) -> list[Any]:
    sources = ", ".join(f'"{dmo(name)[column].source}"' for column in columns)
    return org.execute(f"SELECT {sources} FROM {table_name(dmo(name))} WHERE {where}").fetchall()


def ids(cases: list[Planted], kind: str, encoding: str = "") -> set[str | None]:
    return {
        each.row_id
        for each in cases
        if each.kind == kind and (each.encoding or "").startswith(encoding)
    }


def decoded(text: str) -> dict[str, Any]:
    for form in (text, html.unescape(text)):
        try:
            return dict(json.loads(form))
        except ValueError:
            continue
    return dict(ast.literal_eval(text))


def verdict(output: str) -> str:
    said = decoded(output)
    if "mgr.sensitive.step.result" in said:
        found = re.match(r"category=(\w+)", said["mgr.sensitive.step.result"])
        assert found
        return found[1]
    return str(json.loads(said["llmResponse"])["result"])


def test_every_kind_is_planted_in_every_encoding(cases: list[Planted]) -> None:
    found = {(each.kind, each.encoding) for each in cases}
    assert found >= {
        *(("groundedness", form) for form in ("classic json", "classic html", "classic python", "newer")),
        *(("toxicity", form) for form in ("content_quality", "content_categories")),
        ("prompt_attack", "content_categories"),
        ("pii", "content_categories"),
        *(("low_adherence", f"guardrail {form}") for form in ("python", "flags", "result")),
        ("low_adherence", "content_categories"),
        *(("unresolved", form) for form in ("guardrail result", "content_categories")),
        *(("escalation", form) for form in ("session_end_step", "router")),
        ("topic_switch", None),
        *(("action_error", form) for form in ("classic", "newer")),
        ("slow_action", None),
        *(("feedback", thumb) for thumb in ("GOOD", "BAD", "UP", "DOWN")),
        *((kind, "tag_associations") for kind in ("quality_score", "deflection", "abandonment", "intent")),
    }  # fmt: skip
    assert len({each.value for each in cases if each.encoding == "content_categories"}) > 10


def test_a_row_is_planted_once_for_each_kind(cases: list[Planted]) -> None:
    places = Counter(
        (each.kind, each.row_id, each.encoding) for each in cases if each.row_id and each.kind != "intent"
    )  # fmt: skip
    assert max(places.values()) == 1


def test_ungrounded_verdicts_are_those_that_the_steps_say(
    org: duckdb.DuckDBPyConnection, cases: list[Planted]
) -> None:
    validations = rows(
        org, "steps", "step_id", "output_value_text",
        where=f"{STEP['step_name']} IN ('AiCopilot__ReactValidationPrompt', 'Atlas__GroundednessValidationPrompt')",
    )  # fmt: skip
    said = {step: verdict(output) for step, output in validations}
    assert {each.row_id: each.value for each in cases if each.kind == "groundedness"} == {
        step: value for step, value in said.items() if value not in ("GROUNDED", "SMALL_TALK")
    }
    assert Counter(said.values())["GROUNDED"] > 10 * len(ids(cases, "groundedness"))


def test_toxicity_is_in_a_harm_of_at_least_a_half_and_never_in_the_safety_score(
    org: duckdb.DuckDBPyConnection, cases: list[Planted]
) -> None:
    scored = rows(
        org, "content_categories", "content_category_id", "category", "category_value", "parent_id",
        where="detectorType__c = 'TOXICITY'",
    )  # fmt: skip
    numbers = [(*row[:2], float(row[2]), row[3]) for row in scored if row[2] != "n/a"]
    assert {row[0] for row in numbers if row[1] in HARMS and row[2] >= 0.5} == ids(
        cases, "toxicity", "content_categories"
    )
    assert sum(row[1] == "safety_score" and row[2] >= 0.5 for row in numbers) > 1_000
    assert len(numbers) < len(scored)
    toxic = rows(
        org, "content_quality", "content_quality_id", where="isToxicityDetected__c = 'true'"
    )
    assert {row[0] for row in toxic} == ids(cases, "toxicity", "content_quality")
    sides = dict(rows(org, "content_quality", "content_quality_id", "content_type"))
    side_of = {row[0]: sides[row[3]] for row in numbers}
    for each in cases:
        if each.kind == "toxicity" and each.encoding == "content_categories":
            assert side_of[str(each.row_id)] == each.detail


def test_other_detections_are_those_that_the_categories_say(
    org: duckdb.DuckDBPyConnection, cases: list[Planted]
) -> None:
    said = rows(
        org, "content_categories", "content_category_id", "detector_type", "category", "category_value",
        where="detectorType__c <> 'TOXICITY'",
    )  # fmt: skip
    flagged = {
        "prompt_attack": {r[0] for r in said if r[2] == "isPromptAttackDetected" and r[3] in ("true", "1.0")},
        "pii": {r[0] for r in said if r[1] == "PII"},
        "low_adherence": {r[0] for r in said if r[1] == "InstructionAdherence" and r[2] == "Low"},
        "unresolved": {r[0] for r in said if r[1] == "TaskResolution" and r[2] != "FULLY_RESOLVED"},
    }  # fmt: skip
    for kind, found in flagged.items():
        assert found == ids(cases, kind, "content_categories"), kind


def test_guardrail_steps_say_what_is_planted(
    org: duckdb.DuckDBPyConnection, cases: list[Planted]
) -> None:
    guardrails = rows(
        org, "steps", "step_id", "output_value_text",
        where=f"{STEP['step_type']} = 'TRUST_GUARDRAILS_STEP'",
    )  # fmt: skip
    low = {
        step
        for step, output in guardrails
        if "'value': 'LOW'" in output
        or '"mgr.guardrail.passed":false' in output
        or "InstructionAdherence=LOW" in output
    }
    assert low == ids(cases, "low_adherence", "guardrail")
    unresolved = {step for step, output in guardrails if "TaskResolution=UNRESOLVED" in output}
    assert unresolved == ids(cases, "unresolved", "guardrail")


def test_actions_fail_and_last_as_planted(
    org: duckdb.DuckDBPyConnection, cases: list[Planted]
) -> None:
    actions = rows(
        org, "steps", "step_id", "error_message_text", "started_at", "ended_at",
        where=f"{STEP['step_type']} = 'ACTION_STEP'",
    )  # fmt: skip
    errors = {each.row_id: each.value for each in cases if each.kind == "action_error"}
    assert errors == {step: error for step, error, *_ in actions if error not in NO_ERROR}
    slow = {each.row_id: int(each.value or 0) for each in cases if each.kind == "slow_action"}
    assert slow == {
        step: round((end - start).total_seconds() * 1000)
        for step, _, start, end in actions
        if (end - start).total_seconds() > 10
    }


def test_escalations_are_those_that_end_or_routers_say(
    org: duckdb.DuckDBPyConnection, cases: list[Planted]
) -> None:
    ends = rows(org, "steps", "step_id", where=f"{STEP['step_name']} = 'CLOSED_TRANSFERRED'")
    assert {row[0] for row in ends} == ids(cases, "escalation", "session_end_step")
    routers = rows(org, "steps", "step_id", "output_value_text", where=f"{STEP['step_name']} = 'agent_router'")  # fmt: skip
    handed = {s for s, out in routers if decoded(out)["gen_ai.output.tool_names"] == "escalate_to_human"}  # fmt: skip
    assert handed == ids(cases, "escalation", "router")


def test_topic_switches_are_changes_between_turns_with_a_topic(
    org: duckdb.DuckDBPyConnection, cases: list[Planted]
) -> None:
    turns = rows(
        org, "interactions", "session_id", "interaction_id", "topic_api_name",
        where="ssot__AiAgentInteractionType__c = 'TURN' AND ssot__TopicApiName__c <> 'NOT_SET' "
        "ORDER BY ssot__AiAgentSessionId__c, ssot__StartTimestamp__c",
    )  # fmt: skip
    suffix = re.compile(r"_(16[A-Za-z0-9]{13}|PlannerPreview-.*)$")
    found, before = set(), ("", "")
    for session, turn, name in turns:
        topic = suffix.sub("", name)
        if before[0] == session and before[1] != topic:
            found.add((turn, before[1], topic))
        before = (session, topic)
    assert found == {
        (each.interaction_id, each.detail, each.value) for each in cases if each.kind == "topic_switch"
    }  # fmt: skip


def test_people_and_judges_say_what_is_planted(
    org: duckdb.DuckDBPyConnection, cases: list[Planted]
) -> None:
    thumbs = dict(rows(org, "feedback", "feedback_id", "feedback_value"))
    assert thumbs == {each.row_id: each.encoding for each in cases if each.kind == "feedback"}
    counted = org.execute("""
        SELECT d.ssot__DeveloperName__c, t.ssot__Value__c, count(*)
        FROM "ssot__AiAgentTagAssociation__dlm" a JOIN "ssot__AiAgentTag__dlm" t ON a.ssot__AiAgentTagId__c = t.ssot__Id__c
        JOIN "ssot__AiAgentTagDefinition__dlm" d ON t.ssot__AiAgentTagDefinitionId__c = d.ssot__Id__c GROUP BY ALL""").fetchall()
    names = {"Quality_Score": "quality_score", "Deflection_Score": "deflection", "Abandonment": "abandonment"}  # fmt: skip
    found: Counter[tuple[str, str]] = Counter()
    for definition, value, count in counted:
        found[names.get(definition, "intent"), value] += count
    tags = {"quality_score", "deflection", "abandonment", "intent"}
    assert found == Counter((each.kind, each.value) for each in cases if each.kind in tags)


@pytest.mark.parametrize(
    ("child", "column", "parent", "least"),
    [
        ("gateway_responses", "gateway_request_id", "gateway_requests", 1.0),
        ("gateway_request_tags", "gateway_request_id", "gateway_requests", 1.0),
        ("generations", "gateway_response_id", "gateway_responses", 0.75),
        ("content_quality", "generation_id", "generations", 1.0),
        ("feedback", "generation_id", "generations", 1.0),
        ("feedback_details", "feedback_id", "feedback", 1.0),
        ("moment_interactions", "moment_id", "moments", 1.0),
        ("tag_associations", "tag_id", "tags", 1.0),
        ("tag_associations", "tag_definition_association_id", "tag_definition_associations", 1.0),
        ("genai_usage", "session_id", "sessions", 1.0),
        ("telemetry_spans", "parent_span_id", "telemetry_spans", 0.7),
    ],
)
def test_rows_name_rows_that_are_there(
    org: duckdb.DuckDBPyConnection, child: str, column: str, parent: str, least: float
) -> None:
    named = [row[0] for row in rows(org, child, column)]
    keys = {row[0] for row in rows(org, parent, dmo(parent).key)}
    assert sum(each in keys for each in named) / len(named) >= least


def test_llm_steps_name_their_generation_except_where_the_gateway_logged_nothing(
    org: duckdb.DuckDBPyConnection,
) -> None:
    steps = rows(org, "steps", "generation_id", "gateway_request_id", where=f"{STEP['step_type']} = 'LLM_STEP'")  # fmt: skip
    generations = {row[0] for row in rows(org, "generations", "generation_id")}
    requests = {row[0] for row in rows(org, "gateway_requests", "gateway_request_id")}
    assert 0.9 < sum(step[0] in generations for step in steps) / len(steps) < 1
    named = [step[1] for step in steps if step[1] != "NOT_SET"]
    assert 0.9 < sum(each in requests for each in named) / len(named) < 1
    sessions = rows(org, "gateway_requests", "session_id")
    assert {row[0][0] for row in sessions} == {'"', "n"}  # quoted, or `no_session`


def test_what_is_planted_depends_on_the_seed_and_the_day_alone() -> None:
    def made(days: int) -> set[Planted]:
        con = duckdb.connect()
        build_org(con, days=days, sessions_per_day=40, seed=3, end=date(2026, 1, 15))
        return set(planted(con))

    assert made(1) <= made(2)
    assert made(1) == made(1)


def test_an_org_that_was_not_generated_plants_nothing() -> None:
    assert planted(duckdb.connect()) == []
