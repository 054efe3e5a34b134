{{ config(
    materialized='incremental',
    incremental_strategy='append',
    on_schema_change='fail',
    pre_hook="{{ delete_touched_days() }}"
) }}

with sessions as (
    select summary.*
    from {{ ref('session_summary') }} as summary
    inner join {{ ref('int_sessions') }} as touched
        on summary.session_id = touched.session_id and summary.session_date = touched.session_date
),

transitions as (
    -- Into each turn that has a topic: from the topic before it, or from the start.
    select
        session_id,
        coalesce(previous_topic, '(start)') as from_topic,
        topic as to_topic,
    from {{ ref('int_turns') }}
    where topic is not null

    union all

    -- Into what no turn is known of.
    select
        session_id,
        '(start)' as from_topic,
        '(unknown)' as to_topic,
    from sessions
    where turn_count is null
        and session_id not in (select session_id from {{ ref('int_turns') }} where topic is not null)

    union all

    -- Out of each session once; one without any topic goes from start to end.
    select
        session_id,
        case when topic_count = 0 then '(start)' else last_topic end as from_topic,
        '(end)' as to_topic,
    from sessions
)

select
    sessions.org_id,
    sessions.source_system,
    sessions.agent_name,
    sessions.session_date,
    transitions.from_topic,
    transitions.to_topic,
    {{ whole_number('count(*)') }} as transitions,
    {{ whole_number('count(distinct sessions.session_id)') }} as sessions,
    {{ whole_number('case when count(sessions.is_preview) = count(*) then count(distinct case when sessions.is_preview then sessions.session_id end) end') }} as preview_sessions,
from transitions
inner join sessions on transitions.session_id = sessions.session_id
group by
    sessions.org_id,
    sessions.source_system,
    sessions.agent_name,
    sessions.session_date,
    transitions.from_topic,
    transitions.to_topic
