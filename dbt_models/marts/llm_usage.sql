{{ config(
    materialized='incremental',
    incremental_strategy='append',
    on_schema_change='fail',
    pre_hook="{{ delete_touched_days() }}"
) }}

with calls as (
    select
        calls.*,
        org.org_id,
        org.source_system,
        coalesce(sessions.agent_name, calls.tagged_agent, '(unknown)') as agent_name,
        sessions.is_preview,
    from {{ ref('int_llm_calls') }} as calls
    cross join control.org as org
    left join {{ ref('session_summary') }} as sessions
        on calls.session_id = sessions.session_id and calls.session_date = sessions.session_date
),

counted as (
    select
        org_id,
        source_system,
        agent_name,
        session_date,
        is_preview,
        counted_from,
        provider,
        model,
        feature,
        count(*) as calls,
        count(distinct session_id) as sessions,
        count(*) - count(session_id) as unbound_calls,
        count(total_tokens) as calls_with_tokens,
        sum(prompt_tokens) as prompt_tokens,
        sum(completion_tokens) as completion_tokens,
        sum(total_tokens) as total_tokens,
        count(cost_usd) as priced_calls,
        -- Floating sums depend on their order; a rounded sum of cents of cents does not.
        round(sum(cast(cost_usd as decimal(28, 12))), 9) as priced_cost_usd,
        count(duration_ms) as timed_calls,
        sum(duration_ms) as total_ms,
        max(duration_ms) as max_ms,
        {{ duration_sketch('duration_ms') }} as duration_sketch,
    from calls
    group by org_id, source_system, agent_name, session_date, is_preview, counted_from, provider, model, feature
)

select
    org_id,
    source_system,
    agent_name,
    session_date,
    is_preview,
    counted_from,
    provider,
    model,
    feature,
    {{ whole_number('calls') }} as calls,
    {{ whole_number('sessions') }} as sessions,
    {{ whole_number('unbound_calls') }} as unbound_calls,
    {{ whole_number('calls_with_tokens') }} as calls_with_tokens,
    {{ whole_number('prompt_tokens') }} as prompt_tokens,
    {{ whole_number('completion_tokens') }} as completion_tokens,
    {{ whole_number('total_tokens') }} as total_tokens,
    cast(case when priced_calls = calls then priced_cost_usd end as double) as cost_usd,
    {{ whole_number('priced_calls') }} as priced_calls,
    cast(priced_cost_usd as double) as priced_cost_usd,
    {{ whole_number('timed_calls') }} as timed_calls,
    {{ whole_number('total_ms') }} as total_ms,
    {{ whole_number('max_ms') }} as max_ms,
    {{ sketch_percentile('duration_sketch', 0.5) }} as p50_ms,
    {{ sketch_percentile('duration_sketch', 0.95) }} as p95_ms,
    {{ sketch_percentile('duration_sketch', 0.99) }} as p99_ms,
    duration_sketch,
from counted
