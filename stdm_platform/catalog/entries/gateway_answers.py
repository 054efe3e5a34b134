"""What belongs to a gateway request: response, tags, metadata, diagnostics of the LLM (section 5.10)."""

from __future__ import annotations

from stdm_platform.catalog.entries.audit import (
    audit_column,
    audit_columns,
    audit_objects,
    feature,
    occurred,
)
from stdm_platform.catalog.model import Column, Dmo, Value


def _request(fields: str) -> Column:
    return audit_column(
        "gateway_request_id",
        f"{fields} AiGatewayRequestId",
        "text",
        "Request.",
        required=True,
        references="gateway_requests",
    )


GATEWAY_RESPONSES = Dmo(
    name="gateway_responses",
    written_in="gateway_answers",
    label="GenAI Gateway Response",
    objects=audit_objects("GenAIGatewayResponse", "GenAiGatewayResponse"),
    key="gateway_response_id",
    clock="occurred_at",
    parent="gateway_request_id",
    description="One row per answer of the gateway; one for each request.",
    columns=(
        audit_column(
            "gateway_response_id",
            "generationResponseId Id",
            "text",
            "Key of the response, given by the provider (`chatcmpl-…`).",
            required=True,
        ),
        _request("generationRequestId"),
        audit_column(
            "parameters",
            "parameters ResponseParametersText",
            "text",
            "Parameters of the answer as JSON text.",
            sensitivity="text",
        ),
        occurred("Answered."),
        *audit_columns(),
    ),
)

GATEWAY_REQUEST_TAGS = Dmo(
    name="gateway_request_tags",
    written_in="gateway_answers",
    label="GenAI Gateway Request Tag",
    objects=audit_objects("GenAIGatewayRequestTag", "GenAiGatewayRequestTag"),
    key="gateway_request_tag_id",
    clock="occurred_at",
    parent="gateway_request_id",
    description="One row per name and value that a gateway request carries: agent, planner, utterance.",
    columns=(
        audit_column("gateway_request_tag_id", "id Id", "text", "Key of the tag.", required=True),
        _request("parent"),
        audit_column(
            "tag",
            "tag TagName",
            "text",
            "Name.",
            vocabulary=tuple(
                Value(name, "Salesforce code, live")
                for name in (
                    "bot_id",
                    "bot_name",
                    "agent_developer_name",
                    "agent_label",
                    "agent_version_api_name",
                    "version_api_name",
                    "agent_type",
                    "planner_name",
                    "planner_type",
                    "configured_model_name",
                    "prompt_template_dev_name",
                    "user_utterance",
                )
            ),
        ),
        audit_column(
            "tag_value",
            "tagValue TagValueText",
            "text",
            "Value, with extra double quotes; UNSET_VALUE without one.",
            sensitivity="text",
            is_quoted=True,
        ),
        occurred("Asked."),
        *audit_columns(),
    ),
)

GATEWAY_REQUEST_METADATA = Dmo(
    name="gateway_request_metadata",
    written_in="gateway_answers",
    label="GenAI Gateway Request Metadata",
    objects=audit_objects("GenAIGtwyRequestMetadata", "GenAiGatewayRequestAddlInfo"),
    key="gateway_request_metadata_id",
    clock="occurred_at",
    parent="gateway_request_id",
    description="One row per further fact of a gateway request, such as the tools that it offered.",
    columns=(
        audit_column(
            "gateway_request_metadata_id", "id Id", "text", "Key of the fact.", required=True
        ),
        _request("parent"),
        audit_column(
            "metadata_type",
            "metadataType MetadataTypeName",
            "text",
            "Kind of fact.",
            vocabulary=(Value("ToolCall", "Salesforce code, live"),),
        ),
        audit_column(
            "metadata_text",
            "metadata MetadataTxt",
            "text",
            "The fact as JSON text.",
            sensitivity="text",
        ),
        feature(),
        occurred("Asked."),
        *audit_columns(),
    ),
)

GATEWAY_LLMS = Dmo(
    name="gateway_llms",
    written_in="gateway_answers",
    label="GenAI Gateway Request LLM",
    objects=audit_objects("GenAIGtwyRequestLLM", "GenAiGtwyReqModelDiagnostic"),
    key="gateway_llm_id",
    clock="occurred_at",
    parent="gateway_request_id",
    description="One row per LLM that a gateway request was tried on; empty in every org seen.",
    columns=(
        audit_column("gateway_llm_id", "id Id", "text", "Key of the try.", required=True),
        _request("parent"),
        audit_column("endpoint", "endpoint EndpointName", "text", "Endpoint of the LLM."),
        audit_column("region", "region RegionName", "text", "Region that it ran in."),
        audit_column("model", "genAILLM AiModelName", "text", "Model."),
        audit_column("call_status", "llmCallStatus ReqStatusId", "text", "How the call went."),
        audit_column(
            "call_latency_ms",
            "llmCallLatency ReqLatencyMsNumber",
            "number",
            "Latency in ms by the newer field's name; no row was ever seen.",
        ),
        audit_column(
            "error_text",
            "llmErrorTrace ErrorText",
            "text",
            "Error of the call.",
            sensitivity="text",
        ),
        audit_column(
            "metadata_text",
            "metadata ReqMetadataText",
            "text",
            "Further facts as JSON text.",
            sensitivity="text",
        ),
        feature(),
        occurred("Called."),
        *audit_columns(org="salesforceOrgId"),
    ),
)
