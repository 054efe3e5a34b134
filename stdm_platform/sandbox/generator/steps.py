"""Steps: which steps each turn has, when they run, which fail; and their rows.

Belongs here: everything that is decided once per step. Does not: what a step's texts say
(`step_texts.py`), which steps a turn can have (`skeletons.py`).
"""

from __future__ import annotations

import duckdb

from stdm_platform.catalog import dmo
from stdm_platform.sandbox.generator.draws import (
    below,
    between,
    bits,
    child,
    hexadecimal,
    instant,
    share,
    uuid4,
)
from stdm_platform.sandbox.generator.step_texts import attributes, error, inputs, outputs
from stdm_platform.sandbox.generator.tables import insert_sql

ERROR_SHARE = 0.05
SLOW_FAILURE_SHARE = 0.6

TYPES = {
    "topic": "TOPIC_STEP",
    "action": "ACTION_STEP",
    "guardrail": "TRUST_GUARDRAILS_STEP",
    "interrupt": "INTERRUPT_STEP",
    "variables": "VARIABLE_UPDATE_STEP",
    "classifier": "CLASSIFIER_STEP",
    "related agent": "RELATED_AGENT_STEP",
    "end": "SESSION_END",
}
NAMES = {
    "topic prompt": "'AiCopilot__ReactTopicPrompt'",
    "initial prompt": "CASE WHEN handles_error THEN 'AiCopilot__ReactGeneralErrorHandlingPrompt'"
    " ELSE 'AiCopilot__ReactInitialPrompt' END",
    "validation": "'AiCopilot__ReactValidationPrompt'",
    "second validation": "'AiCopilot__ReactValidationPrompt'",
    "flash": "'flash_agent'",
    "router": "'agent_router'",
    "subagent": "t.topic",
    "groundedness": "'Atlas__GroundednessValidationPrompt'",
    "second groundedness": "'Atlas__GroundednessValidationPrompt'",
    "topic": "t.topic",
    "action": "CASE WHEN s.planner = 'classic' THEN concat(t.topic, '.', p.action) ELSE p.action END",
    "guardrail": "'InstructionAdherence'",
    "interrupt": "'user_interrupt'",
    "variables": "'set_variables'",
    "classifier": "'pre_orchestration.guardrail'",
    "related agent": "'delegate_to_agent'",
    "end": "s.closed_as",
}


def plan_steps(con: duckdb.DuckDBPyConnection) -> None:
    """Make `work_step`: one row per step, with its time inside its turn."""
    con.execute(f"""
        CREATE OR REPLACE TEMP TABLE work_step AS
        WITH listed AS (
            SELECT d.h, d.t, k.*, {child("d.t", "k.slot")} AS p,
                d.action_names[1 + (k.action_no + {below("d.t", "first action", 7)}) % len(d.action_names)] AS action,
                1 + (k.action_no + {below("d.t", "first action", 7)}) % len(d.action_names) AS action_place,
                k.kind = 'action' AND k.action_no = 1 AND s.plant IS NOT DISTINCT FROM 'general error'
                    AND d.turn_no = 1 AS planted_error
            FROM work_draft d
            JOIN work_skeleton k ON k.shape = d.shape AND d.traits & k.needs = k.needs
            JOIN work_session s ON s.h = d.h
        ),
        failing AS (
            SELECT *, planted_error OR (kind = 'action' AND {share("p", "fails")} < {ERROR_SHARE}) AS failed
            FROM listed
        ),
        lasting AS (
            SELECT *, CASE
                WHEN failed AND {share("p", "slow")} < {SLOW_FAILURE_SHARE} THEN {between("p", "slow ms", 14_000, 21_000)}
                ELSE least_ms + CAST(floor(pow({share("p", "ms")}, 2) * (most_ms - least_ms + 1)) AS BIGINT)
                END AS step_ms,
                {between("p", "pause", 1, 15)} AS pause_ms
            FROM failing
        )
        SELECT h, t, p, slot, kind, action, action_place, failed, planted_error, step_ms,
            CAST(sum(step_ms + pause_ms) OVER turn AS BIGINT) AS step_end_ms,
            lag(p) OVER turn AS previous_p,
            coalesce(lag(failed) OVER turn AND (lag(planted_error) OVER turn OR {share("p", "handles")} < 0.1), false) AS handles_error
        FROM lasting
        WINDOW turn AS (PARTITION BY t ORDER BY slot ROWS UNBOUNDED PRECEDING)""")


def insert_steps(con: duckdb.DuckDBPyConnection, org_id: str, text_bytes: int) -> None:
    """Insert the steps with their texts, LLM inputs padded to `text_bytes`."""
    types = " ".join(f"WHEN '{kind}' THEN '{kind_type}'" for kind, kind_type in TYPES.items())
    names = " ".join(f"WHEN '{kind}' THEN {name}" for kind, name in NAMES.items())
    llm = "step_type = 'LLM_STEP'"
    spans = f"kind = 'topic' AND planner = 'newer' AND {share('p', 'spans')} < 0.5"
    snapshot = "CASE WHEN kind = 'variables' THEN concat('{\"turn\":\"', turn_no, '\"}') ELSE 'NOT_SET' END"
    values = {
        "step_id": step_id("p"),
        "interaction_id": "interaction_id",
        "started_at": instant("start_ms + step_end_ms - step_ms"),
        # a topic step can span its whole turn
        "ended_at": instant(f"CASE WHEN {spans} THEN end_ms ELSE start_ms + step_end_ms END"),
        "step_type": "step_type",
        "step_name": "step_name",
        "previous_step_id": f"CASE WHEN previous_p IS NULL THEN 'NOT_SET' ELSE {step_id('previous_p')} END",
        "input_value_text": inputs(text_bytes),
        "output_value_text": outputs(),
        "pre_step_variable_text": "CASE WHEN kind = 'variables' THEN '{}' ELSE 'NOT_SET' END",
        "post_step_variable_text": snapshot,
        "error_message_text": error(),
        "generation_id": f"CASE WHEN {llm} THEN {uuid4(bits('p', 'generation'), bits('p', 'generation low'))} ELSE 'NOT_SET' END",
        "gateway_request_id": f"CASE WHEN {llm} AND {share('p', 'gateway')} < 0.3 THEN {uuid4(bits('p', 'request'), bits('p', 'request low'))} ELSE 'NOT_SET' END",
        "gateway_response_id": f"CASE WHEN {llm} AND {share('p', 'gateway')} < 0.3 THEN 'chatcmpl-' || {hexadecimal('p', 'response')} ELSE 'NOT_SET' END",
        "telemetry_trace_span_id": f"CASE WHEN {share('t', 'trace is kept')} < 0.35 THEN {hexadecimal('p', 'span')} ELSE '' END",
        "attribute_text": attributes(),
    }
    source = f"""FROM (
        SELECT p.*, t.* EXCLUDE (h, t), s.planner, s.agent_name, s.no_error, s.version_name,
            k.action_arguments[action_place] AS argument_template, k.action_answers[action_place] AS answer_template,
            k.action_errors[action_place] AS error_templates,
            CASE p.kind {types} ELSE 'LLM_STEP' END AS step_type, CASE p.kind {names} END AS step_name
        FROM work_step p JOIN work_turn t USING (t) JOIN work_session s ON s.h = p.h
        JOIN work_topic k ON k.agent_no = t.topic_agent_no AND k.topic_place = t.topic_place)"""
    con.execute(insert_sql(dmo("steps"), values, source, org_id))


def step_id(key: str, turn_key: str = "t") -> str:
    """The key of a turn's step."""
    return uuid4(bits(turn_key, "step"), bits(key, "step"))
