-- Derived from stdm_platform/catalog: `uv run python -m stdm_platform.catalog.sync`
select
    feedback_details.feedback_detail_id,
    {{ null_if_sentinel('feedback_details.feedback_id') }} as feedback_id,
    {{ null_if_sentinel('feedback_details.feedback_text') }} as feedback_text,
    {{ null_if_sentinel('feedback_details.app_feedback') }} as app_feedback,
    {{ null_if_sentinel('feedback_details.feature') }} as feature,
    feedback_details.occurred_at,
    {{ null_if_sentinel('feedback_details.internal_organization_id') }} as internal_organization_id,
    {{ null_if_sentinel('feedback_details.cloud') }} as cloud,
    feedback_details.date as lake_date,
    lake_window.read_at as read_at,
    lake_window.window_start as window_start,
    lake_window.missing_columns as missing_columns,
from {{ source('stdm', 'feedback_details') }} as feedback_details
{{ join_window('feedback_details', 'feedback_details') }}
