{{ config(materialized='table') }}

with ranked as (
    select
        sessions.source_system,
        sessions.org_id,
        sessions.session_date,
        moments.*,
        {{ newest_reading('sessions.session_id, moments.moment_id') }} as reading_rank,
    from {{ ref('stg_moments') }} as moments
    inner join {{ ref('int_sessions') }} as sessions
        on moments.session_id = sessions.session_id
        and {{ in_child_horizon('moments.lake_date', 'sessions.session_date') }}
)

select
    source_system,
    org_id,
    session_id,
    session_date,
    moment_id,
    agent_name,
    agent_version,
    request_summary,
    response_summary,
    started_at,
    ended_at,
from ranked
where reading_rank = 1
