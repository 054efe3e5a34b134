"""Steps: what the agent did inside a turn (section 5.5 of the Data 360 page, 23 fields live)."""

from __future__ import annotations

from stdm_platform.catalog.entries.system import LAG_OF_TURNS, system_columns
from stdm_platform.catalog.model import Column, Dmo, Value

STEPS = Dmo(
    name="steps",
    label="AI Agent Interaction Step",
    objects=("ssot__AIAgentInteractionStep__dlm", "std__AiAgentInteractionStepDmo__dlm"),
    key="step_id",
    clock="started_at",
    parent="interaction_id",
    description="One row per LLM call, action, topic choice, guardrail or session end. It has no session key.",
    shortest_lag=LAG_OF_TURNS,
    columns=(
        Column("step_id", "ssot__Id__c", "text", "Key of the step.", required=True),
        Column(
            "interaction_id",
            "ssot__AiAgentInteractionId__c",
            "text",
            "Interaction, and the only way to the session.",
            required=True,
            references="interactions",
        ),
        Column("started_at", "ssot__StartTimestamp__c", "timestamp", "Start.", required=True),
        Column("ended_at", "ssot__EndTimestamp__c", "timestamp", "End."),
        Column(
            "step_type",
            "ssot__AiAgentInteractionStepType__c",
            "text",
            "Kind of step.",
            vocabulary=(
                Value("LLM_STEP"),
                Value("TOPIC_STEP"),
                Value("ACTION_STEP"),
                Value("SESSION_END"),
                Value("INTERRUPT_STEP"),
                Value("TRUST_GUARDRAILS_STEP", "Salesforce code, live"),
                Value("VARIABLE_UPDATE_STEP", "live, third party, 2026"),
                Value("CLASSIFIER_STEP", "live, third party, 2026"),
                Value("RELATED_AGENT_STEP", "live, third party, 2026"),
            ),
        ),
        Column(
            "step_name",
            "ssot__Name__c",
            "text",
            "Prompt, action (`{Topic}.{Action}`), guardrail or `CLOSED_*`.",
            other_sources=("std__NameInterfaceField__c",),
        ),
        Column(
            "previous_step_id",
            "ssot__PrevStepId__c",
            "text",
            "Step before this one; a chain, not a tree.",
            references="steps",
        ),
        Column(
            "input_value_text",
            "ssot__InputValueText__c",
            "text",
            "Input; JSON, HTML-escaped JSON or Python text.",
            sensitivity="text",
        ),
        Column(
            "output_value_text",
            "ssot__OutputValueText__c",
            "text",
            "Output; encoded like the input.",
            sensitivity="text",
            is_json=True,
            json_where=("step_type", "ACTION_STEP"),
        ),
        Column(
            "pre_step_variable_text",
            "ssot__PreStepVariableText__c",
            "text",
            "Variables before the step.",
            sensitivity="text",
        ),
        Column(
            "post_step_variable_text",
            "ssot__PostStepVariableText__c",
            "text",
            "Variables after the step.",
            sensitivity="text",
        ),
        Column(
            "error_message_text",
            "ssot__ErrorMessageText__c",
            "text",
            "Error; NOT_SET, None, empty and null mean that there was none.",
            sensitivity="text",
        ),
        Column(
            "generation_id",
            "ssot__GenerationId__c",
            "text",
            "Generation in the audit data; only on LLM steps.",
            references="generations",
            owns=True,
        ),
        Column(
            "gateway_request_id",
            "ssot__GenAiGatewayRequestId__c",
            "text",
            "Gateway request; often NOT_SET.",
            references="gateway_requests",
            owns=True,
        ),
        Column(
            "gateway_response_id",
            "ssot__GenAiGatewayResponseId__c",
            "text",
            "Gateway response; often NOT_SET.",
            references="gateway_responses",
            owns=True,
        ),
        Column(
            "telemetry_trace_span_id", "ssot__TelemetryTraceSpanId__c", "text", "Span of the step."
        ),
        Column(
            "attribute_text",
            "ssot__AttributeText__c",
            "text",
            "Attributes as JSON text; delegation details of a related agent.",
            sensitivity="text",
        ),
        *system_columns(
            "Id=step_id", "AiAgentInteractionId=interaction_id", "PrevStepId=previous_step_id"
        ),
    ),
)
