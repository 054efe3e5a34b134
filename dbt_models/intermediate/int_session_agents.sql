with agent_rows as (
    select
        sessions.source_system,
        sessions.org_id,
        sessions.session_id,
        sessions.session_date,
        participants.agent_name,
        participants.agent_version,
        participants.agent_type,
        participants.joined_at as seen_at,
        participants.participant_id as row_id,
        1 as source_rank,
        'participant' as agent_rule,
    from {{ ref('stg_participants') }} as participants
    inner join {{ ref('int_sessions') }} as sessions
        on participants.session_id = sessions.session_id
        and {{ in_child_horizon('participants.lake_date', 'sessions.session_date') }}
    -- The name also stands on USER rows of some orgs, where it says nothing about who answered.
    where participants.participant_role = 'AGENT' and participants.agent_name is not null

    union all

    select
        sessions.source_system,
        sessions.org_id,
        sessions.session_id,
        sessions.session_date,
        moments.agent_name,
        moments.agent_version,
        null as agent_type,
        moments.started_at as seen_at,
        moments.moment_id as row_id,
        2 as source_rank,
        'moment' as agent_rule,
    from {{ ref('stg_moments') }} as moments
    inner join {{ ref('int_sessions') }} as sessions
        on moments.session_id = sessions.session_id
        and {{ in_child_horizon('moments.lake_date', 'sessions.session_date') }}
    where moments.agent_name is not null
),

ranked as (
    select
        *,
        row_number() over (
            partition by session_id
            order by source_rank, seen_at, row_id, agent_name, agent_version nulls last
        ) as agent_rank,
        max(case when source_rank = 1 then agent_name end) over (partition by session_id)
        is distinct from
        min(case when source_rank = 1 then agent_name end) over (partition by session_id)
            as has_several_agents,
    from agent_rows
)

select
    source_system,
    org_id,
    session_id,
    session_date,
    agent_name,
    agent_version,
    agent_type,
    agent_rule,
    has_several_agents,
from ranked
where agent_rank = 1
