"""Interactions: the turns of a session, and its end (section 5.4, 20 fields live)."""

from __future__ import annotations

from stdm_platform.catalog.entries.system import LAG_OF_TURNS, owner_columns, system_columns
from stdm_platform.catalog.model import Column, Dmo, Value

INTERACTIONS = Dmo(
    name="interactions",
    label="AI Agent Interaction",
    objects=("ssot__AIAgentInteraction__dlm", "std__AiAgentInteractionDmo__dlm"),
    key="interaction_id",
    clock="started_at",
    parent="session_id",
    description="One row per turn, and one for the end of a session.",
    shortest_lag=LAG_OF_TURNS,
    columns=(
        Column("interaction_id", "ssot__Id__c", "text", "Key of the interaction.", required=True),
        Column(
            "session_id",
            "ssot__AiAgentSessionId__c",
            "text",
            "Session.",
            required=True,
            references="sessions",
        ),
        Column("started_at", "ssot__StartTimestamp__c", "timestamp", "Start.", required=True),
        Column("ended_at", "ssot__EndTimestamp__c", "timestamp", "End."),
        Column(
            "interaction_type",
            "ssot__AiAgentInteractionType__c",
            "text",
            "TURN or SESSION_END.",
            vocabulary=(Value("TURN"), Value("SESSION_END")),
        ),
        Column(
            "topic_api_name",
            "ssot__TopicApiName__c",
            "text",
            "Topic, with planner suffix; NOT_SET at a session's end and on greeting turns.",
        ),
        Column(
            "previous_interaction_id",
            "ssot__PrevInteractionId__c",
            "text",
            "Interaction before this one in the session.",
            references="interactions",
        ),
        Column(
            "telemetry_trace_id",
            "ssot__TelemetryTraceId__c",
            "text",
            "Trace; often empty, then in the attributes as `internalTraceId`.",
        ),
        Column(
            "telemetry_trace_span_id", "ssot__TelemetryTraceSpanId__c", "text", "Span of the turn."
        ),
        Column(
            "attribute_text",
            "ssot__AttributeText__c",
            "text",
            "Attributes as HTML-escaped JSON text.",
            sensitivity="text",
            is_json=True,
        ),
        *owner_columns(),
        *system_columns(
            "Id=interaction_id",
            "AiAgentSessionId=session_id",
            "IndividualId=individual_id",
            "PrevInteractionId=previous_interaction_id",
        ),
    ),
)
