"""The columns that every Session Tracing DMO carries (section 5.1 of the Data 360 page)."""

from __future__ import annotations

from stdm_platform.catalog.model import Column


def system_columns(*key_qualifiers: str) -> tuple[Column, ...]:
    """Source, object, org and key-qualifier columns; qualifiers are given by field name."""
    return (
        Column(
            "data_source_id", "ssot__DataSourceId__c", "text", "Data stream that wrote the row."
        ),
        Column(
            "data_source_object_id",
            "ssot__DataSourceObjectId__c",
            "text",
            "Object of the data stream that wrote the row.",
        ),
        Column(
            "internal_organization_id",
            "ssot__InternalOrganizationId__c",
            "text",
            "Org that wrote the row, as the row says.",
        ),
        *(
            Column(
                f"kq_{lake_name}",
                f"KQ_{field}__c",
                "text",
                f"Key qualifier of {lake_name}; usually null.",
            )
            for field, lake_name in (pair.split("=") for pair in key_qualifiers)
        ),
    )
