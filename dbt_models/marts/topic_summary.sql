{{ config(
    materialized='incremental',
    incremental_strategy='append',
    on_schema_change='fail',
    pre_hook="{{ delete_touched_days() }}"
) }}

with actions as (
    select
        session_id,
        interaction_id,
        count(case when step_type = 'ACTION_STEP' then 1 end) as action_step_count,
        sum(case when is_error then 1 else 0 end) as action_error_count,
        max(case when is_error is null or is_step_type_missing then 1 else 0 end) as has_unknown_error,
        max(case when is_step_type_missing then 1 else 0 end) as has_unknown_type,
    from {{ ref('int_steps') }}
    where step_type = 'ACTION_STEP' or is_step_type_missing
    group by session_id, interaction_id
),

turns as (
    select
        sessions.org_id,
        sessions.source_system,
        sessions.agent_name,
        sessions.session_date,
        coalesce(turns.topic, '(none)') as topic,
        turns.session_id,
        turns.duration_ms,
        sessions.is_preview,
        sessions.outcome,
        actions.action_step_count,
        actions.action_error_count,
        actions.has_unknown_error,
        actions.has_unknown_type,
    from {{ ref('int_turns') }} as turns
    inner join {{ ref('session_summary') }} as sessions
        on turns.session_id = sessions.session_id and turns.session_date = sessions.session_date
    left join actions
        on turns.session_id = actions.session_id and turns.interaction_id = actions.interaction_id
),

counted as (
    select
        org_id,
        source_system,
        agent_name,
        session_date,
        topic,
        {{ whole_number('count(*)') }} as turn_count,
        {{ whole_number('count(distinct session_id)') }} as sessions,
        {{ whole_number('case when count(is_preview) = count(*) then count(distinct case when is_preview then session_id end) end') }} as preview_sessions,
        {{ percentile('duration_ms', 0.5) }} as median_turn_ms,
        {{ percentile('duration_ms', 0.95) }} as p95_turn_ms,
        {{ whole_number('case when max(has_unknown_type) = 1 then null else coalesce(sum(action_step_count), 0) end') }} as action_step_count,
        {{ whole_number('case when max(has_unknown_error) = 1 then null else coalesce(sum(action_error_count), 0) end') }} as action_error_count,
        {{ whole_number("case when count(outcome) > 0 then count(distinct case when outcome = 'escalated' then session_id end) end") }} as escalated_sessions,
        {{ whole_number('count(distinct case when outcome is null then session_id end)') }} as unknown_outcome_sessions,
        {{ whole_number("case when count(is_preview) = count(*) and count(case when not is_preview then outcome end) > 0 then count(distinct case when outcome = 'escalated' and not is_preview then session_id end) end") }} as rated_escalated_sessions,
    from turns
    group by org_id, source_system, agent_name, session_date, topic
)

select
    org_id,
    source_system,
    agent_name,
    session_date,
    topic,
    turn_count,
    sessions,
    preview_sessions,
    median_turn_ms,
    p95_turn_ms,
    action_step_count,
    action_error_count,
    escalated_sessions,
    unknown_outcome_sessions,
    rated_escalated_sessions,
    cast(rated_escalated_sessions as double) / nullif(sessions - preview_sessions, 0) as escalation_share,
from counted
