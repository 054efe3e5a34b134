-- Derived from stdm_platform/catalog: `uv run python -m stdm_platform.catalog.sync`
select
    tag_definition_associations.tag_definition_association_id,
    {{ null_if_sentinel('tag_definition_associations.tag_definition_id') }} as tag_definition_id,
    {{ null_if_sentinel('tag_definition_associations.agent_api_name') }} as agent_api_name,
    {{ null_if_sentinel('tag_definition_associations.prompt_template_id') }} as prompt_template_id,
    tag_definition_associations.is_active,
    tag_definition_associations.created_at,
    {{ null_if_sentinel('tag_definition_associations.data_source_id') }} as data_source_id,
    {{ null_if_sentinel('tag_definition_associations.data_source_object_id') }} as data_source_object_id,
    {{ null_if_sentinel('tag_definition_associations.internal_organization_id') }} as internal_organization_id,
    tag_definition_associations.date as lake_date,
    lake_window.read_at as read_at,
    lake_window.window_start as window_start,
    lake_window.missing_columns as missing_columns,
from {{ source('stdm', 'tag_definition_associations') }} as tag_definition_associations
{{ join_window('tag_definition_associations', 'tag_definition_associations') }}
