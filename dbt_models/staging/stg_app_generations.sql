-- Derived from stdm_platform/catalog: `uv run python -m stdm_platform.catalog.sync`
select
    app_generations.app_generation_id,
    {{ null_if_sentinel('app_generations.generation_id') }} as generation_id,
    {{ null_if_sentinel('app_generations.generation_update_text') }} as generation_update_text,
    {{ null_if_sentinel('app_generations.generation_update_id') }} as generation_update_id,
    {{ null_if_sentinel('app_generations.feature') }} as feature,
    app_generations.occurred_at,
    {{ null_if_sentinel('app_generations.internal_organization_id') }} as internal_organization_id,
    {{ null_if_sentinel('app_generations.cloud') }} as cloud,
    app_generations.date as lake_date,
    lake_window.read_at as read_at,
    lake_window.window_start as window_start,
    lake_window.missing_columns as missing_columns,
from {{ source('stdm', 'app_generations') }} as app_generations
{{ join_window('app_generations', 'app_generations') }}
