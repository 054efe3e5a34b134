{{ config(
    materialized='incremental',
    incremental_strategy='append',
    on_schema_change='fail',
    pre_hook="{{ delete_touched_days() }}"
) }}

with spans as (
    -- TOPIC_STEP spans the steps of its topic, so it explains nothing; what reaches out of the turn is cut.
    select
        turns.session_id,
        turns.interaction_id,
        steps.step_id,
        steps.step_class,
        greatest(steps.started_at, turns.started_at) as span_start,
        least(steps.ended_at, turns.ended_at) as span_end,
    from {{ ref('int_steps') }} as steps
    inner join {{ ref('int_turns') }} as turns
        on steps.session_id = turns.session_id and steps.interaction_id = turns.interaction_id
    where
        steps.step_class <> 'topic'
        and steps.duration_ms is not null
        and turns.duration_ms is not null
),

ordered as (
    select
        *,
        max(span_end) over (
            partition by session_id, interaction_id
            order by span_start, span_end desc, step_id
            rows between unbounded preceding and 1 preceding
        ) as covered_until,
    from spans
    where span_end > span_start
),

-- Each millisecond once, for the step that started first.
covered as (
    select
        session_id,
        interaction_id,
        step_class,
        coalesce({{ milliseconds_between('greatest(span_start, coalesce(covered_until, span_start))', 'span_end') }}, 0) as covered_ms,
    from ordered
),

classes as (
    select
        session_id,
        interaction_id,
        sum(case when step_class = 'llm' then covered_ms else 0 end) as llm_ms,
        sum(case when step_class = 'action' then covered_ms else 0 end) as action_ms,
        sum(case when step_class = 'guardrail' then covered_ms else 0 end) as guardrail_ms,
        sum(case when step_class = 'groundedness' then covered_ms else 0 end) as groundedness_ms,
        sum(case when step_class = 'other' then covered_ms else 0 end) as other_ms,
        sum(covered_ms) as explained_ms,
    from covered
    group by session_id, interaction_id
),

steps as (
    select
        session_id,
        interaction_id,
        count(*) as step_count,
        count(*) - count(duration_ms) as untimed_step_count,
        sum(case when is_error then 1 else 0 end) as error_count,
        max(case when is_error is null then 1 else 0 end) as has_unknown_error,
        max(case when step_class is null then 1 else 0 end) as has_unknown_class,
    from {{ ref('int_steps') }}
    group by session_id, interaction_id
),

inputs as (
    select session_id, interaction_id, min(sent_at) as asked_at
    from {{ ref('int_messages') }}
    where lower(message_type) = 'input'
    group by session_id, interaction_id
),

outputs as (
    select
        messages.session_id,
        messages.interaction_id,
        inputs.asked_at,
        min(messages.sent_at) as answered_at,
    from {{ ref('int_messages') }} as messages
    inner join inputs
        on messages.session_id = inputs.session_id
        and messages.interaction_id = inputs.interaction_id
        and messages.sent_at >= inputs.asked_at
    where lower(messages.message_type) = 'output'
    group by messages.session_id, messages.interaction_id, inputs.asked_at
),

turns as (
    select
        turns.*,
        sessions.agent_name,
        sessions.is_preview,
        held.object_name is not null as has_steps,
        held.object_name is not null
            and turns.duration_ms is not null
            and coalesce(steps.has_unknown_class, 0) = 0
            -- Steps without any time explain nothing, which is not to say that nothing ran.
            and coalesce(steps.untimed_step_count < steps.step_count, true) as is_known,
        steps.step_count,
        steps.untimed_step_count,
        steps.error_count,
        steps.has_unknown_error,
    from {{ ref('int_turns') }} as turns
    inner join {{ ref('session_summary') }} as sessions
        on turns.session_id = sessions.session_id and turns.session_date = sessions.session_date
    left join steps
        on turns.session_id = steps.session_id and turns.interaction_id = steps.interaction_id
    left join {{ ref('int_held_objects') }} as held
        on turns.session_date = held.session_date and held.object_name = 'steps'
)

select
    turns.session_id,
    turns.interaction_id,
    turns.turn_number,
    turns.org_id,
    turns.source_system,
    turns.agent_name,
    turns.is_preview,
    turns.session_date,
    turns.topic,
    turns.started_at,
    turns.ended_at,
    turns.duration_ms,
    {%- for each in ['llm', 'action', 'guardrail', 'groundedness', 'other'] %}
    {{ whole_number('case when turns.is_known then coalesce(classes.' ~ each ~ '_ms, 0) end') }} as {{ each }}_ms,
    {%- endfor %}
    {{ whole_number('case when turns.is_known then turns.duration_ms - coalesce(classes.explained_ms, 0) end') }} as unexplained_ms,
    {{ whole_number('case when turns.has_steps then coalesce(turns.step_count, 0) end') }} as step_count,
    {{ whole_number('case when turns.has_steps then coalesce(turns.untimed_step_count, 0) end') }} as untimed_step_count,
    {{ milliseconds_between('outputs.asked_at', 'outputs.answered_at') }} as response_ms,
    {{ whole_number('case when turns.has_steps and coalesce(turns.has_unknown_error, 0) = 0 then coalesce(turns.error_count, 0) end') }} as error_count,
from turns
left join classes
    on turns.session_id = classes.session_id and turns.interaction_id = classes.interaction_id
left join outputs
    on turns.session_id = outputs.session_id and turns.interaction_id = outputs.interaction_id
