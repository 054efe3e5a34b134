-- Derived from stdm_platform/catalog: `uv run python -m stdm_platform.catalog.sync`
select
    gateway_responses.gateway_response_id,
    {{ null_if_sentinel('gateway_responses.gateway_request_id') }} as gateway_request_id,
    {{ null_if_sentinel('gateway_responses.parameters') }} as parameters,
    gateway_responses.occurred_at,
    {{ null_if_sentinel('gateway_responses.internal_organization_id') }} as internal_organization_id,
    {{ null_if_sentinel('gateway_responses.cloud') }} as cloud,
    gateway_responses.date as lake_date,
    lake_window.read_at as read_at,
    lake_window.window_start as window_start,
    lake_window.missing_columns as missing_columns,
from {{ source('stdm', 'gateway_responses') }} as gateway_responses
{{ join_window('gateway_responses', 'gateway_responses') }}
