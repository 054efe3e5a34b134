{{ config(materialized='table') }}

with sessions as (
    select session_id, session_date, true as is_touched
    from {{ ref('int_sessions') }}

    union all

    select distinct sessions.session_id, sessions.lake_date as session_date, false as is_touched
    from {{ ref('stg_sessions') }} as sessions
    left join {{ ref('int_sessions') }} as touched on sessions.session_id = touched.session_id
    where
        sessions.lake_date not in (select day from control.touched_days)
        and touched.session_id is null
),

requests as (
    select
        gateway_request_id,
        session_id,
        occurred_at,
        lake_date,
        read_at,
        window_start,
    from {{ ref('stg_gateway_requests') }}
),

-- Who made the call, best sign first: a step that names it, a step that names its generation, its session.
signs as (
    select
        requests.gateway_request_id,
        requests.lake_date,
        steps.session_id,
        steps.session_date,
        steps.is_touched,
        steps.interaction_id,
        steps.step_id,
        steps.started_at,
        1 as sign_rank,
    from requests
    inner join {{ ref('int_nearby_steps') }} as steps
        on requests.gateway_request_id = steps.gateway_request_id
        and {{ in_child_horizon('requests.lake_date', 'steps.session_date') }}

    union all

    select
        requests.gateway_request_id,
        requests.lake_date,
        steps.session_id,
        steps.session_date,
        steps.is_touched,
        steps.interaction_id,
        steps.step_id,
        steps.started_at,
        2 as sign_rank,
    from {{ ref('int_nearby_steps') }} as steps
    inner join {{ ref('stg_generations') }} as generations
        on steps.generation_id = generations.generation_id
        and {{ in_child_horizon('generations.lake_date', 'steps.session_date') }}
    inner join {{ ref('stg_gateway_responses') }} as responses
        on generations.gateway_response_id = responses.gateway_response_id
        and {{ in_child_horizon('responses.lake_date', 'steps.session_date') }}
    inner join requests
        on responses.gateway_request_id = requests.gateway_request_id
        and {{ in_child_horizon('requests.lake_date', 'steps.session_date') }}

    union all

    select
        requests.gateway_request_id,
        requests.lake_date,
        sessions.session_id,
        sessions.session_date,
        sessions.is_touched,
        null as interaction_id,
        null as step_id,
        null as started_at,
        3 as sign_rank,
    from requests
    inner join sessions
        on requests.session_id = sessions.session_id
        and {{ in_child_horizon('requests.lake_date', 'sessions.session_date') }}
),

owners as (
    select *
    from signs
    qualify row_number() over (
        partition by gateway_request_id, lake_date
        order by sign_rank, started_at nulls last, session_id, step_id
    ) = 1
),

owned as (
    select
        requests.gateway_request_id,
        requests.occurred_at,
        requests.lake_date,
        owners.session_id,
        coalesce(owners.session_date, requests.lake_date) as session_date,
        coalesce(owners.is_touched, requests.lake_date in (select day from control.touched_days)) as is_touched,
        owners.interaction_id,
        owners.step_id,
        owners.sign_rank,
        -- A call that nobody owns belongs to its own day, and only there.
        row_number() over (
            partition by requests.gateway_request_id, owners.session_id, case when owners.session_id is null then requests.lake_date end
            order by requests.read_at desc nulls last, requests.lake_date desc, requests.window_start desc nulls last
        ) as reading_rank,
    from requests
    left join owners
        on requests.gateway_request_id = owners.gateway_request_id and requests.lake_date = owners.lake_date
),

calls as (
    select * from owned where reading_rank = 1
),

-- Without a name, the time tells: an action may well call a model, and so may a step that names no call.
claimed as (
    select distinct session_id, step_id from calls where step_id is not null
),

inside as (
    select
        calls.gateway_request_id,
        calls.session_id,
        steps.interaction_id,
        steps.step_id,
    from calls
    inner join {{ ref('int_steps') }} as steps
        on calls.session_id = steps.session_id
        and calls.occurred_at between steps.started_at and steps.ended_at
    left join claimed on steps.session_id = claimed.session_id and steps.step_id = claimed.step_id
    where calls.step_id is null and calls.is_touched
    qualify row_number() over (
        partition by calls.gateway_request_id, calls.session_id
        order by
            case
                when steps.step_type = 'ACTION_STEP' then 1
                when steps.step_type = 'TOPIC_STEP' then 3
                when claimed.step_id is null then 2
                else 4
            end,
            steps.duration_ms, steps.started_at desc, steps.step_id
    ) = 1
),

turns as (
    select
        calls.gateway_request_id,
        calls.session_id,
        interactions.interaction_id,
    from calls
    inner join {{ ref('int_interactions') }} as interactions
        on calls.session_id = interactions.session_id
        and calls.occurred_at between interactions.started_at and interactions.ended_at
    left join inside
        on calls.gateway_request_id = inside.gateway_request_id and calls.session_id = inside.session_id
    where calls.step_id is null and calls.is_touched and inside.step_id is null
    qualify row_number() over (
        partition by calls.gateway_request_id, calls.session_id
        order by interactions.duration_ms, interactions.started_at desc, interactions.interaction_id
    ) = 1
),

-- Within the horizon, or a build of more days would see an answer that a build of fewer does not.
answers as (
    select
        calls.gateway_request_id,
        calls.session_date,
        responses.occurred_at,
        {{ newest_reading('responses.gateway_response_id, calls.session_date') }} as reading_rank,
    from {{ ref('stg_gateway_responses') }} as responses
    inner join (select distinct gateway_request_id, session_date from calls) as calls
        on responses.gateway_request_id = calls.gateway_request_id
        and {{ in_child_horizon('responses.lake_date', 'calls.session_date') }}
),

responses as (
    select gateway_request_id, session_date, min(occurred_at) as answered_at
    from answers
    where reading_rank = 1
    group by gateway_request_id, session_date
),

details as (
    select *
    from {{ ref('stg_gateway_requests') }}
    qualify row_number() over (
        partition by gateway_request_id, lake_date
        order by read_at desc nulls last, window_start desc nulls last
    ) = 1
)

select
    calls.gateway_request_id,
    calls.session_id,
    calls.session_date,
    calls.is_touched,
    coalesce(calls.interaction_id, inside.interaction_id, turns.interaction_id) as interaction_id,
    coalesce(calls.step_id, inside.step_id) as step_id,
    case
        when calls.sign_rank = 1 then 'gateway_request'
        when calls.sign_rank = 2 then 'generation'
        when inside.step_id is not null then 'time'
        when turns.interaction_id is not null then 'interaction'
        when calls.session_id is not null then 'session'
        else 'none'
    end as bound_by,
    calls.occurred_at as asked_at,
    responses.answered_at,
    {{ milliseconds_between('calls.occurred_at', 'responses.answered_at') }} as duration_ms,
    details.provider,
    details.model,
    details.feature,
    details.prompt_tokens,
    details.completion_tokens,
    details.total_tokens,
from calls
left join inside
    on calls.gateway_request_id = inside.gateway_request_id and calls.session_id = inside.session_id
left join turns
    on calls.gateway_request_id = turns.gateway_request_id and calls.session_id = turns.session_id
left join responses
    on calls.gateway_request_id = responses.gateway_request_id and calls.session_date = responses.session_date
inner join details
    on calls.gateway_request_id = details.gateway_request_id and calls.lake_date = details.lake_date
