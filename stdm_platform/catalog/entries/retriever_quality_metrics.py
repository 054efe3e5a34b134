"""Retriever quality metrics: how well retrieved text served an answer (section 5.7)."""

from __future__ import annotations

from stdm_platform.catalog.entries.system import system_columns
from stdm_platform.catalog.model import Column, Dmo

RETRIEVER_QUALITY_METRICS = Dmo(
    name="retriever_quality_metrics",
    label="AI Retriever Quality Metric",
    objects=(
        "ssot__AiRetrieverQualityMetric__dlm",
        "std__AiRetrieverQualityMetricDmo__dlm",
        "AiRetrieverQualityMetric_std__dlm",
        "AiRetrieverQualityMetricDmo__dlm",
    ),
    key="retriever_quality_metric_id",
    clock="measured_at",
    parent=None,
    description="One row per scored retrieval; only from agents that retrieve. It reaches a session by its request.",
    columns=(
        Column(
            "retriever_quality_metric_id",
            "ssot__Id__c",
            "text",
            "Key of the metric.",
            required=True,
        ),
        Column(
            "gateway_request_id",
            "ssot__AiGatewayRequestId__c",
            "text",
            "Gateway request.",
            references="gateway_requests",
        ),
        Column(
            "retriever_request_id",
            "ssot__AiRetrieverRequestId__c",
            "text",
            "Request of the retriever.",
        ),
        Column(
            "generation_id",
            "ssot__AiResponseGenerationId__c",
            "text",
            "Generation that answered.",
            references="generations",
        ),
        Column("retriever_api_name", "ssot__RetrieverApiName__c", "text", "Retriever."),
        Column(
            "retriever_trace_id", "ssot__RetrieverTraceId__c", "text", "Trace of the retrieval."
        ),
        Column(
            "retriever_trace_span_id",
            "ssot__RetrieverTraceSpanId__c",
            "text",
            "Span of the retrieval.",
        ),
        Column(
            "user_utterance_text",
            "ssot__UserUtteranceText__c",
            "text",
            "What the user said.",
            sensitivity="text",
        ),
        Column(
            "response_text",
            "ssot__AgentGeneratedResponseText__c",
            "text",
            "What the agent answered.",
            sensitivity="text",
        ),
        Column(
            "faithfulness_score",
            "ssot__FaithfulnessRelevancyScoreNumber__c",
            "number",
            "From 0 to 1: is the answer held by the retrieved text.",
        ),
        Column(
            "answer_relevancy_score",
            "ssot__AnswerRelevancyScoreNumber__c",
            "number",
            "From 0 to 1: does the answer fit the question.",
        ),
        Column(
            "context_precision_score",
            "ssot__ContextPrecisionScoreNumber__c",
            "number",
            "From 0 to 1: does the retrieved text fit the question.",
        ),
        Column(
            "retrieved_context_ids",
            "ssot__RetrievedContextIdListText__c",
            "text",
            "Ids of the retrieved texts.",
        ),
        Column(
            "source_document_ids",
            "ssot__SourceDocumentIdListText__c",
            "text",
            "Ids of their documents.",
        ),
        Column(
            "measured_at",
            "ssot__MetricCreatedTimestamp__c",
            "timestamp",
            "Scored.",
            required=True,
            other_sources=("ssot__StartTimestamp__c", "std__StartTimestamp__c"),
        ),
        Column(
            "last_processed_at",
            "ssot__LastProcessedReqTimestamp__c",
            "timestamp",
            "Newest request that was scored.",
        ),
        Column("created_at", "ssot__CreatedDate__c", "timestamp", "Written."),
        Column("modified_at", "ssot__LastModifiedDate__c", "timestamp", "Rewritten."),
        Column(
            "system_modified_at",
            "ssot__SystemModstamp__c",
            "timestamp",
            "Rewritten, as the system says.",
        ),
        *system_columns("Id=retriever_quality_metric_id"),
    ),
)
