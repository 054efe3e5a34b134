-- Derived from stdm_platform/catalog: `uv run python -m stdm_platform.catalog.sync`
select
    gateway_request_tags.gateway_request_tag_id,
    {{ null_if_sentinel('gateway_request_tags.gateway_request_id') }} as gateway_request_id,
    {{ null_if_sentinel('gateway_request_tags.tag') }} as tag,
    {{ unquoted('gateway_request_tags.tag_value') }} as tag_value,
    gateway_request_tags.occurred_at,
    {{ null_if_sentinel('gateway_request_tags.internal_organization_id') }} as internal_organization_id,
    {{ null_if_sentinel('gateway_request_tags.cloud') }} as cloud,
    gateway_request_tags.date as lake_date,
    lake_window.read_at as read_at,
    lake_window.window_start as window_start,
    lake_window.missing_columns as missing_columns,
from {{ source('stdm', 'gateway_request_tags') }} as gateway_request_tags
{{ join_window('gateway_request_tags', 'gateway_request_tags') }}
