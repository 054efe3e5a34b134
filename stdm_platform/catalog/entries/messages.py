"""Messages: what the user and the agent said (section 5.6, 21 fields live)."""

from __future__ import annotations

from stdm_platform.catalog.entries.system import LAG_OF_TURNS, owner_columns, system_columns
from stdm_platform.catalog.model import Column, Dmo, Value

MESSAGES = Dmo(
    name="messages",
    label="AI Agent Interaction Message",
    objects=("ssot__AiAgentInteractionMessage__dlm", "std__AiAgentInteractionMessageDmo__dlm"),
    key="message_id",
    clock="sent_at",
    parent="interaction_id",
    description="One row per message of a turn. Its clock is the time of sending; it has no start.",
    shortest_lag=LAG_OF_TURNS,
    columns=(
        Column("message_id", "ssot__Id__c", "text", "Key of the message.", required=True),
        Column(
            "interaction_id",
            "ssot__AiAgentInteractionId__c",
            "text",
            "Interaction.",
            required=True,
            references="interactions",
        ),
        Column(
            "session_id",
            "ssot__AiAgentSessionId__c",
            "text",
            "Session.",
            references="sessions",
        ),
        Column(
            "participant_id",
            "ssot__AiAgentSessionParticipantId__c",
            "text",
            "Participant who sent it.",
            references="participants",
        ),
        Column("sent_at", "ssot__MessageSentTimestamp__c", "timestamp", "Sent.", required=True),
        Column(
            "message_type",
            "ssot__AiAgentInteractionMessageType__c",
            "text",
            "Input comes from the user, Output from the agent.",
            vocabulary=(Value("Input"), Value("Output")),
        ),
        Column(
            "content_type",
            "ssot__AiAgentInteractionMsgContentType__c",
            "text",
            "Media type of the content.",
            vocabulary=(
                Value("text/plain"),
                Value("application/json"),
                Value("audio/wav", "Salesforce docs"),
            ),
        ),
        Column(
            "content_text", "ssot__ContentText__c", "text", "What was said.", sensitivity="text"
        ),
        Column(
            "parent_message_id",
            "ssot__ParentMessageId__c",
            "text",
            "Message that this one answers.",
            references="messages",
        ),
        Column("modality", "Modality__c", "text", "Text or voice; later releases, no prefix."),
        Column(
            "message_started_at",
            "MessageStartTimestamp__c",
            "timestamp",
            "Start of a spoken or streamed message; later releases, no prefix.",
        ),
        Column(
            "message_ended_at",
            "MessageEndTimestamp__c",
            "timestamp",
            "End of a spoken or streamed message; later releases, no prefix.",
        ),
        *owner_columns(),
        *system_columns(
            "Id=message_id",
            "AiAgentInteractionId=interaction_id",
            "AiAgentSessionId=session_id",
            "AiAgentSessionParticipantId=participant_id",
            "IndividualId=individual_id",
            "ParentMessageId=parent_message_id",
        ),
    ),
)
