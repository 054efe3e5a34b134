"""Calls of LLMs: what the gateway logs of each, and what was generated.

Belongs here: which calls there are, and the rows of gateway requests, responses, tags, metadata and
generations. Does not: what detectors found in them (`quality.py`).

A call is made by an LLM step, by a prompt prompt_name inside an action (no step names it), or by nobody's
session. `work_call.p` is the step, null without one; `is_final` marks the call that gave the answer of
its turn. One turn's calls share a generation group.
"""

from __future__ import annotations

import duckdb

from stdm_platform.catalog import dmo
from stdm_platform.sandbox.generator.draws import (
    between,
    bits,
    child,
    hexadecimal,
    html_escaped,
    instant,
    json_text,
    literal,
    share,
    uuid4,
)
from stdm_platform.sandbox.generator.steps import NAMES, TYPES
from stdm_platform.sandbox.generator.tables import insert_sql

DROPPED_SHARE = 0.03
"""Sessions of which the gateway logged nothing (section 7.5)."""
NESTED_SHARE, SESSIONLESS_SHARE = 0.1, 0.02
ANSWERING = "('initial prompt', 'subagent', 'flash')"
JUDGING = "('validation', 'second validation', 'groundedness', 'second groundedness')"
NESTED_TEMPLATE = "Summarize_Record"


def plan_calls(con: duckdb.DuckDBPyConnection) -> None:
    """Make `work_call`: one row per call with its times, model and tokens."""
    not_llm = ", ".join(literal(kind) for kind in TYPES)
    names = " ".join(f"WHEN '{kind}' THEN {name}" for kind, name in NAMES.items())
    con.execute(f"""
        CREATE OR REPLACE TEMP TABLE work_call AS
        WITH timed AS (
            SELECT p.*, t.start_ms + step_end_ms - step_ms AS step_start_ms, t.start_ms + step_end_ms AS end_ms,
                s.planner, CASE p.kind {names} END AS prompt_name,
                row_number() OVER (PARTITION BY p.t ORDER BY slot) AS place,
                slot = max(CASE WHEN kind IN {ANSWERING} THEN slot END) OVER (PARTITION BY p.t) AS is_last
            FROM work_step p JOIN work_turn t USING (t) JOIN work_session s ON s.h = p.h
            WHERE {share("s.h", "calls are dropped")} >= {DROPPED_SHARE}
        ),
        listed AS (
            SELECT h, t, p, p AS c, kind, prompt_name, step_start_ms + 1 AS asked_ms, end_ms - 1 AS answered_ms,
                coalesce(is_last, false) AS is_final, planner FROM timed WHERE kind NOT IN ({not_llm})
            UNION ALL SELECT h, t, NULL, {child("p", "7000")}, 'nested', '{NESTED_TEMPLATE}',
                step_start_ms + 20, end_ms - 5, false, planner
            FROM timed WHERE kind = 'action' AND {share("p", "nested call")} < {NESTED_SHARE}
            UNION ALL SELECT h, NULL, NULL, {child("h", "8000")}, 'sessionless', '{NESTED_TEMPLATE}',
                start_ms + 5000, start_ms + 6200, false, planner
            FROM work_session WHERE {share("h", "sessionless call")} < {SESSIONLESS_SHARE}
        )
        SELECT *, {_request("c")} AS request_id, {_response("c")} AS response_id, {generation("c")} AS generation_id,
            CASE WHEN kind IN ('nested', 'sessionless') THEN 'PromptTemplateGenerationsInvocable'
                WHEN kind IN {JUDGING} THEN 'Guardrails and Citations'
                WHEN kind = 'flash' THEN 'CopilotForDigitalChannels' ELSE 'plannerservice' END AS feature,
            CASE WHEN kind IN ('nested', 'sessionless') THEN 'gpt-4.1' WHEN kind = 'flash' THEN 'gpt-5'
                WHEN planner = 'newer' THEN 'llmgateway__GPT41' WHEN kind IN {JUDGING} THEN 'texteval_12b'
                ELSE 'gpt-4o-2024-11-20' END AS model,
            {between("c", "prompt tokens", 300, 6_000)} AS prompt_tokens,
            {between("c", "completion tokens", 4, 400)} AS completion_tokens,
            {share("c", "tokens are said")} < 0.97 AS says_tokens
        FROM listed""")


def insert_calls(con: duckdb.DuckDBPyConnection, org_id: str) -> None:
    """Insert the gateway's rows and the generations."""
    source = "FROM work_call c JOIN work_session s USING (h) LEFT JOIN work_turn t ON t.t = c.t"
    _insert_requests(con, org_id, source)
    values = {
        "gateway_response_id": "response_id",
        "gateway_request_id": "request_id",
        "parameters": '\'{"finish_reason":"stop"}\'',
        "occurred_at": instant("answered_ms"),
        "cloud": "'Platform'",
    }
    con.execute(insert_sql(dmo("gateway_responses"), values, "FROM work_call", org_id))
    tool_call = html_escaped('concat(\'{"tool_calls":[{"name":"\', prompt_name, \'"}]}\')')
    values = {
        "generation_id": "generation_id",
        "gateway_response_id": f"CASE WHEN {share('c', 'response is named')} < 0.8 THEN response_id ELSE 'NOT_SET' END",
        "response_text": f"CASE WHEN is_final THEN t.answer WHEN kind IN ('nested', 'sessionless') THEN 'A short summary.' ELSE {tool_call} END",
        "masked_response_text": "''",
        "response_parameters": "'{}'",
        "feature": "feature",
        "occurred_at": instant("answered_ms"),
        "cloud": "'Platform'",
    }
    con.execute(insert_sql(dmo("generations"), values, source, org_id))
    _insert_details(con, org_id)


def _insert_requests(con: duckdb.DuckDBPyConnection, org_id: str, source: str) -> None:
    prompt = f"""concat('role: system\\nYou are ', replace(s.agent_name, '_', ' '), '.\\nrole: user\\n', {html_escaped("coalesce(t.utterance, 'Summarize.')")})"""
    quoted = "concat('\"', s.session_id, '\"')"
    is_system = "kind IN ('sessionless', 'validation', 'groundedness')"
    values = {
        "gateway_request_id": "request_id",
        "session_id": f"CASE WHEN kind = 'sessionless' THEN 'no_session' ELSE {quoted} END",
        "generation_group_id": f"CASE WHEN c.t IS NULL THEN 'NOT_SET' ELSE {group('c.t')} END",
        "user_id": f"CASE WHEN {is_system} THEN 'NOT_SET' ELSE s.owner_id END",
        "bot_version_id": "s.version_name",
        "planner_id": "CASE WHEN kind IN ('nested', 'sessionless') THEN 'NOT_SET' ELSE s.planner_id18 END",
        "feature": "feature",
        "app_type": "'Agentforce'",
        "model": "model",
        "provider": "CASE model WHEN 'texteval_12b' THEN 'salesforce' WHEN 'gpt-4o-2024-11-20' THEN 'azureOpenAI' ELSE 'openai' END",
        "prompt_template_name": f"CASE WHEN {share('c', 'prompt_name is quoted')} < 0.2 THEN concat('\"', prompt_name, '\"') ELSE prompt_name END",
        "prompt_template_version": "'1'",
        "prompt_text": prompt,
        "masked_prompt_text": "''",
        "parameters": "'{}'",
        "temperature": "0.0",
        "frequency_penalty": "0.0",
        "presence_penalty": "0.0",
        "stop_sequences": "'[]'",
        "generation_count": "1",
        "prompt_tokens": "CASE WHEN says_tokens THEN prompt_tokens END",
        "completion_tokens": "CASE WHEN says_tokens THEN completion_tokens END",
        "total_tokens": "CASE WHEN says_tokens THEN prompt_tokens + completion_tokens END",
        "input_safety_scoring": "CASE WHEN is_final THEN 'true' ELSE 'false' END",
        "output_safety_scoring": "CASE WHEN is_final THEN 'true' ELSE 'false' END",
        "pii_masking": "'false'",
        "occurred_at": instant("asked_ms"),
        "cloud": "'Platform'",
    }
    con.execute(insert_sql(dmo("gateway_requests"), values, source, org_id))


def _insert_details(con: duckdb.DuckDBPyConnection, org_id: str) -> None:
    """Tags of every request, its tools where it offered some."""
    values = {
        "gateway_request_tag_id": uuid4(bits("c", "tag"), bits(child("c", "n"), "tag")),
        "gateway_request_id": "request_id",
        "tag": "CASE n WHEN 1 THEN 'agent_developer_name' WHEN 2 THEN 'agent_version_api_name' ELSE 'user_utterance' END",
        "tag_value": f"CASE WHEN n = 2 AND {share('c', 'version is set')} < 0.1 THEN 'UNSET_VALUE' ELSE concat('\"', CASE n WHEN 1 THEN s.agent_name WHEN 2 THEN s.version_name ELSE t.utterance END, '\"') END",
        "occurred_at": instant("asked_ms"),
        "cloud": "'Platform'",
    }
    tagged = """FROM (SELECT *, unnest(CASE WHEN is_final THEN [1, 2, 3] ELSE [1] END) AS n FROM work_call) c
        JOIN work_session s USING (h) LEFT JOIN work_turn t ON t.t = c.t"""
    con.execute(insert_sql(dmo("gateway_request_tags"), values, tagged, org_id))
    tools = f"""concat('{{"tools":', {json_text("t.action_names")}, '}}')"""
    values = {
        "gateway_request_metadata_id": uuid4(bits("c", "metadata"), bits("c", "metadata low")),
        "gateway_request_id": "request_id",
        "metadata_type": "'ToolCall'",
        "metadata_text": tools,
        "feature": "feature",
        "occurred_at": instant("asked_ms"),
        "cloud": "'Platform'",
    }
    offering = "FROM work_call c JOIN work_turn t ON t.t = c.t WHERE is_final"
    con.execute(insert_sql(dmo("gateway_request_metadata"), values, offering, org_id))


def generation(key: str) -> str:
    """The key of a call's generation; LLM steps name it so too."""
    return uuid4(bits(key, "generation"), bits(key, "generation low"))


def group(turn_key: str) -> str:
    """The group of a turn's generations."""
    return uuid4(bits(turn_key, "group"), bits(turn_key, "group low"))


def _request(key: str) -> str:
    return uuid4(bits(key, "request"), bits(key, "request low"))


def _response(key: str) -> str:
    return f"'chatcmpl-' || {hexadecimal(key, 'response')}"
