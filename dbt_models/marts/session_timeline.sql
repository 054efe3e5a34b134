{{ config(
    materialized='incremental',
    incremental_strategy='append',
    on_schema_change='fail',
    pre_hook="{{ delete_touched_days() }}"
) }}

{#- Where an event stands among those of the same instant. -#}
{%- set ranks = {'session_start': 0, 'turn': 1, 'topic_change': 2, 'input': 3, 'step': 4, 'llm_call': 5, 'error': 6, 'output': 7, 'interaction': 8, 'session_end': 9} %}

with recursive turns as (
    select
        interactions.session_id,
        interactions.interaction_id,
        interactions.interaction_type,
        interactions.topic,
        interactions.started_at,
        interactions.ended_at,
        interactions.duration_ms,
        turns.turn_number,
        turns.previous_topic,
    from {{ ref('int_interactions') }} as interactions
    left join {{ ref('int_turns') }} as turns
        on interactions.session_id = turns.session_id
        and interactions.interaction_id = turns.interaction_id
),

-- Steps of one millisecond: the chain says which comes first.
same_instant as (
    select session_id, interaction_id, started_at
    from {{ ref('int_steps') }}
    group by session_id, interaction_id, started_at
    having count(*) > 1
),

ties as (
    select
        steps.session_id,
        steps.step_id,
        steps.previous_step_id,
        steps.started_at,
    from {{ ref('int_steps') }} as steps
    inner join same_instant
        on steps.session_id = same_instant.session_id
        and steps.interaction_id = same_instant.interaction_id
        and steps.started_at = same_instant.started_at
),

links as (
    select
        ties.session_id,
        ties.step_id,
        earlier.step_id as earlier_id,
    from ties
    inner join ties as earlier
        on ties.session_id = earlier.session_id
        and ties.previous_step_id = earlier.step_id
        and ties.started_at = earlier.started_at
),

chain as (
    {{ places_in_chain('step_id') }}
),

steps as (
    select steps.*, coalesce(chain.place, 0) as place,
    from {{ ref('int_steps') }} as steps
    left join chain on steps.session_id = chain.session_id and steps.step_id = chain.step_id
),

events as (
    select
        session_id,
        started_at as event_at,
        ended_at,
        duration_ms,
        'session_start' as event_kind,
        channel as event_type,
        session_id as event_id,
        cast(null as varchar) as parent_kind,
        cast(null as varchar) as parent_id,
        cast(null as varchar) as interaction_id,
        cast(null as varchar) as step_id,
        cast(null as varchar) as name,
        cast(null as boolean) as is_error,
        cast(null as varchar) as error_text,
        cast(null as varchar) as text,
        cast(null as varchar) as generation_id,
        cast(null as varchar) as gateway_request_id,
        {{ ranks['session_start'] }} as kind_rank,
        0 as place,
    from {{ ref('session_summary') }}
    where session_date in (select day from control.touched_days)

    union all by name

    select
        session_id,
        ended_at as event_at,
        'session_end' as event_kind,
        outcome as event_type,
        session_id as event_id,
        'session' as parent_kind,
        session_id as parent_id,
        {{ ranks['session_end'] }} as kind_rank,
        0 as place,
    from {{ ref('session_summary') }}
    where ended_at is not null and session_date in (select day from control.touched_days)

    union all by name

    select
        session_id,
        started_at as event_at,
        ended_at,
        duration_ms,
        case when turn_number is null then 'interaction' else 'turn' end as event_kind,
        interaction_type as event_type,
        interaction_id as event_id,
        'session' as parent_kind,
        session_id as parent_id,
        interaction_id,
        interaction_type as name,
        case when turn_number is null then {{ ranks['interaction'] }} else {{ ranks['turn'] }} end as kind_rank,
        coalesce(turn_number, 0) as place,
    from turns

    union all by name

    select
        session_id,
        started_at as event_at,
        'topic_change' as event_kind,
        interaction_type as event_type,
        interaction_id as event_id,
        'turn' as parent_kind,
        interaction_id as parent_id,
        interaction_id,
        topic as name,
        {{ ranks['topic_change'] }} as kind_rank,
        turn_number as place,
    from turns
    where topic <> previous_topic

    union all by name

    select
        session_id,
        sent_at as event_at,
        'message' as event_kind,
        message_type as event_type,
        message_id as event_id,
        interaction_id,
        message_type as name,
        content_text as text,
        case when lower(message_type) = 'input' then {{ ranks['input'] }} else {{ ranks['output'] }} end as kind_rank,
        0 as place,
    from {{ ref('int_messages') }}

    union all by name

    select
        session_id,
        started_at as event_at,
        ended_at,
        duration_ms,
        'step' as event_kind,
        step_type as event_type,
        step_id as event_id,
        interaction_id,
        step_id,
        step_name as name,
        is_error,
        error_text,
        generation_id,
        gateway_request_id,
        {{ ranks['step'] }} as kind_rank,
        place,
    from steps

    union all by name

    select
        session_id,
        coalesce(ended_at, started_at) as event_at,
        'error' as event_kind,
        {{ error_class('error_text') }} as event_type,
        step_id as event_id,
        'step' as parent_kind,
        step_id as parent_id,
        interaction_id,
        step_id,
        step_name as name,
        is_error,
        error_text,
        {{ ranks['error'] }} as kind_rank,
        place,
    from steps
    where is_error

    union all by name

    select
        session_id,
        asked_at as event_at,
        answered_at as ended_at,
        duration_ms,
        'llm_call' as event_kind,
        model as event_type,
        gateway_request_id as event_id,
        case when step_id is not null then 'step' end as parent_kind,
        step_id as parent_id,
        interaction_id,
        step_id,
        feature as name,
        gateway_request_id,
        {{ ranks['llm_call'] }} as kind_rank,
        0 as place,
    from {{ ref('int_gateway_calls') }}
    where is_touched and session_id is not null
)

select
    events.session_id,
    {{ whole_number('row_number() over (
        partition by events.session_id
        order by events.event_at, events.kind_rank, events.place, events.duration_ms desc nulls last, events.event_id
    )') }} as event_number,
    events.event_at,
    events.ended_at,
    events.duration_ms,
    events.event_kind,
    events.event_type,
    events.event_id,
    coalesce(
        events.parent_kind,
        case
            when events.event_kind = 'session_start' then null
            when turns.turn_number is not null then 'turn'
            when turns.interaction_id is not null then 'interaction'
            else 'session'
        end
    ) as parent_kind,
    coalesce(
        events.parent_id,
        case
            when events.event_kind = 'session_start' then null
            when turns.interaction_id is not null then events.interaction_id
            else events.session_id
        end
    ) as parent_id,
    events.interaction_id,
    turns.turn_number,
    events.step_id,
    events.name,
    turns.topic,
    case when events.event_kind = 'topic_change' then turns.previous_topic end as previous_topic,
    events.is_error,
    events.error_text,
    events.text,
    events.generation_id,
    events.gateway_request_id,
    sessions.agent_name,
    sessions.org_id,
    sessions.source_system,
    sessions.session_date,
from events
inner join {{ ref('session_summary') }} as sessions on events.session_id = sessions.session_id
left join turns
    on events.session_id = turns.session_id and events.interaction_id = turns.interaction_id
