{{ config(
    materialized='incremental',
    incremental_strategy='append',
    on_schema_change='fail',
    pre_hook="{{ delete_touched_days() }}"
) }}

with owned as (
    select
        feedback.*,
        owners.session_id,
        coalesce(owners.session_date, feedback.lake_date) as session_date,
        coalesce(owners.is_touched, feedback.lake_date in (select day from control.touched_days)) as is_touched,
        owners.interaction_id,
        owners.step_id,
        coalesce(owners.bound_by, 'none') as bound_by,
        row_number() over (
            partition by feedback.feedback_id, owners.session_id, case when owners.session_id is null then feedback.lake_date end
            order by feedback.read_at desc nulls last, feedback.lake_date desc, feedback.window_start desc nulls last
        ) as reading_rank,
    from {{ ref('stg_feedback') }} as feedback
    left join {{ ref('int_generation_owners') }} as owners
        on feedback.generation_id = owners.generation_id
        and {{ in_child_horizon('feedback.lake_date', 'owners.session_date') }}
),

given as (
    select * from owned where is_touched and reading_rank = 1
),

-- What lies after the horizon is seen by builds of more days only, and would be there or not by chance.
newest as (
    select
        details.*,
        given.session_date,
        {{ newest_reading('details.feedback_detail_id, given.session_date') }} as reading_rank,
    from {{ ref('stg_feedback_details') }} as details
    inner join (select distinct feedback_id, session_date from given) as given
        on details.feedback_id = given.feedback_id
        and {{ in_child_horizon('details.lake_date', 'given.session_date') }}
),

details as (
    select
        feedback_id,
        session_date,
        string_agg(feedback_text, chr(10) order by occurred_at, feedback_detail_id) as text,
        string_agg(app_feedback, chr(10) order by occurred_at, feedback_detail_id) as app_feedback,
    from newest
    where reading_rank = 1
    group by feedback_id, session_date
)

select
    given.feedback_id,
    org.org_id,
    org.source_system,
    coalesce(sessions.agent_name, '(unknown)') as agent_name,
    sessions.is_preview,
    given.session_date,
    given.session_id,
    given.interaction_id,
    turns.turn_number,
    given.step_id,
    given.generation_id,
    given.bound_by,
    given.occurred_at as given_at,
    case
        when upper(given.feedback_value) in ('GOOD', 'UP', 'THUMBS_UP', 'POSITIVE') then 'good'
        when upper(given.feedback_value) in ('BAD', 'DOWN', 'THUMBS_DOWN', 'NEGATIVE') then 'bad'
    end as sentiment,
    given.feedback_value as raw_feedback,
    given.feedback_action as action,
    given.feedback_source as source,
    details.text,
    details.app_feedback,
from given
cross join control.org as org
left join {{ ref('session_summary') }} as sessions
    on given.session_id = sessions.session_id and given.session_date = sessions.session_date
left join {{ ref('int_turns') }} as turns
    on given.session_id = turns.session_id and given.interaction_id = turns.interaction_id
left join details on given.feedback_id = details.feedback_id and given.session_date = details.session_date
