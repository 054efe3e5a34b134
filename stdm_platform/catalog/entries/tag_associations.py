"""Tag associations: which session, moment or turn was marked with which tag (section 5.7)."""

from __future__ import annotations

from stdm_platform.catalog.entries.system import system_columns
from stdm_platform.catalog.model import Column, Dmo, Value

TAG_ASSOCIATIONS = Dmo(
    name="tag_associations",
    label="AI Agent Tag Association",
    objects=("ssot__AiAgentTagAssociation__dlm", "std__AiAgentTagAssociationDmo__dlm"),
    key="tag_association_id",
    clock="created_at",
    parent=None,
    written_within_days=7,
    description="One row per tag on a session, moment or turn; written hours to a week after the conversation.",
    columns=(
        Column(
            "tag_association_id", "ssot__Id__c", "text", "Key of the association.", required=True
        ),
        Column("tag_id", "ssot__AiAgentTagId__c", "text", "Tag.", references="tags"),
        Column(
            "tag_definition_association_id",
            "ssot__AiAgentTagDefinitionAssociationId__c",
            "text",
            "Definition and agent.",
            references="tag_definition_associations",
        ),
        Column(
            "moment_id",
            "ssot__AiAgentMomentId__c",
            "text",
            "Moment; often set beside the session.",
            references="moments",
        ),
        Column(
            "session_id", "ssot__AiAgentSessionId__c", "text", "Session.", references="sessions"
        ),
        Column(
            "interaction_id",
            "ssot__AiAgentInteractionId__c",
            "text",
            "Turn.",
            references="interactions",
        ),
        Column("is_passed", "ssot__IsPassed__c", "boolean", "Verdict of an evaluation."),
        Column(
            "association_reason_text",
            "ssot__AssociationReasonText__c",
            "text",
            "Why, in an LLM's words.",
            sensitivity="text",
        ),
        Column(
            "created_at",
            "ssot__CreatedDate__c",
            "timestamp",
            "Written; close to the time it lands.",
            required=True,
        ),
        Column(
            "session_started_at",
            "ssot__AiAgentSessionStartTimestamp__c",
            "timestamp",
            "Start of the session; newer releases.",
        ),
        Column(
            "tag_value", "ssot__ValueText__c", "text", "Value in place of a tag; newer releases."
        ),
        Column(
            "outcome_type",
            "ssot__OutcomeType__c",
            "text",
            "Outcome of an evaluation; newer releases.",
            vocabulary=(
                Value("pass", "live, third party, 2026"),
                Value("fail", "live, third party, 2026"),
                Value("not applicable", "live, third party, 2026"),
                Value("NOT_SET"),
            ),
        ),
        Column(
            "source_type",
            "ssot__SourceType__c",
            "text",
            "Who decided; newer releases.",
            vocabulary=(Value("PROMPT_TEMPLATE", "live, third party, 2026"), Value("NOT_SET")),
        ),
        *system_columns(
            "Id=tag_association_id",
            "AiAgentTagId=tag_id",
            "AiAgentTagDefinitionAssociationId=tag_definition_association_id",
            "AiAgentMomentId=moment_id",
            "AiAgentSessionId=session_id",
            "AiAgentInteractionId=interaction_id",
        ),
    ),
)
