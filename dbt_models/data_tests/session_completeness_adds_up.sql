{{ config(meta={'dagster': {'ref': {'name': 'session_completeness'}}}) }}

-- Per day: every session of the summary counts once; what is forced is not waiting for anything.
select coalesce(summary.session_date, mart.session_date) as session_date
from (
    select org_id, source_system, session_date, count(*) as sessions
    from {{ ref('session_summary') }}
    group by org_id, source_system, session_date
) as summary
full join (
    select
        org_id,
        source_system,
        session_date,
        sum(sessions) as sessions,
        max(case when completeness = 'forced_incomplete' and completeness_reason = 'rows_may_change' then 1 else 0 end) as has_fault,
    from {{ ref('session_completeness') }}
    group by org_id, source_system, session_date
) as mart
    on summary.org_id = mart.org_id
    and summary.source_system = mart.source_system
    and summary.session_date = mart.session_date
where summary.sessions is distinct from mart.sessions or mart.has_fault = 1
