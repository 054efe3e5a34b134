select
    participants.participant_id,
    participants.session_id,
    {{ code('participants.participant_role') }} as participant_role,
    {{ null_if_sentinel('participants.agent_api_name') }} as agent_name,
    {{ null_if_sentinel('participants.agent_version_api_name') }} as agent_version,
    {{ null_if_sentinel('participants.agent_type') }} as agent_type,
    participants.started_at as joined_at,
    participants.ended_at as left_at,
    participants.date as lake_date,
    lake_window.read_at,
    lake_window.window_start,
from {{ source('stdm', 'participants') }} as participants
{{ join_window('participants', 'participants') }}
