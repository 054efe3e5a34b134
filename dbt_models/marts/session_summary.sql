{{ config(
    materialized='incremental',
    incremental_strategy='append',
    on_schema_change='fail',
    pre_hook="{{ delete_touched_days() }}"
) }}

-- What they are cannot be told, so neither how many are turns.
with untyped as (
    select distinct session_id
    from {{ ref('int_interactions') }}
    where is_interaction_type_missing
),

turns as (
    select
        session_id,
        count(*) as turn_count,
        count(distinct topic) as topic_count,
        min_by(topic, turn_number) filter (where topic is not null) as first_topic,
        max_by(topic, turn_number) filter (where topic is not null) as last_topic,
        sum(case when topic <> previous_topic then 1 else 0 end) as topic_switch_count,
        max(case when topic = '(unknown)' then 1 else 0 end) as has_unknown_topic,
    from {{ ref('int_turns') }}
    group by session_id
),

messages as (
    select
        session_id,
        sum(case when lower(message_type) = 'input' then 1 else 0 end) as user_message_count,
        sum(case when lower(message_type) = 'output' then 1 else 0 end) as agent_message_count,
        max(case when is_message_type_missing then 1 else 0 end) as has_unknown_type,
    from {{ ref('int_messages') }}
    group by session_id
),

steps as (
    select
        session_id,
        count(*) as step_count,
        sum(case when step_type = 'LLM_STEP' then 1 else 0 end) as llm_step_count,
        sum(case when step_type = 'ACTION_STEP' then 1 else 0 end) as action_step_count,
        sum(case when step_type = 'TOPIC_STEP' then 1 else 0 end) as topic_step_count,
        sum(case when step_type = 'LLM_STEP' then duration_ms end) as llm_ms,
        sum(case when step_type = 'ACTION_STEP' then duration_ms end) as action_ms,
        sum(case when is_error then 1 else 0 end) as error_count,
        sum(case when is_error and step_type = 'ACTION_STEP' then 1 else 0 end) as action_error_count,
        max(case when is_step_type_missing then 1 else 0 end) as has_unknown_type,
        -- One verdict that is unknown makes the sum unknown.
        max(case when is_error is null then 1 else 0 end) as has_unknown_error,
        max(case when is_error is null and step_type = 'ACTION_STEP' then 1 else 0 end) as has_unknown_action_error,
    from {{ ref('int_steps') }}
    group by session_id
)

select
    sessions.session_id,
    sessions.org_id,
    sessions.source_system,
    coalesce(agents.agent_name, '(unknown)') as agent_name,
    agents.agent_version,
    sessions.channel,
    sessions.is_preview,
    sessions.session_date,
    bounds.started_at,
    bounds.ended_at,
    bounds.duration_ms,
    {{ whole_number('case when untyped.session_id is null then coalesce(turns.turn_count, 0) end') }} as turn_count,
    {{ whole_number('case when messages.has_unknown_type = 1 then null else coalesce(messages.user_message_count, 0) end') }} as user_message_count,
    {{ whole_number('case when messages.has_unknown_type = 1 then null else coalesce(messages.agent_message_count, 0) end') }} as agent_message_count,
    {{ whole_number('coalesce(steps.step_count, 0)') }} as step_count,
    {{ whole_number('case when steps.has_unknown_type = 1 then null else coalesce(steps.llm_step_count, 0) end') }} as llm_step_count,
    {{ whole_number('case when steps.has_unknown_type = 1 then null else coalesce(steps.action_step_count, 0) end') }} as action_step_count,
    {{ whole_number('case when steps.has_unknown_type = 1 then null else coalesce(steps.topic_step_count, 0) end') }} as topic_step_count,
    {{ whole_number('case when steps.has_unknown_type = 1 then null when coalesce(steps.llm_step_count, 0) = 0 then 0 else steps.llm_ms end') }} as llm_ms,
    {{ whole_number('case when steps.has_unknown_type = 1 then null when coalesce(steps.action_step_count, 0) = 0 then 0 else steps.action_ms end') }} as action_ms,
    {{ whole_number('case when steps.has_unknown_error = 1 then null else coalesce(steps.error_count, 0) end') }} as error_count,
    {{ whole_number('case when steps.has_unknown_action_error = 1 or steps.has_unknown_type = 1 then null else coalesce(steps.action_error_count, 0) end') }} as action_error_count,
    coalesce(turns.first_topic, case when untyped.session_id is null then '(none)' else '(unknown)' end) as first_topic,
    coalesce(turns.last_topic, case when untyped.session_id is null then '(none)' else '(unknown)' end) as last_topic,
    {{ whole_number('case when untyped.session_id is null and coalesce(turns.has_unknown_topic, 0) = 0 then coalesce(turns.topic_count, 0) end') }} as topic_count,
    {{ whole_number('case when untyped.session_id is null and coalesce(turns.has_unknown_topic, 0) = 0 then coalesce(turns.topic_switch_count, 0) end') }} as topic_switch_count,
    outcomes.outcome,
    outcomes.outcome_rule,
    completeness.completeness,
    completeness.completeness_reason,
    coalesce(agents.agent_rule, 'none') as agent_rule,
    case when agents.agent_rule = 'participant' then agents.has_several_agents end as has_several_agents,
from {{ ref('int_sessions') }} as sessions
inner join {{ ref('int_session_bounds') }} as bounds on sessions.session_id = bounds.session_id
inner join {{ ref('int_session_outcomes') }} as outcomes on sessions.session_id = outcomes.session_id
inner join {{ ref('int_session_completeness') }} as completeness on sessions.session_id = completeness.session_id
left join {{ ref('int_session_agents') }} as agents on sessions.session_id = agents.session_id
left join untyped on sessions.session_id = untyped.session_id
left join turns on sessions.session_id = turns.session_id
left join messages on sessions.session_id = messages.session_id
left join steps on sessions.session_id = steps.session_id
