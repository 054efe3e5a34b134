{{ config(materialized='table') }}

with turns as (
    select * from {{ ref('int_interactions') }} where interaction_type = 'TURN'
),

numbered as (
    select
        turns.*,
        row_number() over (
            partition by turns.session_id
            -- Turns of one millisecond: the linked list says which comes second.
            order by
                turns.started_at,
                case when previous.started_at = turns.started_at then 1 else 0 end,
                turns.interaction_id
        ) as turn_number,
    from turns
    left join turns as previous
        on turns.session_id = previous.session_id
        and turns.previous_interaction_id = previous.interaction_id
)

select
    source_system,
    org_id,
    session_id,
    session_date,
    interaction_id,
    {{ whole_number('turn_number') }} as turn_number,
    topic,
    -- The topic before this one, turns without a topic (greeting, router) passed over.
    last_value(topic ignore nulls) over (
        partition by session_id order by turn_number
        rows between unbounded preceding and 1 preceding
    ) as previous_topic,
    started_at,
    ended_at,
    duration_ms,
from numbered
