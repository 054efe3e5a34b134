"""Moment interactions: which turns a moment covers (section 5.7)."""

from __future__ import annotations

from stdm_platform.catalog.entries.system import LAG_OF_MOMENTS, system_columns
from stdm_platform.catalog.model import Column, Dmo

MOMENT_INTERACTIONS = Dmo(
    name="moment_interactions",
    label="AI Agent Moment Interaction",
    objects=("ssot__AiAgentMomentInteraction__dlm", "std__AiAgentMomentInteractionDmo__dlm"),
    key="moment_interaction_id",
    clock="started_at",
    parent="moment_id",
    description="One row per turn that a moment covers; only with Agent Optimization.",
    shortest_lag=LAG_OF_MOMENTS,
    columns=(
        Column("moment_interaction_id", "ssot__Id__c", "text", "Key of the link.", required=True),
        Column(
            "moment_id",
            "ssot__AiAgentMomentId__c",
            "text",
            "Moment.",
            required=True,
            references="moments",
        ),
        Column(
            "interaction_id",
            "ssot__AiAgentInteractionId__c",
            "text",
            "Interaction.",
            references="interactions",
        ),
        Column(
            "started_at",
            "ssot__StartTimestamp__c",
            "timestamp",
            "Start of the conversation, not of the row.",
            required=True,
        ),
        *system_columns(
            "Id=moment_interaction_id",
            "AiAgentMomentId=moment_id",
            "AiAgentInteractionId=interaction_id",
        ),
    ),
)
