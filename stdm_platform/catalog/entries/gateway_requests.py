"""Gateway requests: one call of an LLM, with its prompt, model and tokens (section 5.10, 30 fields live)."""

from __future__ import annotations

from stdm_platform.catalog.entries.audit import (
    audit_column,
    audit_columns,
    audit_objects,
    feature,
    occurred,
)
from stdm_platform.catalog.model import Column, Dmo, Value

_FLAGS = (Value("true"), Value("false"), Value("NOT_SET"))


def _flag(name: str, fields: str, description: str) -> Column:
    return audit_column(
        name, fields, "text", f"{description}: `true` or `false` as text.", vocabulary=_FLAGS
    )


GATEWAY_REQUESTS = Dmo(
    name="gateway_requests",
    label="GenAI Gateway Request",
    objects=audit_objects("GenAIGatewayRequest", "GenAiGatewayRequest"),
    key="gateway_request_id",
    clock="occurred_at",
    parent=None,
    description="One row per call of an LLM through the gateway, with model and tokens.",
    columns=(
        audit_column(
            "gateway_request_id",
            "gatewayRequestId Id",
            "text",
            "Key of the request.",
            required=True,
        ),
        audit_column(
            "session_id",
            "sessionId FeatureSessionIdentifier",
            "text",
            "Session, in extra double quotes; `no_session` without one.",
            references="sessions",
            is_quoted=True,
        ),
        audit_column(
            "generation_group_id",
            "generationGroupId GenerationGroupIdentifier",
            "text",
            "Groups the generations of one visible turn.",
        ),
        audit_column(
            "user_id",
            "userId CreatedById",
            "text",
            "User; NOT_SET for calls of the system.",
            sensitivity="person",
        ),
        audit_column(
            "bot_version_id", "botVersionId BotVersionIdentifier", "text", "Version of the agent."
        ),
        audit_column("planner_id", "plannerId AiPlannerIdentifier", "text", "Planner."),
        feature(),
        audit_column("app_type", "appType AiApplicationName", "text", "Application."),
        audit_column("model", "model AiModelName", "text", "Model, as the gateway names it."),
        audit_column(
            "provider",
            "provider AiProviderName",
            "text",
            "Provider of the model.",
            vocabulary=(
                Value("openai", "Salesforce code, live"),
                Value("azureOpenAI", "Salesforce code, live"),
                Value("salesforce", "live, third party, 2026"),
            ),
        ),
        audit_column(
            "prompt_template_name",
            "promptTemplateDevName AiPromptTemplateName",
            "text",
            "Prompt template; in extra double quotes in one org.",
            is_quoted=True,
        ),
        audit_column(
            "prompt_template_version",
            "promptTemplateVersionNo AiPromptVersionName",
            "text",
            "Version of the prompt template.",
        ),
        audit_column(
            "prompt_text",
            "prompt PromptText",
            "text",
            "The whole prompt, 30 KB and more.",
            sensitivity="text",
        ),
        audit_column(
            "masked_prompt_text",
            "maskedPrompt MaskedPromptText",
            "text",
            "The prompt with personal data masked.",
            sensitivity="text",
        ),
        audit_column(
            "parameters",
            "parameters ModelParametersText",
            "text",
            "Further parameters as JSON text.",
            sensitivity="text",
        ),
        audit_column(
            "temperature", "temperature GenerationResponseVarianceNumber", "number", "Temperature."
        ),
        audit_column(
            "frequency_penalty",
            "frequencyPenalty FrequencyPenaltyNumber",
            "number",
            "Frequency penalty.",
        ),
        audit_column(
            "presence_penalty",
            "presencePenalty PresencePenaltyNumber",
            "number",
            "Presence penalty.",
        ),
        audit_column(
            "stop_sequences",
            "stopSequences GenerationStoppingStringText",
            "text",
            "Where the answer ends.",
        ),
        audit_column(
            "generation_count",
            "numGenerations ExpectedGenerationCount",
            "number",
            "Answers asked for.",
        ),
        audit_column(
            "prompt_tokens", "promptTokens PromptTokenCount", "number", "Tokens of the prompt."
        ),
        audit_column(
            "completion_tokens",
            "completionTokens CompletionTokenCount",
            "number",
            "Tokens of the answer.",
        ),
        audit_column("total_tokens", "totalTokens TotalTokenCount", "number", "Tokens of both."),
        _flag(
            "input_safety_scoring",
            "enableInputSafetyScoring IsInputSafetyScoringEnabled",
            "Whether the prompt is scored",
        ),
        _flag(
            "output_safety_scoring",
            "enableOutputSafetyScoring IsOutputSafetyScoringEnabled",
            "Whether the answer is scored",
        ),
        _flag(
            "pii_masking", "enablePiiMasking IsPiiMaskingEnabled", "Whether personal data is masked"
        ),
        occurred("Asked."),
        *audit_columns(),
    ),
)
