{{ config(
    materialized='incremental',
    incremental_strategy='append',
    on_schema_change='fail',
    pre_hook="{{ delete_touched_days() }}"
) }}

with details as (
    select
        feedback_id,
        string_agg(feedback_text, chr(10) order by occurred_at, feedback_detail_id) as text,
        string_agg(app_feedback, chr(10) order by occurred_at, feedback_detail_id) as app_feedback,
    from (
        select *
        from {{ ref('stg_feedback_details') }}
        qualify row_number() over (
            partition by feedback_detail_id order by read_at desc nulls last, lake_date desc, window_start desc nulls last
        ) = 1
    ) as newest
    group by feedback_id
),

owned as (
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
)

select
    owned.feedback_id,
    org.org_id,
    org.source_system,
    coalesce(sessions.agent_name, '(unknown)') as agent_name,
    sessions.is_preview,
    owned.session_date,
    owned.session_id,
    owned.interaction_id,
    turns.turn_number,
    owned.step_id,
    owned.generation_id,
    owned.bound_by,
    owned.occurred_at as given_at,
    case
        when upper(owned.feedback_value) in ('GOOD', 'UP', 'THUMBS_UP', 'POSITIVE') then 'good'
        when upper(owned.feedback_value) in ('BAD', 'DOWN', 'THUMBS_DOWN', 'NEGATIVE') then 'bad'
    end as sentiment,
    owned.feedback_value as raw_feedback,
    owned.feedback_action as action,
    owned.feedback_source as source,
    details.text,
    details.app_feedback,
from owned
cross join control.org as org
left join {{ ref('session_summary') }} as sessions
    on owned.session_id = sessions.session_id and owned.session_date = sessions.session_date
left join {{ ref('int_turns') }} as turns
    on owned.session_id = turns.session_id and owned.interaction_id = turns.interaction_id
left join details on owned.feedback_id = details.feedback_id
where owned.is_touched and owned.reading_rank = 1
