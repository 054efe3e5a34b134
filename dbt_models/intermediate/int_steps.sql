{{ config(materialized='table') }}

with ranked as (
    select
        interactions.source_system,
        interactions.org_id,
        interactions.session_id,
        interactions.session_date,
        steps.*,
        {{ newest_reading('interactions.session_id, steps.step_id') }} as reading_rank,
    from {{ ref('stg_steps') }} as steps
    inner join {{ ref('int_interactions') }} as interactions
        on steps.interaction_id = interactions.interaction_id
        and {{ in_child_horizon('steps.lake_date', 'interactions.session_date') }}
    -- Steps of the day before are there for their keys only: their texts need not be read.
    where steps.lake_date >= {{ first_touched_day() }}
)

select
    source_system,
    org_id,
    session_id,
    session_date,
    interaction_id,
    step_id,
    previous_step_id,
    generation_id,
    gateway_request_id,
    step_type,
    is_step_type_missing,
    is_step_name_missing,
    step_name,
    case
        when step_type = 'TOPIC_STEP' then 'topic'
        -- Without a name no model call can be told from a validation, no classifier from a guardrail.
        when is_step_name_missing and step_type in ('LLM_STEP', 'CLASSIFIER_STEP') then null
        when is_groundedness then 'groundedness'
        when step_type = 'LLM_STEP' then 'llm'
        when step_type = 'ACTION_STEP' then 'action'
        when {{ is_guardrail_step('step_type', 'step_name') }} then 'guardrail'
        when not is_step_type_missing then 'other'
    end as step_class,
    started_at,
    ended_at,
    duration_ms,
    case
        when error_text is not null then true
        when output_status in ('error', 'failed', 'failure') then true
        when is_error_text_held then false
    end as is_error,
    error_text,
    is_output_held,
    is_groundedness,
    groundedness_verdict,
    groundedness_reason,
    adherence_verdict,
    resolution_verdict,
    invoked_tools,
from ranked
where reading_rank = 1
