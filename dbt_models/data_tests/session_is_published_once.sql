{{ config(meta={'dagster': {'ref': {'name': 'session_summary'}}}) }}

-- The warehouse holds the touched days only; the other days are those that people read already.
select built.session_id
from {{ ref('session_summary') }} as built
inner join control.published_sessions as published on built.session_id = published.session_id
where built.session_date in (select day from control.touched_days)
