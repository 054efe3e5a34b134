-- Derived from stdm_platform/catalog: `uv run python -m stdm_platform.catalog.sync`
select
    tag_associations.tag_association_id,
    {{ null_if_sentinel('tag_associations.tag_id') }} as tag_id,
    {{ null_if_sentinel('tag_associations.tag_definition_association_id') }} as tag_definition_association_id,
    {{ null_if_sentinel('tag_associations.moment_id') }} as moment_id,
    {{ null_if_sentinel('tag_associations.session_id') }} as session_id,
    {{ null_if_sentinel('tag_associations.interaction_id') }} as interaction_id,
    tag_associations.is_passed,
    {{ null_if_sentinel('tag_associations.association_reason_text') }} as association_reason_text,
    tag_associations.created_at,
    tag_associations.session_started_at,
    {{ null_if_sentinel('tag_associations.tag_value') }} as tag_value,
    {{ null_if_sentinel('tag_associations.outcome_type') }} as outcome_type,
    {{ null_if_sentinel('tag_associations.source_type') }} as source_type,
    {{ null_if_sentinel('tag_associations.data_source_id') }} as data_source_id,
    {{ null_if_sentinel('tag_associations.data_source_object_id') }} as data_source_object_id,
    {{ null_if_sentinel('tag_associations.internal_organization_id') }} as internal_organization_id,
    tag_associations.date as lake_date,
    lake_window.read_at as read_at,
    lake_window.window_start as window_start,
    lake_window.missing_columns as missing_columns,
from {{ source('stdm', 'tag_associations') }} as tag_associations
{{ join_window('tag_associations', 'tag_associations') }}
