{{ config(materialized='table') }}

with recursive turns as (
    select * from {{ ref('int_interactions') }} where interaction_type = 'TURN'
),

-- Turns of one millisecond: the linked list says which comes first, also where one that is no turn stands between.
links as (
    select
        later.session_id,
        later.interaction_id,
        earlier.interaction_id as earlier_id,
    from {{ ref('int_interactions') }} as later
    inner join {{ ref('int_interactions') }} as earlier
        on later.session_id = earlier.session_id
        and later.previous_interaction_id = earlier.interaction_id
        and later.started_at = earlier.started_at
),

chain as (
    {{ places_in_chain('interaction_id') }}
),

numbered as (
    select
        turns.*,
        row_number() over (
            partition by turns.session_id
            order by turns.started_at, coalesce(chain.place, 0), turns.interaction_id
        ) as turn_number,
    from turns
    left join chain
        on turns.session_id = chain.session_id and turns.interaction_id = chain.interaction_id
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
