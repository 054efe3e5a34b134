{{ config(
    materialized='incremental',
    incremental_strategy='append',
    on_schema_change='fail',
    pre_hook="{{ delete_touched_days() }}"
) }}

select
    org_id,
    source_system,
    agent_name,
    session_date,
    is_preview,
    step_name as action_name,
    calls,
    sessions,
    error_count,
    unknown_error_count,
    error_share,
    {%- for each in error_classes() %}
    {{ each }}_errors,
    {%- endfor %}
    slow_calls,
    timed_calls,
    total_ms,
    max_ms,
    p50_ms,
    p95_ms,
    p99_ms,
    duration_sketch,
from {{ ref('step_summary') }}
where
    step_type = 'ACTION_STEP'
    and session_date in (select day from control.touched_days)
