-- Derived from stdm_platform/catalog: `uv run python -m stdm_platform.catalog.sync`
select
    citations.citation_id,
    {{ null_if_sentinel('citations.gateway_record_id') }} as gateway_record_id,
    {{ null_if_sentinel('citations.citation_text') }} as citation_text,
    {{ null_if_sentinel('citations.feature') }} as feature,
    citations.occurred_at,
    {{ null_if_sentinel('citations.internal_organization_id') }} as internal_organization_id,
    {{ null_if_sentinel('citations.cloud') }} as cloud,
    citations.date as lake_date,
    lake_window.read_at as read_at,
    lake_window.window_start as window_start,
    lake_window.missing_columns as missing_columns,
from {{ source('stdm', 'citations') }} as citations
{{ join_window('citations', 'citations') }}
