-- Derived from stdm_platform/catalog: `uv run python -m stdm_platform.catalog.sync`
select
    tags.tag_id,
    {{ null_if_sentinel('tags.tag_definition_id') }} as tag_definition_id,
    {{ null_if_sentinel('tags.tag_value') }} as tag_value,
    {{ null_if_sentinel('tags.tag_text') }} as tag_text,
    tags.order_number,
    tags.is_active,
    tags.is_fallback,
    tags.created_at,
    {{ null_if_sentinel('tags.data_source_id') }} as data_source_id,
    {{ null_if_sentinel('tags.data_source_object_id') }} as data_source_object_id,
    {{ null_if_sentinel('tags.internal_organization_id') }} as internal_organization_id,
    tags.date as lake_date,
    lake_window.read_at as read_at,
    lake_window.window_start as window_start,
    lake_window.missing_columns as missing_columns,
from {{ source('stdm', 'tags') }} as tags
{{ join_window('tags', 'tags') }}
