"""Telemetry spans: what the platform did inside a turn (section 5.7); only with Agent Platform Tracing."""

from __future__ import annotations

from stdm_platform.catalog.entries.system import system_columns
from stdm_platform.catalog.model import Column, Dmo, Value

TELEMETRY_SPANS = Dmo(
    name="telemetry_spans",
    label="Telemetry Trace Span",
    objects=(
        "ssot__TelemetryTraceSpan__dlm",
        "std__TelemetryTraceSpanDmo__dlm",
        "TelemetryTraceSpan_std__dlm",
    ),
    key="span_id",
    clock="started_at",
    parent=None,
    description="One row per span of a trace. An interaction names the trace, when it does, in a column or in its attributes.",
    columns=(
        Column("span_id", "ssot__Id__c", "text", "Key of the span.", required=True),
        Column(
            "telemetry_trace_id",
            "ssot__TelemetryTrace__c",
            "text",
            "Trace, as interactions name it.",
            other_sources=("ssot__TelemetryTraceId__c", "std__TelemetryTraceId__c"),
            references="interactions",
            references_column="telemetry_trace_id",
        ),
        Column(
            "parent_span_id",
            "ssot__TelemetryParentSpanId__c",
            "text",
            "Span around this one; null or 16 zeros at the root.",
            references="telemetry_spans",
        ),
        Column(
            "operation_name",
            "ssot__OperationName__c",
            "text",
            "Operation, like `run.llmstep` or `run.action.<name>`.",
        ),
        Column("service_name", "ssot__ServiceName__c", "text", "Service that ran it."),
        Column(
            "span_kind",
            "ssot__SpanKind__c",
            "text",
            "Kind, as OpenTelemetry has them.",
            vocabulary=(
                Value("INTERNAL", "OpenTelemetry"),
                Value("SERVER", "OpenTelemetry"),
                Value("CLIENT", "OpenTelemetry"),
                Value("PRODUCER", "OpenTelemetry"),
                Value("CONSUMER", "OpenTelemetry"),
                Value("NOT_SET"),
            ),
        ),
        Column(
            "status_code",
            "ssot__StatusCode__c",
            "text",
            "How it went.",
            vocabulary=(
                Value("OK", "Salesforce code"),
                Value("ERROR", "Salesforce code"),
                Value("UNSET", "OpenTelemetry"),
                Value("NOT_SET"),
            ),
        ),
        Column("started_at", "ssot__StartDateTime__c", "timestamp", "Start.", required=True),
        Column("ended_at", "ssot__EndDateTime__c", "timestamp", "End."),
        Column(
            "duration_number",
            "ssot__DurationNumber__c",
            "number",
            "Duration in a unit that sources disagree on, ns or ms: use start and end.",
        ),
        Column(
            "span_attribute_text",
            "ssot__TelemetrySpanAttributeText__c",
            "text",
            "Attributes as JSON text.",
            sensitivity="text",
        ),
        Column(
            "span_event_text",
            "ssot__TelemetrySpanEventText__c",
            "text",
            "Events as JSON text.",
            sensitivity="text",
        ),
        *system_columns("Id=span_id"),
    ),
)
