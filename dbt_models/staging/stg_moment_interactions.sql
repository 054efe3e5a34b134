-- Derived from stdm_platform/catalog: `uv run python -m stdm_platform.catalog.sync`
select
    moment_interactions.moment_interaction_id,
    {{ null_if_sentinel('moment_interactions.moment_id') }} as moment_id,
    {{ null_if_sentinel('moment_interactions.interaction_id') }} as interaction_id,
    moment_interactions.started_at,
    {{ null_if_sentinel('moment_interactions.data_source_id') }} as data_source_id,
    {{ null_if_sentinel('moment_interactions.data_source_object_id') }} as data_source_object_id,
    {{ null_if_sentinel('moment_interactions.internal_organization_id') }} as internal_organization_id,
    moment_interactions.date as lake_date,
    lake_window.read_at as read_at,
    lake_window.window_start as window_start,
    lake_window.missing_columns as missing_columns,
from {{ source('stdm', 'moment_interactions') }} as moment_interactions
{{ join_window('moment_interactions', 'moment_interactions') }}
