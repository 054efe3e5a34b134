-- Derived from stdm_platform/catalog: `uv run python -m stdm_platform.catalog.sync`
select
    content_categories.content_category_id,
    {{ null_if_sentinel('content_categories.parent_id') }} as parent_id,
    {{ null_if_sentinel('content_categories.detector_type') }} as detector_type,
    {{ null_if_sentinel('content_categories.category') }} as category,
    {{ null_if_sentinel('content_categories.category_value') }} as category_value,
    content_categories.occurred_at,
    {{ null_if_sentinel('content_categories.internal_organization_id') }} as internal_organization_id,
    {{ null_if_sentinel('content_categories.cloud') }} as cloud,
    content_categories.date as lake_date,
    lake_window.read_at as read_at,
    lake_window.window_start as window_start,
    lake_window.missing_columns as missing_columns,
from {{ source('stdm', 'content_categories') }} as content_categories
{{ join_window('content_categories', 'content_categories') }}
