-- Derived from stdm_platform/catalog: `uv run python -m stdm_platform.catalog.sync`
select
    gateway_llms.gateway_llm_id,
    {{ null_if_sentinel('gateway_llms.gateway_request_id') }} as gateway_request_id,
    {{ null_if_sentinel('gateway_llms.endpoint') }} as endpoint,
    {{ null_if_sentinel('gateway_llms.region') }} as region,
    {{ null_if_sentinel('gateway_llms.model') }} as model,
    {{ null_if_sentinel('gateway_llms.call_status') }} as call_status,
    gateway_llms.call_latency_ms,
    {{ null_if_sentinel('gateway_llms.error_text') }} as error_text,
    {{ null_if_sentinel('gateway_llms.metadata_text') }} as metadata_text,
    {{ null_if_sentinel('gateway_llms.feature') }} as feature,
    gateway_llms.occurred_at,
    {{ null_if_sentinel('gateway_llms.internal_organization_id') }} as internal_organization_id,
    {{ null_if_sentinel('gateway_llms.cloud') }} as cloud,
    gateway_llms.date as lake_date,
    lake_window.read_at as read_at,
    lake_window.window_start as window_start,
    lake_window.missing_columns as missing_columns,
from {{ source('stdm', 'gateway_llms') }} as gateway_llms
{{ join_window('gateway_llms', 'gateway_llms') }}
