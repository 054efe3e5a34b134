{{ config(
    materialized='incremental',
    incremental_strategy='append',
    on_schema_change='fail',
    pre_hook="{{ delete_touched_days() }}"
) }}

with steps as (
    select
        sessions.org_id,
        sessions.source_system,
        sessions.agent_name,
        sessions.session_date,
        sessions.is_preview,
        coalesce(steps.step_type, '(unknown)') as step_type,
        coalesce(
            case when steps.step_type = 'TOPIC_STEP' then {{ topic_without_suffix('steps.step_name') }} else steps.step_name end,
            '(none)'
        ) as step_name,
        steps.session_id,
        steps.duration_ms,
        steps.is_error,
        case when steps.is_error then {{ error_class('steps.error_text') }} end as error_class,
    from {{ ref('int_steps') }} as steps
    inner join {{ ref('session_summary') }} as sessions
        on steps.session_id = sessions.session_id and steps.session_date = sessions.session_date
),

counted as (
    select
        org_id,
        source_system,
        agent_name,
        session_date,
        is_preview,
        step_type,
        step_name,
        count(*) as calls,
        count(distinct session_id) as sessions,
        count(is_error) as known_calls,
        count(case when is_error then 1 end) as error_count,
        {%- for each in error_classes() %}
        count(case when error_class = '{{ each }}' then 1 end) as {{ each }}_errors,
        {%- endfor %}
        count(case when duration_ms > 10000 then 1 end) as slow_calls,
        count(duration_ms) as timed_calls,
        sum(duration_ms) as total_ms,
        max(duration_ms) as max_ms,
        {{ duration_sketch('duration_ms') }} as duration_sketch,
    from steps
    group by org_id, source_system, agent_name, session_date, is_preview, step_type, step_name
)

select
    org_id,
    source_system,
    agent_name,
    session_date,
    is_preview,
    step_type,
    step_name,
    {{ whole_number('calls') }} as calls,
    {{ whole_number('sessions') }} as sessions,
    {{ whole_number('case when known_calls > 0 then error_count end') }} as error_count,
    {{ whole_number('calls - known_calls') }} as unknown_error_count,
    cast(error_count as double) / nullif(known_calls, 0) as error_share,
    {%- for each in error_classes() %}
    {{ whole_number('case when known_calls > 0 then ' ~ each ~ '_errors end') }} as {{ each }}_errors,
    {%- endfor %}
    {{ whole_number('case when timed_calls > 0 then slow_calls end') }} as slow_calls,
    {{ whole_number('timed_calls') }} as timed_calls,
    {{ whole_number('total_ms') }} as total_ms,
    {{ whole_number('max_ms') }} as max_ms,
    {{ sketch_percentile('duration_sketch', 0.5) }} as p50_ms,
    {{ sketch_percentile('duration_sketch', 0.95) }} as p95_ms,
    {{ sketch_percentile('duration_sketch', 0.99) }} as p99_ms,
    duration_sketch,
from counted
