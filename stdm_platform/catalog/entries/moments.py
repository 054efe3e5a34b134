"""Moments: requests that an LLM found in a session (section 5.7, 13 fields live)."""

from __future__ import annotations

from stdm_platform.catalog.entries.system import LAG_OF_MOMENTS, system_columns
from stdm_platform.catalog.model import Column, Dmo

MOMENTS = Dmo(
    name="moments",
    label="AI Agent Moment",
    objects=("ssot__AiAgentMoment__dlm", "std__AiAgentMomentDmo__dlm"),
    key="moment_id",
    clock="started_at",
    parent="session_id",
    description="One row per request of a session; only with Agent Optimization, hours later, under old timestamps.",
    shortest_lag=LAG_OF_MOMENTS,
    columns=(
        Column("moment_id", "ssot__Id__c", "text", "Key of the moment.", required=True),
        Column(
            "session_id",
            "ssot__AiAgentSessionId__c",
            "text",
            "Session.",
            required=True,
            references="sessions",
        ),
        Column(
            "started_at",
            "ssot__StartTimestamp__c",
            "timestamp",
            "Start of the conversation, not of the row.",
            required=True,
        ),
        Column("ended_at", "ssot__EndTimestamp__c", "timestamp", "End."),
        Column("agent_api_name", "ssot__AiAgentApiName__c", "text", "Agent."),
        Column(
            "agent_version_api_name",
            "ssot__AiAgentVersionApiName__c",
            "text",
            "Version of the agent; can read NOT_SET.",
        ),
        Column(
            "request_summary_text",
            "ssot__RequestSummaryText__c",
            "text",
            "What the user wanted, in an LLM's words.",
            sensitivity="text",
        ),
        Column(
            "response_summary_text",
            "ssot__ResponseSummaryText__c",
            "text",
            "What the agent answered, in an LLM's words.",
            sensitivity="text",
        ),
        *system_columns("Id=moment_id", "AiAgentSessionId=session_id"),
    ),
)
