-- The sessions of days that are not built here own rows too: what is theirs must not look ownerless.
with neighbours as (
    select distinct
        sessions.session_id,
        sessions.lake_date as session_date,
    from {{ ref('stg_sessions') }} as sessions
    left join {{ ref('int_sessions') }} as touched on sessions.session_id = touched.session_id
    where
        sessions.lake_date not in (select day from control.touched_days)
        and touched.session_id is null
),

turns as (
    select distinct
        neighbours.session_id,
        neighbours.session_date,
        interactions.interaction_id,
    from {{ ref('stg_interactions') }} as interactions
    inner join neighbours
        on interactions.session_id = neighbours.session_id
        and {{ in_child_horizon('interactions.lake_date', 'neighbours.session_date') }}
)

select
    true as is_touched,
    session_id,
    session_date,
    interaction_id,
    step_id,
    started_at,
    generation_id,
    gateway_request_id,
from {{ ref('int_steps') }}
where generation_id is not null or gateway_request_id is not null

union all

select distinct
    false as is_touched,
    turns.session_id,
    turns.session_date,
    turns.interaction_id,
    steps.step_id,
    steps.started_at,
    steps.generation_id,
    steps.gateway_request_id,
from {{ ref('stg_steps') }} as steps
inner join turns
    on steps.interaction_id = turns.interaction_id
    and {{ in_child_horizon('steps.lake_date', 'turns.session_date') }}
where steps.generation_id is not null or steps.gateway_request_id is not null
