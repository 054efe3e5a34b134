-- Derived from stdm_platform/catalog: `uv run python -m stdm_platform.catalog.sync`
select
    feedback.feedback_id,
    {{ null_if_sentinel('feedback.generation_id') }} as generation_id,
    {{ null_if_sentinel('feedback.generation_update_id') }} as generation_update_id,
    {{ null_if_sentinel('feedback.generation_group_id') }} as generation_group_id,
    {{ null_if_sentinel('feedback.user_id') }} as user_id,
    {{ null_if_sentinel('feedback.feedback_value') }} as feedback_value,
    {{ null_if_sentinel('feedback.feedback_action') }} as feedback_action,
    {{ null_if_sentinel('feedback.feedback_source') }} as feedback_source,
    {{ null_if_sentinel('feedback.feature') }} as feature,
    {{ null_if_sentinel('feedback.app_type') }} as app_type,
    feedback.occurred_at,
    {{ null_if_sentinel('feedback.internal_organization_id') }} as internal_organization_id,
    {{ null_if_sentinel('feedback.cloud') }} as cloud,
    feedback.date as lake_date,
    lake_window.read_at as read_at,
    lake_window.window_start as window_start,
    lake_window.missing_columns as missing_columns,
from {{ source('stdm', 'feedback') }} as feedback
{{ join_window('feedback', 'feedback') }}
