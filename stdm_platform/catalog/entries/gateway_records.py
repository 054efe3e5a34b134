"""Gateway records: the records that ground an answer, and their citations (section 5.10)."""

from __future__ import annotations

from stdm_platform.catalog.entries.audit import (
    audit_column,
    audit_columns,
    audit_objects,
    feature,
    occurred,
)
from stdm_platform.catalog.model import Dmo

GATEWAY_RECORDS = Dmo(
    name="gateway_records",
    label="GenAI Gateway Object Record",
    objects=audit_objects("GenAIGtwyObjRecord", "GenAiGatewayReqObjRec"),
    key="gateway_record_id",
    clock="occurred_at",
    parent=None,
    description="One row per record attached to a gateway request or to feedback; only from grounding features.",
    columns=(
        audit_column("gateway_record_id", "id Id", "text", "Key of the attachment.", required=True),
        audit_column(
            "parent_id",
            "parent AiGatewayRequestId",
            "text",
            "Request, or feedback.",
            references="gateway_requests",
            or_references=("feedback",),
        ),
        audit_column(
            "record_id",
            "recordId RecordId",
            "text",
            "The record in its own object.",
            sensitivity="person",
        ),
        audit_column(
            "record_type",
            "type RecordTypeName",
            "text",
            "Object of the record, like `ssot__KnowledgeArticleVersion__dlm`.",
        ),
        audit_column(
            "record_name",
            "name RecordLabelName",
            "text",
            "Label of the record.",
            sensitivity="text",
        ),
        audit_column(
            "record_value",
            "value RecordLinkText",
            "text",
            "Often a link to the record.",
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
        occurred("Attached."),
        *audit_columns(),
    ),
)

CITATIONS = Dmo(
    name="citations",
    written_in="gateway_records",
    label="GenAI Gateway Object Record Citation",
    objects=(
        *audit_objects("GenAIGtwyObjRecCitationRef", "GenAiGatewayReqObjRecCtn"),
        "GenAIGtwyObjRecCitation__dlm",
    ),
    key="citation_id",
    clock="occurred_at",
    parent=None,
    description="One row per citation of an attached record; most orgs lack the object.",
    columns=(
        audit_column("citation_id", "id Id", "text", "Key of the citation.", required=True),
        audit_column(
            "gateway_record_id",
            "parent AiGatewayReqObjRecId",
            "text",
            "Attached record.",
            references="gateway_records",
        ),
        audit_column(
            "citation_text",
            "citation CitationText citationReference",
            "text",
            "The citation; its legacy field was never seen.",
            sensitivity="text",
        ),
        feature(),
        occurred("Cited."),
        *audit_columns(),
    ),
)
