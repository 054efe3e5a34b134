with decoded as (
    select *, {{ decoded_json('attribute_text') }} as attributes_json
    from {{ source('stdm', 'interactions') }}
)

select
    interactions.interaction_id,
    interactions.session_id,
    {{ null_if_sentinel('interactions.previous_interaction_id') }} as previous_interaction_id,
    {{ code('interactions.interaction_type') }} as interaction_type,
    not {{ held_column('lake_window.missing_columns', 'interaction_type') }} as is_interaction_type_missing,
    case
        when {{ held_column('lake_window.missing_columns', 'topic_api_name') }} then {{ topic_without_suffix('interactions.topic_api_name') }}
        else '(unknown)'
    end as topic,
    coalesce(
        {{ null_if_sentinel('interactions.telemetry_trace_id') }},
        {{ json_text('interactions.attributes_json', '$.internalTraceId') }}
    ) as trace_id,
    interactions.attributes_json,
    interactions.started_at,
    interactions.ended_at,
    {{ milliseconds_between('interactions.started_at', 'interactions.ended_at') }} as duration_ms,
    interactions.date as lake_date,
    lake_window.read_at,
    lake_window.window_start,
from decoded as interactions
{{ join_window('interactions', 'interactions') }}
