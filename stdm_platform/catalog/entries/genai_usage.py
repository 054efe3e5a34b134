"""Generative AI usage: what calls of LLMs and tools are metered (section 5.7; release 260).

38 columns as one live org published them (third party, 2026).
"""

from __future__ import annotations

from stdm_platform.catalog.entries.audit import audit_column
from stdm_platform.catalog.model import Column, ColumnType, Dmo, Sensitivity


def _usage(
    name: str,
    field: str,
    description: str,
    column_type: ColumnType = "text",
    *,
    sensitivity: Sensitivity = "none",
    references: str | None = None,
    required: bool = False,
) -> Column:
    """A column by its field, or several; the object with prefixes has `std__` before each."""
    return audit_column(
        name,
        f"{field.split()[0]} {field}",
        column_type,
        description,
        required=required,
        sensitivity=sensitivity,
        references=references,
    )


GENAI_USAGE = Dmo(
    name="genai_usage",
    label="AI Agent Generative AI Usage",
    objects=("AiAgentGenerativeAiUsage_std__dlm", "std__AiAgentGenerativeAiUsageDmo__dlm"),
    key="usage_id",
    clock="occurred_at",
    parent=None,
    description="One row per metered use of an LLM or a tool, with tokens and quantity.",
    columns=(
        _usage("usage_id", "Id", "Key of the use.", required=True),
        _usage("session_id", "AiAgentSessionId", "Session.", references="sessions"),
        _usage("interaction_id", "AiAgentInteractionId", "Interaction.", references="interactions"),
        _usage("occurred_at", "Timestamp", "Used.", "timestamp", required=True),
        _usage("agent_api_name", "AgentDeveloperName", "Agent."),
        _usage("agent_id", "AgentIdentifier", "Id of the agent."),
        _usage("agent_type", "AgentTypeCode", "Kind of agent."),
        _usage("tool_id", "AiAgentToolIdentifier", "Id of the tool."),
        _usage("tool_name", "AiAgentToolName", "Tool."),
        _usage("tool_target", "AiAgentToolInvTargetCode", "What the tool calls."),
        _usage("usage_type", "UsageTypeCode", "What is metered, like `Agentforce_CustomAction`."),
        _usage("usage_quantity", "UsageQuantity", "How much, in units.", "number"),
        _usage("unit_type", "UnitTypeCode", "Unit of the quantity."),
        _usage("tier_qualifier", "TierQualifierType", "Tier of the price."),
        _usage("is_billable", "IsBillableIndicator", "Whether it is billed.", "boolean"),
        _usage("is_metered", "IsMeteredIndicator", "Whether it is metered.", "boolean"),
        _usage("metering_skip_reason", "MeteringSkipReasonCode", "Why it is not metered."),
        _usage(
            "gateway_feature",
            "GenAiGatewayFeatureName",
            "Feature of the product; null when untagged.",
        ),
        _usage("feature_descriptor", "FeatureDescriptorName", "Feature, more closely."),
        _usage("gateway_model", "GenAiGatewayModelName", "Model, as the gateway names it."),
        _usage("model_provider", "ModelProviderName", "Provider of the model."),
        _usage("provider_model", "ModelProviderModelName", "Model, as its provider names it."),
        _usage("model_class", "ModelClassType", "Class of the model."),
        _usage("prompt_tokens", "PromptInputTokenCount", "Tokens of the prompt.", "number"),
        _usage(
            "completion_tokens", "PromptCompletionTokenCount", "Tokens of the answer.", "number"
        ),
        _usage("total_tokens", "PromptTotalTokenCount", "Tokens of both.", "number"),
        _usage("prompt_template_id", "PromptTemplateIdentifier", "Id of the prompt template."),
        _usage("prompt_template_name", "PromptTemplateDeveloperName", "Prompt template."),
        _usage("request_id", "RequestIdentifier", "Request that was metered."),
        _usage("telemetry_trace_id", "TelemetryTraceIdentifier", "Trace."),
        _usage("telemetry_trace_span_id", "TelemetryTraceSpanId", "Span."),
        _usage("user_id", "UserId", "User.", sensitivity="person"),
        _usage("user_context", "UserContext", "What is known of the user.", sensitivity="person"),
        _usage("infra_tenant_id", "InfraTenantIdentifier", "Tenant that ran it."),
        _usage("data_source_id", "DataSourceId", "Data stream that wrote the row."),
        _usage(
            "data_source_object_id",
            "DataSourceObjectId",
            "Object of the data stream that wrote the row.",
        ),
        _usage(
            "internal_organization_id",
            "InternalOrganizationId",
            "Org that wrote the row, as the row says.",
        ),
        _usage("kq_usage_id", "KQ_Id", "Key qualifier of usage_id; usually null."),
    ),
)
