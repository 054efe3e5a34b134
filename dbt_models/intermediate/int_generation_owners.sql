{{ config(materialized='table') }}

-- A generation can stand on more than one step: it belongs to the first, or it would count twice.
with steps as (
    select *
    from {{ ref('int_nearby_steps') }}
    where generation_id is not null
    qualify row_number() over (
        partition by generation_id, session_id
        order by started_at, step_id
    ) = 1
),

calls as (
    select
        generations.generation_id,
        calls.is_touched,
        calls.session_id,
        calls.session_date,
        calls.interaction_id,
        calls.step_id,
        calls.gateway_request_id,
        calls.bound_by,
        calls.asked_at,
    from {{ ref('stg_generations') }} as generations
    inner join {{ ref('stg_gateway_responses') }} as responses
        on generations.gateway_response_id = responses.gateway_response_id
        and responses.lake_date between {{ days_after('generations.lake_date', -1) }} and generations.lake_date
    inner join {{ ref('int_gateway_calls') }} as calls
        on responses.gateway_request_id = calls.gateway_request_id
        and calls.session_id is not null
    qualify row_number() over (
        partition by generations.generation_id, calls.session_id
        order by calls.asked_at, calls.gateway_request_id
    ) = 1
)

select
    coalesce(steps.generation_id, calls.generation_id) as generation_id,
    coalesce(steps.is_touched, calls.is_touched) as is_touched,
    coalesce(steps.session_id, calls.session_id) as session_id,
    coalesce(steps.session_date, calls.session_date) as session_date,
    coalesce(steps.interaction_id, calls.interaction_id) as interaction_id,
    coalesce(steps.step_id, calls.step_id) as step_id,
    coalesce(calls.gateway_request_id, steps.gateway_request_id) as gateway_request_id,
    case when steps.step_id is not null then 'generation' else calls.bound_by end as bound_by,
from steps
full join calls
    on steps.generation_id = calls.generation_id and steps.session_id = calls.session_id
qualify row_number() over (
    partition by coalesce(steps.generation_id, calls.generation_id)
    order by case when steps.step_id is not null then 0 else 1 end, coalesce(steps.started_at, calls.asked_at), coalesce(steps.session_id, calls.session_id)
) = 1
