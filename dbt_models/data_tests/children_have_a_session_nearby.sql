{{ config(severity='warn', meta={'dagster': {'ref': {'name': 'session_summary'}}}) }}

-- Children beyond the horizon are in no mart: they are counted here. Days before the first held day
-- are not looked for.
with children as (
    select session_id, lake_date from {{ ref('stg_interactions') }}
    union all
    select session_id, lake_date from {{ ref('stg_messages') }} where session_id is not null
),

sessions as (
    select session_id, lake_date from {{ ref('stg_sessions') }}
)

select children.lake_date, children.session_id
from children
left join sessions
    on children.session_id = sessions.session_id
    and {{ in_child_horizon('children.lake_date', 'sessions.lake_date') }}
where
    sessions.session_id is null
    and children.lake_date in (select day from control.touched_days)
    and {{ days_after('children.lake_date', -1) }} in (
        select day from control.lake_windows where dmo = 'sessions'
    )
