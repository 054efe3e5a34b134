"""Content quality: what the detectors of the trust layer found in prompts and answers (section 5.10)."""

from __future__ import annotations

from stdm_platform.catalog.entries.audit import (
    LAG_OF_GENERATIONS,
    audit_column,
    audit_columns,
    audit_objects,
    feature,
    occurred,
)
from stdm_platform.catalog.model import Dmo, Value

CONTENT_QUALITY = Dmo(
    name="content_quality",
    label="GenAI Content Quality",
    objects=audit_objects("GenAIContentQuality", "GenAiContentQuality"),
    key="content_quality_id",
    clock="occurred_at",
    parent="generation_id",
    description="One row per scored side of a generation: its prompt or its answer.",
    shortest_lag=LAG_OF_GENERATIONS,
    columns=(
        audit_column("content_quality_id", "id Id", "text", "Key of the score.", required=True),
        audit_column(
            "generation_id",
            "parent SourceReferenceId",
            "text",
            "Generation.",
            required=True,
            references="generations",
        ),
        audit_column(
            "content_type",
            "contentType ContentTypeId",
            "text",
            "INPUT is the prompt, OUTPUT the answer.",
            vocabulary=(Value("INPUT"), Value("OUTPUT")),
        ),
        audit_column(
            "is_toxicity_detected",
            "isToxicityDetected IsToxicityDetected",
            "text",
            "Whether it is toxic: `true` or `false` as text, empty on prompts.",
            vocabulary=(Value("true"), Value("false"), Value("NOT_SET")),
        ),
        feature(),
        occurred("Scored."),
        *audit_columns(),
    ),
)

CONTENT_CATEGORIES = Dmo(
    name="content_categories",
    written_in="content_quality",
    label="GenAI Content Category",
    objects=audit_objects("GenAIContentCategory", "GenAiContentQualityCategory"),
    key="content_category_id",
    clock="occurred_at",
    parent="parent_id",
    description="One row per category that a detector scored. The largest object of an org.",
    shortest_lag=LAG_OF_GENERATIONS,
    columns=(
        audit_column(
            "content_category_id", "id Id", "text", "Key of the category row.", required=True
        ),
        audit_column(
            "parent_id",
            "parent AiContentQualityId",
            "text",
            "What was scored: content quality for TOXICITY, the generation itself for other detectors.",
            required=True,
            references="content_quality",
            or_references=("generations",),
        ),
        audit_column(
            "detector_type",
            "detectorType DetectionTypeId",
            "text",
            "Detector.",
            vocabulary=(
                Value("TOXICITY"),
                Value("PROMPT_DEFENSE"),
                Value("PII"),
                Value("InstructionAdherence"),
                Value("TaskResolution", "Salesforce code"),
            ),
        ),
        audit_column(
            "category",
            "category CategoryTypeId",
            "text",
            "What it looked for, or its verdict. A high `safety_score` is harmless.",
            vocabulary=(
                Value("hate"),
                Value("identity"),
                Value("physical"),
                Value("profanity"),
                Value("safety_score"),
                Value("sexual"),
                Value("toxicity"),
                Value("violence"),
                Value("0"),
                Value("aggregatePromptAttackScore"),
                Value("isPromptAttackDetected"),
                Value("1"),
                Value("CREDIT_CARD"),
                Value("EMAIL_ADDRESS"),
                Value("PERSON"),
                Value("US_PHONE_NUMBER"),
                Value("High"),
                Value("Low"),
                Value("Uncertain"),
                Value("Medium", "Salesforce code"),
                Value("FULLY_RESOLVED", "a seed, never live"),
                Value("PARTIALLY_RESOLVED", "a seed, never live"),
                Value("NOT_RESOLVED", "a seed, never live"),
                Value("UNRESOLVED", "live step output, third party, 2026"),
            ),
        ),
        audit_column(
            "category_value",
            "value CategoryValueNumber",
            "text",
            "Score from 0 to 1, or true and false, as text.",
        ),
        occurred("Scored."),
        *audit_columns(),
    ),
)
