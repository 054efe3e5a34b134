{{ config(
    materialized='incremental',
    incremental_strategy='append',
    on_schema_change='fail',
    pre_hook="{{ delete_touched_days() }}"
) }}

with sessions as (
    select summary.*
    from {{ ref('session_summary') }} as summary
    inner join {{ ref('int_sessions') }} as touched
        on summary.session_id = touched.session_id and summary.session_date = touched.session_date
)

select
    org_id,
    source_system,
    session_date,
    completeness,
    completeness_reason,
    {{ whole_number('count(*)') }} as sessions,
    {{ whole_number('case when count(is_preview) = count(*) then sum(case when is_preview then 1 else 0 end) end') }} as preview_sessions,
    {{ whole_number('case when count(turn_count) = count(*) then sum(turn_count) end') }} as turn_count,
from sessions
group by org_id, source_system, session_date, completeness, completeness_reason
