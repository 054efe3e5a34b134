{{ config(materialized='table') }}

with ranked as (
    select *, {{ newest_reading('session_id') }} as reading_rank
    from {{ ref('stg_sessions') }}
    -- Every day that holds a copy of a touched day's key is touched too, so the rank sees all copies.
    where lake_date in (select day from control.touched_days)
)

select
    org.source_system,
    org.org_id,
    ranked.session_id,
    ranked.lake_date as session_date,
    ranked.channel,
    case when ranked.is_channel_missing then null else {{ is_preview_channel('ranked.channel') }} end as is_preview,
    ranked.end_type,
    ranked.started_at,
    ranked.ended_at,
from ranked
cross join control.org as org
where ranked.reading_rank = 1
