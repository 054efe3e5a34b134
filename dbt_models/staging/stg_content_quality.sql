-- Derived from stdm_platform/catalog: `uv run python -m stdm_platform.catalog.sync`
select
    content_quality.content_quality_id,
    {{ null_if_sentinel('content_quality.generation_id') }} as generation_id,
    {{ null_if_sentinel('content_quality.content_type') }} as content_type,
    {{ null_if_sentinel('content_quality.is_toxicity_detected') }} as is_toxicity_detected,
    {{ null_if_sentinel('content_quality.feature') }} as feature,
    content_quality.occurred_at,
    {{ null_if_sentinel('content_quality.internal_organization_id') }} as internal_organization_id,
    {{ null_if_sentinel('content_quality.cloud') }} as cloud,
    content_quality.date as lake_date,
    lake_window.read_at as read_at,
    lake_window.window_start as window_start,
    lake_window.missing_columns as missing_columns,
from {{ source('stdm', 'content_quality') }} as content_quality
{{ join_window('content_quality', 'content_quality') }}
