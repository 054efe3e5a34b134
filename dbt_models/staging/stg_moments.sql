select
    moments.moment_id,
    moments.session_id,
    {{ null_if_sentinel('moments.agent_api_name') }} as agent_name,
    {{ null_if_sentinel('moments.agent_version_api_name') }} as agent_version,
    {{ null_if_sentinel('moments.request_summary_text') }} as request_summary,
    {{ null_if_sentinel('moments.response_summary_text') }} as response_summary,
    moments.started_at,
    moments.ended_at,
    moments.date as lake_date,
    lake_window.read_at,
    lake_window.window_start,
from {{ source('stdm', 'moments') }} as moments
{{ join_window('moments', 'moments') }}
