-- Derived from stdm_platform/catalog: `uv run python -m stdm_platform.catalog.sync`
select
    gateway_request_metadata.gateway_request_metadata_id,
    {{ null_if_sentinel('gateway_request_metadata.gateway_request_id') }} as gateway_request_id,
    {{ null_if_sentinel('gateway_request_metadata.metadata_type') }} as metadata_type,
    {{ null_if_sentinel('gateway_request_metadata.metadata_text') }} as metadata_text,
    {{ null_if_sentinel('gateway_request_metadata.feature') }} as feature,
    gateway_request_metadata.occurred_at,
    {{ null_if_sentinel('gateway_request_metadata.internal_organization_id') }} as internal_organization_id,
    {{ null_if_sentinel('gateway_request_metadata.cloud') }} as cloud,
    gateway_request_metadata.date as lake_date,
    lake_window.read_at as read_at,
    lake_window.window_start as window_start,
    lake_window.missing_columns as missing_columns,
from {{ source('stdm', 'gateway_request_metadata') }} as gateway_request_metadata
{{ join_window('gateway_request_metadata', 'gateway_request_metadata') }}
