"""Tags: what conversations can be marked with (section 5.7). Three catalogues, read whole each time."""

from __future__ import annotations

from datetime import timedelta

from stdm_platform.catalog.entries.system import system_columns
from stdm_platform.catalog.model import Column, Dmo, Value

_CREATED = Column("created_at", "ssot__CreatedDate__c", "timestamp", "Created.")

TAG_DEFINITIONS = Dmo(
    name="tag_definitions",
    written_in="tags",
    label="AI Agent Tag Definition",
    objects=("ssot__AiAgentTagDefinition__dlm", "std__AiAgentTagDefinitionDmo__dlm"),
    key="tag_definition_id",
    clock="created_at",
    parent=None,
    is_catalogue=True,
    settle_time=timedelta(0),
    again_after=(),
    description="One row per kind of tag: quality score, request category, deflection, abandonment.",
    columns=(
        Column("tag_definition_id", "ssot__Id__c", "text", "Key of the definition.", required=True),
        Column(
            "tag_definition_name",
            "ssot__Name__c",
            "text",
            "Label, like `Optimization Request Category`.",
            other_sources=("std__NameInterfaceField__c",),
        ),
        Column(
            "developer_name",
            "ssot__DeveloperName__c",
            "text",
            "API name; intents are `AIE_Request_Category_<Agent>`.",
        ),
        Column(
            "definition_text",
            "ssot__Description__c",
            "text",
            "What the tag says.",
            sensitivity="text",
            other_sources=("ssot__DescriptionText__c", "std__DescriptionText__c"),
        ),
        Column(
            "tag_identifier",
            "ssot__TagIdentifier__c",
            "text",
            "Identifier of the definition over its versions.",
        ),
        Column(
            "data_type",
            "ssot__DataType__c",
            "text",
            "Type of the values.",
            vocabulary=(
                Value("Text", "live, third party, 2026"),
                Value("Integer", "live, third party, 2026"),
                Value("Number", "seeded org, 2026"),
            ),
        ),
        Column(
            "source_type",
            "ssot__SourceType__c",
            "text",
            "Who made it.",
            vocabulary=(
                Value("Generated", "live, third party, 2026"),
                Value("Predefined", "live, third party, 2026"),
            ),
        ),
        Column(
            "status",
            "ssot__Status__c",
            "text",
            "Whether it is in use.",
            vocabulary=(
                Value("Available", "Salesforce code, live"),
                Value("Active", "Salesforce docs"),
                Value("Inactive", "Salesforce docs"),
            ),
        ),
        Column("version_number", "ssot__VersionNumber__c", "number", "Version."),
        Column("engine_type", "ssot__EngineType__c", "text", "Engine that applies the tag."),
        Column(
            "source_tag_reference_name",
            "ssot__SourceTagReferenceName__c",
            "text",
            "Name of the tag at its source.",
        ),
        Column(
            "input_scope",
            "ssot__InputScope__c",
            "text",
            "What the engine looks at: session, moment or turn.",
        ),
        _CREATED,
        *system_columns("Id=tag_definition_id"),
    ),
)

TAGS = Dmo(
    name="tags",
    label="AI Agent Tag",
    objects=("ssot__AiAgentTag__dlm", "std__AiAgentTagDmo__dlm"),
    key="tag_id",
    clock="created_at",
    parent=None,
    is_catalogue=True,
    settle_time=timedelta(0),
    again_after=(),
    description="One row per value that a tag can have, such as a score from 1 to 5 or the name of an intent.",
    columns=(
        Column("tag_id", "ssot__Id__c", "text", "Key of the tag.", required=True),
        Column(
            "tag_definition_id",
            "ssot__AiAgentTagDefinitionId__c",
            "text",
            "Definition.",
            references="tag_definitions",
        ),
        Column(
            "tag_value",
            "ssot__Value__c",
            "text",
            "Value, numbers too as text.",
            other_sources=("std__ValueText__c",),
        ),
        Column(
            "tag_text",
            "ssot__Description__c",
            "text",
            "What the value means.",
            sensitivity="text",
            other_sources=("ssot__DescriptionText__c", "std__DescriptionText__c"),
        ),
        Column(
            "order_number",
            "ssot__OrderNumber__c",
            "number",
            "Place among the values of the definition.",
        ),
        Column("is_active", "ssot__IsActive__c", "boolean", "Whether it is in use."),
        Column(
            "is_fallback",
            "ssot__IsFallback__c",
            "boolean",
            "Whether it stands for none of the others.",
        ),
        _CREATED,
        *system_columns("Id=tag_id", "AiAgentTagDefinitionId=tag_definition_id"),
    ),
)

TAG_DEFINITION_ASSOCIATIONS = Dmo(
    name="tag_definition_associations",
    written_in="tags",
    label="AI Agent Tag Definition Association",
    objects=(
        "ssot__AiAgentTagDefinitionAssociation__dlm",
        "std__AiAgentTagDefinitionAssociationDmo__dlm",
    ),
    key="tag_definition_association_id",
    clock="created_at",
    parent=None,
    is_catalogue=True,
    settle_time=timedelta(0),
    again_after=(),
    description="One row per agent that a tag definition is used for.",
    columns=(
        Column(
            "tag_definition_association_id",
            "ssot__Id__c",
            "text",
            "Key of the association.",
            required=True,
        ),
        Column(
            "tag_definition_id",
            "ssot__AiAgentTagDefinitionId__c",
            "text",
            "Definition.",
            references="tag_definitions",
        ),
        Column("agent_api_name", "ssot__AiAgentApiName__c", "text", "Agent."),
        Column(
            "prompt_template_id",
            "ssot__AiPromptTemplateId__c",
            "text",
            "Prompt template that decides.",
        ),
        Column("is_active", "ssot__IsActive__c", "boolean", "Whether it is in use."),
        _CREATED,
        *system_columns(
            "Id=tag_definition_association_id", "AiAgentTagDefinitionId=tag_definition_id"
        ),
    ),
)
