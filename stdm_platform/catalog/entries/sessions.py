"""Sessions: one row per agent invocation (section 5.2 of the Data 360 page, 18 fields live)."""

from __future__ import annotations

from stdm_platform.catalog.entries.system import owner_columns, system_columns
from stdm_platform.catalog.model import Column, Dmo, Value

SESSIONS = Dmo(
    name="sessions",
    label="AI Agent Session",
    objects=("ssot__AIAgentSession__dlm", "std__AiAgentSessionDmo__dlm"),
    key="session_id",
    clock="started_at",
    parent=None,
    description="One row per agent session. The row exists before its turns and is rewritten at its end.",
    columns=(
        Column("session_id", "ssot__Id__c", "text", "Key of the session (UUIDv7).", required=True),
        Column("started_at", "ssot__StartTimestamp__c", "timestamp", "Start.", required=True),
        Column("ended_at", "ssot__EndTimestamp__c", "timestamp", "End; null while it is active."),
        Column(
            "channel_type",
            "ssot__AiAgentChannelType__c",
            "text",
            "Channel through which the user came.",
            vocabulary=(
                Value("E & O"),
                Value("Builder"),
                Value("SCRT2 - EmbeddedMessaging"),
                Value("LightningDesktopCopilot"),
                Value("Voice"),
                Value("PSTN"),
                Value("Builder: Voice Preview"),
                Value("NGC"),
                Value("Unknown (Internal)", "live, third party, 2026"),
                Value("API", "live, third party, 2026"),
            ),
        ),
        Column(
            "end_type",
            "ssot__AiAgentSessionEndType__c",
            "text",
            "How it ended; NOT_SET in every live org seen, so outcomes come from steps.",
            vocabulary=(
                Value("NOT_SET"),
                Value("USER_ENDED", "Salesforce code"),
                Value("AGENT_ENDED", "Salesforce code"),
                Value("ESCALATED", "Salesforce code"),
                Value("TRANSFERRED", "Salesforce code"),
                Value("TIMEOUT", "Salesforce code"),
                Value("EXPIRED", "live, third party, 2026"),
            ),
        ),
        Column(
            "variable_text",
            "ssot__VariableText__c",
            "text",
            "Session variables as JSON text.",
            sensitivity="text",
            is_json=True,
        ),
        *owner_columns(),
        Column(
            "previous_session_id",
            "ssot__PreviousSessionId__c",
            "text",
            "Session before this one in a chain.",
            references="sessions",
        ),
        Column(
            "related_messaging_session_id",
            "ssot__RelatedMessagingSessionId__c",
            "text",
            "Messaging session (`0Mw…`).",
        ),
        Column(
            "related_voice_call_id", "ssot__RelatedVoiceCallId__c", "text", "Voice call, if any."
        ),
        *system_columns(
            "Id=session_id", "IndividualId=individual_id", "PreviousSessionId=previous_session_id"
        ),
    ),
)
