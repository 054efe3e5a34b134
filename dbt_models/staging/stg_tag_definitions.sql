-- Derived from stdm_platform/catalog: `uv run python -m stdm_platform.catalog.sync`
select
    tag_definitions.tag_definition_id,
    {{ null_if_sentinel('tag_definitions.tag_definition_name') }} as tag_definition_name,
    {{ null_if_sentinel('tag_definitions.developer_name') }} as developer_name,
    {{ null_if_sentinel('tag_definitions.definition_text') }} as definition_text,
    {{ null_if_sentinel('tag_definitions.tag_identifier') }} as tag_identifier,
    {{ null_if_sentinel('tag_definitions.data_type') }} as data_type,
    {{ null_if_sentinel('tag_definitions.source_type') }} as source_type,
    {{ null_if_sentinel('tag_definitions.status') }} as status,
    tag_definitions.version_number,
    {{ null_if_sentinel('tag_definitions.engine_type') }} as engine_type,
    {{ null_if_sentinel('tag_definitions.source_tag_reference_name') }} as source_tag_reference_name,
    {{ null_if_sentinel('tag_definitions.input_scope') }} as input_scope,
    tag_definitions.created_at,
    {{ null_if_sentinel('tag_definitions.data_source_id') }} as data_source_id,
    {{ null_if_sentinel('tag_definitions.data_source_object_id') }} as data_source_object_id,
    {{ null_if_sentinel('tag_definitions.internal_organization_id') }} as internal_organization_id,
    tag_definitions.date as lake_date,
    lake_window.read_at as read_at,
    lake_window.window_start as window_start,
    lake_window.missing_columns as missing_columns,
from {{ source('stdm', 'tag_definitions') }} as tag_definitions
{{ join_window('tag_definitions', 'tag_definitions') }}
