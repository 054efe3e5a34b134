-- A rewritten clock can show a participant twice, under its old name and its new one.
with participants as (
    select
        sessions.source_system,
        sessions.org_id,
        sessions.session_date,
        participants.*,
        {{ newest_reading('participants.session_id, participants.participant_id') }} as reading_rank,
    from {{ ref('stg_participants') }} as participants
    inner join {{ ref('int_sessions') }} as sessions
        on participants.session_id = sessions.session_id
        and {{ in_child_horizon('participants.lake_date', 'sessions.session_date') }}
),

agent_rows as (
    select
        source_system,
        org_id,
        session_id,
        session_date,
        agent_name,
        agent_version,
        agent_type,
        joined_at as seen_at,
        participant_id as row_id,
        1 as source_rank,
        'participant' as agent_rule,
    from participants
    -- The name also stands on USER rows of some orgs, where it says nothing about who answered.
    where reading_rank = 1 and participant_role = 'AGENT' and agent_name is not null

    union all

    select
        source_system,
        org_id,
        session_id,
        session_date,
        agent_name,
        agent_version,
        null as agent_type,
        started_at as seen_at,
        moment_id as row_id,
        2 as source_rank,
        'moment' as agent_rule,
    from {{ ref('int_moments') }}
    where agent_name is not null
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
