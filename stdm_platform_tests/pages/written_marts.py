"""Marts written by formula: any number of days and sessions, with all that the report asks.

Not what dbt builds (the tests of `marts` prove that), but the columns of the contract, so that a page over 30
million records costs seconds to set up. Agents, topics and outcomes go round by the number of the session.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path

import duckdb

from stdm_platform.marts import MartStore
from stdm_platform.marts.sketch import macros_sql

FIRST_DAY = date(2026, 1, 5)
TOPICS = ("Orders", "Returns", "Billing", "Account_Access", "Small_Talk", "Loyalty")

WHO = "'00Dxx' as org_id, 'agentforce' as source_system"
NUMBERS = """
    with days as (select date '{first}' + d::integer as session_date, d from range({days}) as t (d)),
    sessions as (
        select
            session_date, d, s,
            'session-' || d || '-' || s as session_id,
            case when s % 5 = 0 then 'Refund_Bot' else 'Order_Support' end as agent_name,
            s % 10 = 9 as is_preview
        from days, range({sessions}) as t (s)
    )
"""
MARTS = {
    "session_summary": f"""
        select session_id, {WHO}, agent_name, 'v1' as agent_version, 'Web' as channel, is_preview, session_date,
            session_date::timestamptz + to_seconds(s % 86000) as started_at, (s % 7) * 9000::bigint as duration_ms,
            4::bigint as turn_count, 0::bigint as error_count, 0::bigint as action_error_count,
            case s % 4 when 0 then 'escalated' when 1 then 'deflected' end as outcome,
            case when s % 6 = 0 then 'settling' else 'complete' end as completeness
        from sessions""",
    "session_outcome": f"""
        select session_id, {WHO}, agent_name, is_preview, session_date, definition, 'v1' as definition_version,
            case
                when definition = 'end_type' then null
                when definition in ('session_end_step', 'judge')
                    then case s % 4 when 0 then 'escalated' when 1 then 'deflected' end
                when definition = 'containment' then case s % 3 when 0 then 'escalated' else 'contained' end
                when definition = 'engagement' then case s % 8 when 0 then 'not_engaged' else 'engaged' end
                when definition = 'quality_score' then (['high', 'medium', 'low'])[s % 3 + 1]
            end as outcome,
            'no_sign' as reason
        from sessions, unnest(['end_type', 'session_end_step', 'judge', 'router', 'containment', 'engagement',
            'short_abandoned', 'quality_score']) as t (definition)""",
    "turn_latency": f"""
        select session_id, session_id || '-' || turn as interaction_id, turn as turn_number, agent_name, is_preview,
            session_date, {WHO}, 1000 + (s * 37 + turn * 11) % 9000 as duration_ms, 500::bigint as llm_ms,
            100 + (s * 37 + turn * 11) % 4000 as action_ms, 50::bigint as guardrail_ms, 40::bigint as groundedness_ms,
            10::bigint as other_ms,
            300 + (s * 37 + turn * 11) % 9000 - (s * 37 + turn * 11) % 4000 as unexplained_ms,
            900 + (s * 37 + turn * 11) % 9000 as response_ms
        from sessions, range(1, 5) as t (turn)""",
    "topic_routing": f"""
        select {WHO}, agent_name, session_date, from_topic, to_topic, transitions, transitions as sessions
        from days, (values ('Order_Support'), ('Refund_Bot')) as a (agent_name), (values
            ('(start)', 'Orders', 30), ('(start)', 'Billing', 10), ('Orders', 'Returns', 12), ('Returns', 'Orders', 3),
            ('Orders', '(end)', 21), ('Returns', '(end)', 9), ('Billing', '(end)', 10), ('Orders', 'Loyalty', 2),
            ('Loyalty', '(end)', 2)) as m (from_topic, to_topic, transitions)""",
    "topic_summary": f"""
        select {WHO}, agent_name, session_date, topic, 12::bigint as turn_count, 6::bigint as sessions,
            1::bigint as preview_sessions, 1::bigint as action_error_count, 2::bigint as escalated_sessions,
            2::bigint as rated_escalated_sessions
        from days, (values ('Order_Support'), ('Refund_Bot')) as a (agent_name), unnest({list(TOPICS)}) as t (topic)""",
    "action_summary": f"""
        select {WHO}, agent_name, session_date, false as is_preview, action_name, 'ACTION_STEP' as step_type,
            action_name as step_name, calls::bigint as calls, calls::bigint as sessions, errors::bigint as error_count,
            untold::bigint as unknown_error_count, errors::bigint as timeout_errors, 0::bigint as access_errors,
            0::bigint as not_found_errors, 0::bigint as limit_errors, 0::bigint as input_errors, 0::bigint as other_errors,
            1::bigint as slow_calls, calls::bigint as timed_calls, 12000::bigint as max_ms,
            map {{{{300::integer: calls::ubigint}}}} as duration_sketch
        from days, (values ('Order_Support'), ('Refund_Bot')) as a (agent_name), (values
            ('Orders.GetOrder', 40, 2, 0), ('Returns.CreateReturn', 20, 5, 1), ('Billing.GetInvoice', 10, 0, 0))
            as m (action_name, calls, errors, untold)""",
    "quality_daily": f"""
        select {WHO}, agent_name, session_date, false as is_preview, signal,
            case signal when 'pii' then 'not_extracted' when 'toxicity' then 'never_checked' else 'checked' end as state,
            50::bigint as sessions,
            case signal when 'pii' then null when 'toxicity' then 0 else 40 end::bigint as checks,
            case signal when 'pii' then null when 'toxicity' then 0 else 3 + d % 3 end::bigint as flagged,
            case signal when 'pii' then null else 0 end::bigint as unreadable, case signal when 'groundedness' then 1 end::bigint as delivered,
            case signal when 'pii' then null when 'toxicity' then 0 else 30 end::bigint as checked_sessions,
            case signal when 'pii' then null when 'toxicity' then 0 else 3 end::bigint as flagged_sessions
        from days, (values ('Order_Support'), ('Refund_Bot')) as a (agent_name), unnest(['groundedness', 'toxicity',
            'prompt_attack', 'pii', 'instruction_adherence', 'task_resolution']) as t (signal)""",
    "llm_usage": f"""
        select {WHO}, agent_name, session_date, false as is_preview, 'gateway_request' as counted_from,
            'OpenAI' as provider, model, 'planner' as feature, 100::bigint as calls, 90::bigint as sessions,
            100::bigint as calls_with_tokens, 40000::bigint as prompt_tokens, 9000::bigint as completion_tokens,
            49000::bigint as total_tokens, 80::bigint as priced_calls, 1.25::double as priced_cost_usd
        from days, (values ('Order_Support'), ('Refund_Bot')) as a (agent_name), (values ('gpt-4o'), ('gpt-4o-mini')) as m (model)""",
    "credit_usage": f"""
        select {WHO}, agent_name, session_date, false as is_preview, 'Prompt' as usage_type, 'gpt-4o' as model,
            true as is_billable, true as is_metered, 20::bigint as usage_rows, 20.5::double as quantity,
            1000::bigint as total_tokens
        from days, (values ('Order_Support'), ('Refund_Bot')) as a (agent_name)""",
    "observing_cost": """
        select '00Dxx' as org_id, object_name, session_date, session_date as read_date, 2::bigint as readings,
            1000::bigint as rows_read, case object_name when 'steps' then null else 1200 end::bigint as rows_processed
        from days, (values ('steps'), ('messages')) as o (object_name)""",
}  # fmt: skip


def write_marts(folder: Path, *, days: int = 3, sessions: int = 40) -> MartStore:
    """Marts of that many days with that many sessions each, as Parquet behind views, as they are published."""
    folder.mkdir(parents=True, exist_ok=True)
    numbers = NUMBERS.format(first=FIRST_DAY, days=days, sessions=sessions)
    with duckdb.connect(str(folder / "marts.duckdb")) as connection:
        connection.execute("set timezone = 'UTC'")
        connection.execute(macros_sql("marts"))
        for mart, sql in {**MARTS, "step_summary": MARTS["action_summary"]}.items():
            file = folder / f"{mart}.parquet"
            connection.execute(f"copy ({numbers} {sql.replace('{{', '{').replace('}}', '}')}) to '{file}'")  # fmt: skip
            connection.execute(f"create view {mart} as from read_parquet('{file}')")
    return MartStore(folder)
