{{ config(severity='warn', meta={'dagster': {'ref': {'name': 'orphan_rows'}}}) }}

-- Late is not orphan: only what is missing after the settle time. A child beyond the horizon counts too.
select session_date, object_name, row_id, parent_object
from {{ ref('orphan_rows') }}
where state = 'orphan'
