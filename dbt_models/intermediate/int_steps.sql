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
)

select
    source_system,
    org_id,
    session_id,
    session_date,
    interaction_id,
    step_id,
    step_type,
    is_step_type_missing,
    step_name,
    started_at,
    ended_at,
    duration_ms,
    case
        when error_text is not null then true
        when output_status in ('error', 'failed', 'failure') then true
        when is_error_text_held then false
    end as is_error,
from ranked
where reading_rank = 1
