"""What the generative AI audit DMOs share: two families of names and four columns (section 5.10).

The legacy family is `GenAIX__dlm` with `camelCase__c` fields. The newer one (release 260) is
`GenAiX_std__dlm` with other, unprefixed names, which another spelling of Salesforce's own pages
prints as `std__GenAiXDmo__dlm` with `std__` before each field; names of both from those pages,
seen 2026-11.
"""

from __future__ import annotations

from datetime import timedelta

from stdm_platform.catalog.model import Column, ColumnType, Sensitivity, Value

LAG_OF_GENERATIONS = timedelta(minutes=30)
"""Generations and their scores come with the turns; gateway rows and feedback within minutes (4.4)."""


def audit_objects(legacy: str, newer: str) -> tuple[str, ...]:
    """The names that an audit DMO can have in an org, best first."""
    return (f"{legacy}__dlm", f"{newer}_std__dlm", f"std__{newer}Dmo__dlm")


def audit_column(
    name: str,
    fields: str,
    column_type: ColumnType,
    description: str,
    *,
    required: bool = False,
    sensitivity: Sensitivity = "none",
    vocabulary: tuple[Value, ...] = (),
    references: str | None = None,
    or_references: tuple[str, ...] = (),
    is_quoted: bool = False,
) -> Column:
    """A column by its fields without `__c`: the legacy one, then those of the newer family."""
    legacy, *newer = fields.split()
    return Column(
        name,
        f"{legacy}__c",
        column_type,
        description,
        required=required,
        sensitivity=sensitivity,
        vocabulary=vocabulary,
        references=references,
        or_references=or_references,
        is_quoted=is_quoted,
        other_sources=tuple(
            spelling for field in newer for spelling in (f"{field}__c", f"std__{field}__c")
        ),
    )


def occurred(description: str) -> Column:
    """The clock of an audit DMO."""
    return audit_column(
        "occurred_at", "timestamp CreatedDate", "timestamp", description, required=True
    )


def feature() -> Column:
    """The product feature that made the call; values of section 5.8."""
    return audit_column(
        "feature",
        "feature AiApplicationFeatureName",
        "text",
        "Feature of the product that made the call.",
        vocabulary=(
            Value("plannerservice", "Salesforce code, live"),
            Value("PromptTemplateGenerationsInvocable", "Salesforce code, live"),
            Value("PromptBuilderPreview", "Salesforce code, live"),
            Value("CopilotForDigitalChannels", "Salesforce code, live"),
            Value("Guardrails and Citations", "Salesforce code, live"),
        ),
    )


def audit_columns(*, org: str = "orgId") -> tuple[Column, ...]:
    """Org and cloud as the row says them, last in every audit DMO."""
    return (
        audit_column(
            "internal_organization_id",
            f"{org} InternalOrganizationId",
            "text",
            "Org that wrote the row, as the row says.",
        ),
        audit_column("cloud", "cloud BillToCloudIdentifier", "text", "Cloud that is billed."),
    )
