"""Feedback: what users thought of an answer (section 5.10)."""

from __future__ import annotations

from stdm_platform.catalog.entries.audit import (
    audit_column,
    audit_columns,
    audit_objects,
    feature,
    occurred,
)
from stdm_platform.catalog.model import Dmo, Value

FEEDBACK = Dmo(
    name="feedback",
    label="GenAI Feedback",
    objects=audit_objects("GenAIFeedback", "GenAiFeedback"),
    key="feedback_id",
    clock="occurred_at",
    parent=None,
    description="One row per reaction of a user to a generation; days after the turn at times.",
    columns=(
        audit_column("feedback_id", "feedbackId Id", "text", "Key of the feedback.", required=True),
        audit_column(
            "generation_id",
            "generationId RelatedAiResponseGenerationId",
            "text",
            "Generation.",
            references="generations",
        ),
        audit_column(
            "generation_update_id",
            "generationUpdateId",
            "text",
            "Change of the generation, if that is what was judged.",
        ),
        audit_column(
            "generation_group_id",
            "generationGroupId GenerationGroupIdentifier",
            "text",
            "Group of generations; the same in the gateway request.",
        ),
        audit_column("user_id", "userId CreatedById", "text", "User.", sensitivity="person"),
        audit_column(
            "feedback_value",
            "feedback FeedbackTypeId",
            "text",
            "Thumbs: up or down, good or bad.",
            vocabulary=(
                Value("GOOD"),
                Value("BAD", "a seed, never live"),
                Value("UP", "Salesforce code"),
                Value("DOWN", "Salesforce code"),
                Value("NOT_SET"),
            ),
        ),
        audit_column(
            "feedback_action",
            "action FeedbackActionId",
            "text",
            "What the user did with the answer.",
            vocabulary=(
                Value("REGENERATE", "Salesforce code"),
                Value("COPY", "Salesforce code"),
                Value("NOT_SET"),
            ),
        ),
        audit_column("feedback_source", "source FeedbackSourceId", "text", "Where it was given."),
        feature(),
        audit_column("app_type", "appType AiApplicationName", "text", "Application."),
        occurred("Given."),
        *audit_columns(),
    ),
)

FEEDBACK_DETAILS = Dmo(
    name="feedback_details",
    written_in="feedback",
    label="GenAI Feedback Detail",
    objects=audit_objects("GenAIFeedbackDetail", "GenAiFeedbackAdditionalInfo"),
    key="feedback_detail_id",
    clock="occurred_at",
    parent="feedback_id",
    description="One row per comment on a reaction: what the user wrote, or the reason that they chose.",
    columns=(
        audit_column(
            "feedback_detail_id", "feedbackDetailId Id", "text", "Key of the detail.", required=True
        ),
        audit_column(
            "feedback_id",
            "parent AiFeedbackId",
            "text",
            "Feedback.",
            required=True,
            references="feedback",
        ),
        audit_column(
            "feedback_text",
            "feedbackText FeedbackText",
            "text",
            "What the user wrote.",
            sensitivity="text",
        ),
        audit_column(
            "app_feedback",
            "appFeedback ApplicationFeedbackText",
            "text",
            "Reason that the app offered.",
            sensitivity="text",
        ),
        feature(),
        occurred("Given."),
        *audit_columns(),
    ),
)
