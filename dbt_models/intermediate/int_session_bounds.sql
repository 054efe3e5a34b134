with ends as (
    select
        session_id,
        max(coalesce(ended_at, started_at)) as end_interaction_at,
    from {{ ref('int_interactions') }}
    where interaction_type = 'SESSION_END'
    group by session_id
)

select
    sessions.source_system,
    sessions.org_id,
    sessions.session_id,
    sessions.session_date,
    sessions.started_at,
    coalesce(sessions.ended_at, ends.end_interaction_at) as ended_at,
    {{ milliseconds_between('sessions.started_at', 'coalesce(sessions.ended_at, ends.end_interaction_at)') }} as duration_ms,
from {{ ref('int_sessions') }} as sessions
left join ends on sessions.session_id = ends.session_id
