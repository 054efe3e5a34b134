-- Derived from stdm_platform/catalog: `uv run python -m stdm_platform.catalog.sync`
select
    telemetry_spans.span_id,
    {{ null_if_sentinel('telemetry_spans.telemetry_trace_id') }} as telemetry_trace_id,
    {{ null_if_sentinel('telemetry_spans.parent_span_id') }} as parent_span_id,
    {{ null_if_sentinel('telemetry_spans.operation_name') }} as operation_name,
    {{ null_if_sentinel('telemetry_spans.service_name') }} as service_name,
    {{ null_if_sentinel('telemetry_spans.span_kind') }} as span_kind,
    {{ null_if_sentinel('telemetry_spans.status_code') }} as status_code,
    telemetry_spans.started_at,
    telemetry_spans.ended_at,
    telemetry_spans.duration_number,
    {{ null_if_sentinel('telemetry_spans.span_attribute_text') }} as span_attribute_text,
    {{ null_if_sentinel('telemetry_spans.span_event_text') }} as span_event_text,
    {{ null_if_sentinel('telemetry_spans.data_source_id') }} as data_source_id,
    {{ null_if_sentinel('telemetry_spans.data_source_object_id') }} as data_source_object_id,
    {{ null_if_sentinel('telemetry_spans.internal_organization_id') }} as internal_organization_id,
    telemetry_spans.date as lake_date,
    lake_window.read_at as read_at,
    lake_window.window_start as window_start,
    lake_window.missing_columns as missing_columns,
from {{ source('stdm', 'telemetry_spans') }} as telemetry_spans
{{ join_window('telemetry_spans', 'telemetry_spans') }}
