select
    messages.message_id,
    messages.interaction_id,
    {{ null_if_sentinel('messages.session_id') }} as session_id,
    {{ null_if_sentinel('messages.participant_id') }} as participant_id,
    {{ null_if_sentinel('messages.parent_message_id') }} as parent_message_id,
    {{ null_if_sentinel('messages.message_type') }} as message_type,
    not {{ held_column('lake_window.missing_columns', 'message_type') }} as is_message_type_missing,
    {{ null_if_sentinel('messages.content_type') }} as content_type,
    -- A user may well say "None": only the sentinel of an unset field is nothing.
    nullif(messages.content_text, 'NOT_SET') as content_text,
    messages.sent_at,
    messages.date as lake_date,
    lake_window.read_at,
    lake_window.window_start,
from {{ source('stdm', 'messages') }} as messages
{{ join_window('messages', 'messages') }}
