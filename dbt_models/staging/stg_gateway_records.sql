-- Derived from stdm_platform/catalog: `uv run python -m stdm_platform.catalog.sync`
select
    gateway_records.gateway_record_id,
    {{ null_if_sentinel('gateway_records.parent_id') }} as parent_id,
    {{ null_if_sentinel('gateway_records.record_id') }} as record_id,
    {{ null_if_sentinel('gateway_records.record_type') }} as record_type,
    {{ null_if_sentinel('gateway_records.record_name') }} as record_name,
    {{ null_if_sentinel('gateway_records.record_value') }} as record_value,
    {{ null_if_sentinel('gateway_records.metadata_text') }} as metadata_text,
    {{ null_if_sentinel('gateway_records.feature') }} as feature,
    gateway_records.occurred_at,
    {{ null_if_sentinel('gateway_records.internal_organization_id') }} as internal_organization_id,
    {{ null_if_sentinel('gateway_records.cloud') }} as cloud,
    gateway_records.date as lake_date,
    lake_window.read_at as read_at,
    lake_window.window_start as window_start,
    lake_window.missing_columns as missing_columns,
from {{ source('stdm', 'gateway_records') }} as gateway_records
{{ join_window('gateway_records', 'gateway_records') }}
