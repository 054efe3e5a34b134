"""What Session Tracing DMOs share: columns (section 5.1 of the Data 360 page) and lags (4.4)."""

from __future__ import annotations

from datetime import timedelta

from stdm_platform.catalog.model import Column, Value

LAG_OF_TURNS = timedelta(minutes=30)
"""Interactions, steps and messages: 30 minutes to 2 hours after the end of their session (Salesforce's
own code, checked empirically), and hours to days at worst."""

LAG_OF_MOMENTS = timedelta(hours=3)
"""A session counts as closed after 3 hours, and the job that finds moments runs every 3 or 9 hours."""


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


def owner_columns() -> tuple[Column, ...]:
    """Owner of the session and the individual behind it, as sessions, turns and messages repeat them."""
    return (
        Column(
            "session_owner_id", "ssot__SessionOwnerId__c", "text", "Owner.", sensitivity="person"
        ),
        Column(
            "session_owner_object",
            "ssot__SessionOwnerObject__c",
            "text",
            "Object of the owner.",
            vocabulary=(Value("User"), Value("MessagingEndUser"), Value("Individual")),
        ),
        Column(
            "individual_id",
            "ssot__IndividualId__c",
            "text",
            "Individual behind the session; often NOT_SET.",
            sensitivity="person",
        ),
    )
