{{ config(materialized='table') }}

-- The rank comes after the join: a copy outside the horizon must not win over one inside it, or a
-- build that sees more days would give other rows than one that sees fewer.
with ranked as (
    select
        sessions.source_system,
        sessions.org_id,
        sessions.session_date,
        interactions.*,
        {{ newest_reading('interactions.session_id, interactions.interaction_id') }} as reading_rank,
    from {{ ref('stg_interactions') }} as interactions
    inner join {{ ref('int_sessions') }} as sessions
        on interactions.session_id = sessions.session_id
        and {{ in_child_horizon('interactions.lake_date', 'sessions.session_date') }}
)

select
    source_system,
    org_id,
    session_id,
    session_date,
    interaction_id,
    previous_interaction_id,
    interaction_type,
    is_interaction_type_missing,
    topic,
    started_at,
    ended_at,
    duration_ms,
from ranked
where reading_rank = 1
