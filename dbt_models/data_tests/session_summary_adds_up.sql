{{ config(meta={'dagster': {'ref': {'name': 'session_summary'}}}) }}

-- Each row agrees with itself.
select session_id, 'row' as fault
from {{ ref('session_summary') }}
where
    topic_count > turn_count
    or topic_switch_count > greatest(turn_count - 1, 0)
    or (topic_count = 0) <> (first_topic = '(none)')
    or (topic_count = 0) <> (last_topic = '(none)')
    or llm_step_count + action_step_count + topic_step_count > step_count
    or error_count > step_count
    or action_error_count > action_step_count
    or action_error_count > error_count
    or duration_ms < 0
    or llm_ms < 0
    or action_ms < 0
    or (outcome is null) <> (outcome_rule = 'none')
    or outcome not in ('escalated', 'deflected', 'abandoned', 'ambiguous')
    or completeness not in ('open', 'settling', 'complete', 'forced_incomplete')

union all

-- Every session, turn, step and message of the build is in the mart exactly once.
select 'all' as session_id, 'totals' as fault
from (
    select
        count(*) as sessions,
        coalesce(sum(turn_count), 0) as turns,
        coalesce(sum(step_count), 0) as steps,
    from {{ ref('session_summary') }}
    where session_date in (select day from control.touched_days)
) as mart
where
    mart.sessions <> (select count(*) from {{ ref('int_sessions') }})
    or mart.turns <> (
        select count(*) from {{ ref('int_turns') }}
        where session_id not in (select session_id from {{ ref('int_interactions') }} where is_interaction_type_missing)
    )
    or mart.steps <> (select count(*) from {{ ref('int_steps') }})
