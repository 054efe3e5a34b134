"""Generations: what an LLM answered, and what an app made of it (section 5.10)."""

from __future__ import annotations

from stdm_platform.catalog.entries.audit import (
    LAG_OF_GENERATIONS,
    audit_column,
    audit_columns,
    audit_objects,
    feature,
    occurred,
)
from stdm_platform.catalog.model import Dmo

GENERATIONS = Dmo(
    name="generations",
    label="GenAI Generation",
    objects=audit_objects("GenAIGeneration", "GenAiResponseGeneration"),
    key="generation_id",
    clock="occurred_at",
    parent=None,
    description="One row per text that an LLM generated. Steps name it; it has no session key.",
    shortest_lag=LAG_OF_GENERATIONS,
    columns=(
        audit_column(
            "generation_id",
            "generationId Id",
            "text",
            "Key of the generation; `generation_id` of the LLM step.",
            required=True,
        ),
        audit_column(
            "gateway_response_id",
            "generationResponseId AiGatewayResponseId",
            "text",
            "Response of the gateway that held it.",
            references="gateway_responses",
        ),
        audit_column(
            "response_text",
            "responseText GeneratedResponseText",
            "text",
            "What was generated; HTML-escaped JSON for tool calls.",
            sensitivity="text",
        ),
        audit_column(
            "masked_response_text",
            "maskedResponseText MaskedGeneratedResponseText",
            "text",
            "The same with personal data masked; empty without masking.",
            sensitivity="text",
        ),
        audit_column(
            "response_parameters",
            "responseParameters GenerationParametersText",
            "text",
            "Parameters of the answer as JSON text.",
            sensitivity="text",
        ),
        feature(),
        occurred("Generated."),
        *audit_columns(),
    ),
)

APP_GENERATIONS = Dmo(
    name="app_generations",
    written_in="generations",
    label="GenAI App Generation",
    objects=audit_objects("GenAIAppGeneration", "GenAiResponseAppGeneration"),
    key="app_generation_id",
    clock="occurred_at",
    parent=None,
    description="One row per change that an app made to a generated text; empty in most orgs.",
    columns=(
        audit_column("app_generation_id", "id Id", "text", "Key of the change.", required=True),
        audit_column(
            "generation_id",
            "generationId AiResponseGenerationId",
            "text",
            "Generation that was changed.",
            references="generations",
        ),
        audit_column(
            "generation_update_text",
            "generationUpdate AppGenerationResponseText",
            "text",
            "The changed text.",
            sensitivity="text",
        ),
        audit_column(
            "generation_update_id",
            "generationUpdateId AppGenerationIdentifier",
            "text",
            "Identifier of the change, which feedback names.",
        ),
        feature(),
        occurred("Changed."),
        *audit_columns(),
    ),
)
