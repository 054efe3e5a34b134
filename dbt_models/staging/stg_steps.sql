with decoded as (
    select
        *,
        -- Only actions say in their output how they went.
        case when upper(step_type) = 'ACTION_STEP' then {{ decoded_json('output_value_text') }} end as output_json
    from {{ source('stdm', 'steps') }}
)

select
    steps.step_id,
    steps.interaction_id,
    {{ null_if_sentinel('steps.previous_step_id') }} as previous_step_id,
    {{ null_if_sentinel('steps.generation_id') }} as generation_id,
    {{ code('steps.step_type') }} as step_type,
    {{ null_if_sentinel('steps.step_name') }} as step_name,
    {{ null_if_sentinel('steps.error_message_text') }} as error_text,
    lower(
        coalesce(
            {{ json_text('steps.output_json', '$."mgr.tool.status"') }},
            {{ json_text('steps.output_json', '$.actionResponse.__action_execution_status__') }}
        )
    ) as output_status,
    {{ held_column('lake_window.missing_columns', 'error_message_text') }} as is_error_text_held,
    not {{ held_column('lake_window.missing_columns', 'step_type') }} as is_step_type_missing,
    steps.started_at,
    steps.ended_at,
    {{ milliseconds_between('steps.started_at', 'steps.ended_at') }} as duration_ms,
    steps.date as lake_date,
    lake_window.read_at,
    lake_window.window_start,
from decoded as steps
{{ join_window('steps', 'steps') }}
