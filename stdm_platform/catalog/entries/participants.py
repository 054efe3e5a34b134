"""Participants: who took part in a session (section 5.3 of the Data 360 page)."""

from __future__ import annotations

from stdm_platform.catalog.entries.system import system_columns
from stdm_platform.catalog.model import Column, Dmo, Value

PARTICIPANTS = Dmo(
    name="participants",
    label="AI Agent Session Participant",
    objects=("ssot__AiAgentSessionParticipant__dlm", "std__AiAgentSessionParticipantDmo__dlm"),
    key="participant_id",
    clock="started_at",
    parent="session_id",
    description="One row per user or agent in a session: two or three for each session.",
    columns=(
        Column(
            "participant_id", "ssot__Id__c", "text", "Key of the participant row.", required=True
        ),
        Column(
            "session_id",
            "ssot__AiAgentSessionId__c",
            "text",
            "Session.",
            required=True,
            references="sessions",
        ),
        Column("started_at", "ssot__StartTimestamp__c", "timestamp", "Joined.", required=True),
        Column("ended_at", "ssot__EndTimestamp__c", "timestamp", "Left."),
        Column(
            "participant_role",
            "ssot__AiAgentSessionParticipantRole__c",
            "text",
            "USER or AGENT.",
            vocabulary=(Value("USER"), Value("AGENT")),
        ),
        Column(
            "agent_api_name",
            "ssot__AiAgentApiName__c",
            "text",
            "Agent; may repeat on USER rows, so read it where the role is AGENT.",
        ),
        Column(
            "agent_version_api_name",
            "ssot__AiAgentVersionApiName__c",
            "text",
            "Version of the agent, like `v5`.",
        ),
        Column(
            "agent_type",
            "ssot__AiAgentType__c",
            "text",
            "Kind of agent.",
            vocabulary=(
                Value("EinsteinServiceAgent"),
                Value("AgentforceEmployeeAgent"),
                Value("AgentforceServiceAgent"),
                Value("Employee"),
                Value("EinsteinSDR", "Salesforce docs"),
                Value("NOT_SET"),
            ),
        ),
        Column(
            "agent_template_api_name",
            "ssot__AiAgentTemplateApiName__c",
            "text",
            "Template that the agent was made from.",
        ),
        Column(
            "participant_record_id",
            "ssot__ParticipantId__c",
            "text",
            "Planner, user or end user; 15 or 18 characters for the same record.",
            sensitivity="person",
        ),
        Column(
            "participant_object",
            "ssot__ParticipantObject__c",
            "text",
            "Object of the record.",
            vocabulary=(
                Value("GenAiPlannerDefinition"),
                Value("User"),
                Value("MessagingEndUser"),
                Value("NOT_SET"),
            ),
        ),
        Column(
            "participant_attribute_text",
            "ssot__ParticipantAttributeText__c",
            "text",
            "Attributes as JSON text.",
            sensitivity="text",
        ),
        Column(
            "individual_id",
            "ssot__IndividualId__c",
            "text",
            "Individual behind the participant.",
            sensitivity="person",
        ),
        Column(
            "external_source_id",
            "ssot__ExternalSourceId__c",
            "text",
            "External source; newer releases.",
        ),
        *system_columns(
            "Id=participant_id", "AiAgentSessionId=session_id", "IndividualId=individual_id"
        ),
    ),
)
