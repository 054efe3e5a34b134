"""What the platform itself logs: spans of traced turns, metered use, records that ground an answer.

Belongs here: rows of telemetry spans, generative AI usage, attached records, citations, retriever
quality metrics. Does not: calls (`calls.py`). No diagnostics of LLMs: no org was seen to have any.
"""

from __future__ import annotations

import duckdb

from stdm_platform.catalog import dmo
from stdm_platform.sandbox.generator.draws import (
    bits,
    child,
    hexadecimal,
    instant,
    share,
    uuid4,
)
from stdm_platform.sandbox.generator.tables import insert_sql

TRACED_SHARE = 0.5
"""Turns with spans; 0.35 of all have the trace in its column, the others in their attributes only."""
RETRIEVAL_SHARE = 0.5


def insert_platform_rows(con: duckdb.DuckDBPyConnection, org_id: str) -> None:
    """Insert all of them."""
    _insert_spans(con, org_id)
    _insert_usage(con, org_id)
    _insert_grounding(con, org_id)
    _insert_metrics(con, org_id)


def _insert_spans(con: duckdb.DuckDBPyConnection, org_id: str) -> None:
    """One span for each traced turn, one below it for each step."""
    trace = hexadecimal("t", "trace", 16) + " || " + hexadecimal("t", "trace more", 16)
    root = hexadecimal("t", "span", 16)
    values = {
        "span_id": f"CASE WHEN p IS NULL THEN {root} ELSE {hexadecimal('p', 'span')} END",
        "telemetry_trace_id": trace,
        "parent_span_id": f"CASE WHEN p IS NULL THEN repeat('0', 16) ELSE {root} END",
        "operation_name": "CASE WHEN p IS NULL THEN 'run.interaction' WHEN kind = 'action' THEN 'run.action.' || action WHEN kind = 'topic' THEN 'run.topic.' || topic ELSE 'run.llmstep' END",
        "service_name": "CASE WHEN kind = 'action' THEN 'InvocableAction' ELSE 'Atlas Reasoning Engine' END",
        "span_kind": "CASE WHEN p IS NULL THEN 'SERVER' ELSE 'INTERNAL' END",
        "status_code": "CASE WHEN failed THEN 'ERROR' ELSE 'OK' END",
        "started_at": instant("span_start_ms"),
        "ended_at": instant("span_end_ms"),
        "duration_number": "(span_end_ms - span_start_ms) * 1000000",
        "span_attribute_text": "'{}'",
        "span_event_text": "'[]'",
    }
    traced = f"shape <> 'end' AND {share('t.t', 'trace is kept')} < {TRACED_SHARE}"
    source = f"""FROM (
        SELECT t.t, NULL AS p, NULL AS kind, NULL AS action, topic, false AS failed, start_ms AS span_start_ms, end_ms AS span_end_ms
        FROM work_turn t WHERE {traced}
        UNION ALL SELECT t.t, p.p, p.kind, p.action, topic, p.failed, start_ms + step_end_ms - step_ms, start_ms + step_end_ms
        FROM work_turn t JOIN work_step p ON p.t = t.t WHERE {traced})"""
    con.execute(insert_sql(dmo("telemetry_spans"), values, source, org_id))


def _insert_usage(con: duckdb.DuckDBPyConnection, org_id: str) -> None:
    """One row per action, metered, and one per answer."""
    values = {
        "usage_id": uuid4(bits("k", "usage"), bits("k", "usage low")),
        "session_id": "s.session_id",
        "interaction_id": "interaction_id",
        "occurred_at": instant("used_ms"),
        "agent_api_name": "s.agent_name",
        "agent_id": "s.planner_id18",
        "agent_type": "s.agent_type",
        "tool_name": "action",
        "tool_target": "CASE WHEN action IS NOT NULL THEN 'flow' END",
        "usage_type": "CASE WHEN action IS NULL THEN 'Agentforce_Prompt' ELSE 'Agentforce_CustomAction' END",
        "usage_quantity": "CASE WHEN action IS NULL THEN 0 ELSE 1 END",
        "unit_type": "'ACTION'",
        "is_billable": "NOT s.is_preview AND action IS NOT NULL",
        "is_metered": "action IS NOT NULL",
        "metering_skip_reason": "CASE WHEN action IS NULL THEN 'INCLUDED' END",
        "gateway_feature": "CASE WHEN action IS NULL THEN 'EmployeeAssistant' END",
        "gateway_model": "model",
        "model_provider": "CASE WHEN model IS NOT NULL THEN 'openai' END",
        "provider_model": "model",
        "prompt_tokens": "prompt_tokens",
        "completion_tokens": "completion_tokens",
        "total_tokens": "prompt_tokens + completion_tokens",
        "request_id": "request_id",
        "user_id": "s.owner_id",
    }
    source = f"""FROM (
        SELECT h, t.t, t.interaction_id, {child("p.p", "7100")} AS k, t.start_ms + step_end_ms AS used_ms, action,
            NULL AS model, NULL AS prompt_tokens, NULL AS completion_tokens, NULL AS request_id
        FROM work_step p JOIN work_turn t USING (h, t) WHERE kind = 'action'
        UNION ALL SELECT c.h, t.t, t.interaction_id, {child("c.c", "7200")}, answered_ms, NULL, model, prompt_tokens, completion_tokens, request_id
        FROM work_call c JOIN work_turn t ON t.t = c.t WHERE is_final
    ) u JOIN work_session s USING (h)"""
    con.execute(insert_sql(dmo("genai_usage"), values, source, org_id))


def _insert_grounding(con: duckdb.DuckDBPyConnection, org_id: str) -> None:
    """Calls of prompt templates are grounded in records, and cite them."""
    record = uuid4(bits("c", "record"), bits("c", "record low"))
    document = _document()
    values = {
        "gateway_record_id": record,
        "parent_id": "request_id",
        "record_id": document,
        "record_type": "'ssot__KnowledgeArticleVersion__dlm'",
        "record_name": "'Fare rules & refunds'",
        "record_value": f"'/lightning/r/Knowledge__kav/' || {document} || '/view'",
        "metadata_text": "'{}'",
        "feature": "feature",
        "occurred_at": instant("asked_ms"),
        "cloud": "'Platform'",
    }
    nested = "FROM work_call c WHERE kind = 'nested'"
    con.execute(insert_sql(dmo("gateway_records"), values, nested, org_id))
    values = {
        "citation_id": uuid4(bits("c", "citation"), bits("c", "citation low")),
        "gateway_record_id": record,
        "citation_text": "'Fare rules, section 2'",
        "feature": "feature",
        "occurred_at": instant("answered_ms"),
        "cloud": "'Platform'",
    }
    con.execute(insert_sql(dmo("citations"), values, nested, org_id))


def _insert_metrics(con: duckdb.DuckDBPyConnection, org_id: str) -> None:
    """Scores of what was retrieved for half of those calls."""
    document = _document()
    values = {
        "retriever_quality_metric_id": uuid4(bits("c", "metric"), bits("c", "metric low")),
        "gateway_request_id": "request_id",
        "retriever_request_id": uuid4(bits("c", "retrieval"), bits("c", "retrieval low")),
        "generation_id": "generation_id",
        "retriever_api_name": "'File_Knowledge_1Cx'",
        "retriever_trace_id": "'NOT_SET'",
        "retriever_trace_span_id": "'NOT_SET'",
        "user_utterance_text": "t.utterance",
        "response_text": "'A short summary.'",
        "faithfulness_score": f"round(1 - pow({share('c', 'faithful')}, 3), 4)",
        "answer_relevancy_score": f"round(1 - pow({share('c', 'relevant')}, 2), 4)",
        "context_precision_score": f"round({share('c', 'precise')}, 4)",
        "retrieved_context_ids": f"concat('[\"', {document}, '\"]')",
        "source_document_ids": f"concat('[\"', {document}, '\"]')",
        "measured_at": instant("answered_ms + 600000"),
        "last_processed_at": instant("asked_ms"),
        "created_at": instant("answered_ms + 600000"),
        "modified_at": instant("answered_ms + 600000"),
        "system_modified_at": instant("answered_ms + 600000"),
    }
    scored = f"FROM work_call c JOIN work_turn t ON t.t = c.t WHERE kind = 'nested' AND {share('c', 'is scored')} < {RETRIEVAL_SHARE}"
    con.execute(insert_sql(dmo("retriever_quality_metrics"), values, scored, org_id))


def _document() -> str:
    return f"'ka0Qy0000' || {hexadecimal('c', 'document', 6)}"
