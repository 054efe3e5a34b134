with signs as (
    select
        session_id,
        max(case when upper(step_name) = 'CLOSED_TRANSFERRED' then 1 else 0 end) as was_transferred,
        max(case when upper(step_name) in ('CLOSED_USER_REQUEST', 'CLOSED_ACTION') then 1 else 0 end) as was_closed,
    from {{ ref('int_steps') }}
    where step_type = 'SESSION_END'
    group by session_id
)

select
    sessions.source_system,
    sessions.org_id,
    sessions.session_id,
    sessions.session_date,
    case
        when signs.was_transferred = 1 then 'escalated'
        when signs.was_closed = 1 then 'deflected'
    end as outcome,
    case
        when signs.was_transferred = 1 or signs.was_closed = 1 then 'session_end_step'
        else 'none'
    end as outcome_rule,
from {{ ref('int_sessions') }} as sessions
left join signs on sessions.session_id = signs.session_id
