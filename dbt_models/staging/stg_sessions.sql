select
    sessions.session_id,
    {{ null_if_sentinel('sessions.channel_type') }} as channel,
    not {{ held_column('lake_window.missing_columns', 'channel_type') }} as is_channel_missing,
    {{ null_if_sentinel('sessions.end_type') }} as end_type,
    {{ null_if_sentinel('sessions.previous_session_id') }} as previous_session_id,
    {{ null_if_sentinel('sessions.related_messaging_session_id') }} as messaging_session_id,
    {{ null_if_sentinel('sessions.related_voice_call_id') }} as voice_call_id,
    {{ null_if_sentinel('sessions.individual_id') }} as individual_id,
    {{ decoded_json('sessions.variable_text') }} as variables_json,
    sessions.started_at,
    sessions.ended_at,
    {{ milliseconds_between('sessions.started_at', 'sessions.ended_at') }} as duration_ms,
    sessions.date as lake_date,
    lake_window.read_at,
    lake_window.window_start,
from {{ source('stdm', 'sessions') }} as sessions
{{ join_window('sessions', 'sessions') }}
