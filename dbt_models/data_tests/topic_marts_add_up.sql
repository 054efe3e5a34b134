{{ config(meta={'dagster': {'ref': {'name': 'topic_routing'}}}) }}

-- Per org, source, agent and day: sessions enter once and leave once, what goes into a topic comes
-- out of it, changes of topic and turns are those of the session summary.
with summary as (
    select
        org_id,
        source_system,
        agent_name,
        session_date,
        count(*) as sessions,
        sum(turn_count) as turns,
        sum(topic_switch_count) as switches,
        -- Of what an org does not say nothing adds up.
        count(turn_count) = count(*) as knows_turns,
        count(topic_switch_count) = count(*) as knows_switches,
    from {{ ref('session_summary') }}
    group by org_id, source_system, agent_name, session_date
),

routing as (
    select
        org_id,
        source_system,
        agent_name,
        session_date,
        sum(case when from_topic = '(start)' then transitions else 0 end) as entries,
        sum(case when to_topic = '(end)' then transitions else 0 end) as exits,
        sum(case when from_topic <> '(start)' and to_topic <> '(end)' and from_topic <> to_topic then transitions else 0 end) as switches,
        max(case when sessions > transitions then 1 else 0 end) as has_too_many_sessions,
    from {{ ref('topic_routing') }}
    group by org_id, source_system, agent_name, session_date
),

topics as (
    select
        org_id,
        source_system,
        agent_name,
        session_date,
        sum(turn_count) as turns,
        max(case when sessions > turn_count or p95_turn_ms < median_turn_ms or escalation_share > 1 then 1 else 0 end) as has_fault,
    from {{ ref('topic_summary') }}
    group by org_id, source_system, agent_name, session_date
),

nodes as (
    select org_id, source_system, agent_name, session_date, to_topic as topic, transitions as flow
    from {{ ref('topic_routing') }}
    where to_topic <> '(end)'
    union all
    select org_id, source_system, agent_name, session_date, from_topic as topic, -transitions as flow
    from {{ ref('topic_routing') }}
    where from_topic <> '(start)'
)

select summary.agent_name, summary.session_date, 'totals' as fault
from summary
left join routing using (org_id, source_system, agent_name, session_date)
left join topics using (org_id, source_system, agent_name, session_date)
where
    routing.entries is distinct from summary.sessions
    or routing.exits is distinct from summary.sessions
    or (summary.knows_switches and routing.switches is distinct from summary.switches)
    or routing.has_too_many_sessions = 1
    or (summary.knows_turns and coalesce(topics.turns, 0) <> summary.turns)
    or topics.has_fault = 1

union all

select agent_name, session_date, 'flow of ' || topic as fault
from nodes
group by org_id, source_system, agent_name, session_date, topic
having sum(flow) <> 0

union all

select agent_name, session_date, 'no such session' as fault
from (select * from routing union all by name select * from topics) as rows_of_marts
where not exists (
    select 1 from summary
    where summary.org_id = rows_of_marts.org_id
        and summary.source_system = rows_of_marts.source_system
        and summary.agent_name = rows_of_marts.agent_name
        and summary.session_date = rows_of_marts.session_date
)
