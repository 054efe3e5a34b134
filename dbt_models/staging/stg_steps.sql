with coded as (
    select
        *,
        {{ code('step_type') }} as step_code,
        {{ is_groundedness_step(code('step_type'), 'step_name') }} as is_groundedness,
        {{ code('step_type') }} = 'LLM_STEP' and lower(step_name) = 'agent_router' as is_router,
    from {{ source('stdm', 'steps') }}
),

-- Only actions, validations, guardrails and routers say in their output how it went.
chosen as (
    select
        *,
        case
            when step_code in ('ACTION_STEP', 'TRUST_GUARDRAILS_STEP') or is_groundedness or is_router
                then output_value_text
        end as payload,
    from coded
),

decoded as (
    select
        *,
        {{ html_unescape(null_if_sentinel('payload')) }} as output_text,
        {{ decoded_json('payload') }} as output_json,
    from chosen
),

judged as (
    select
        *,
        {{ json_text('output_json', '$."mgr.sensitive.step.result"') }} as result_text,
        -- The answer of the validating model is JSON inside of the output.
        case when is_groundedness then try_cast({{ payload_field('output_json', 'output_text', 'llmResponse') }} as json) end as response_json,
    from decoded
)

select
    steps.step_id,
    steps.interaction_id,
    {{ null_if_sentinel('steps.previous_step_id') }} as previous_step_id,
    {{ null_if_sentinel('steps.generation_id') }} as generation_id,
    {{ null_if_sentinel('steps.gateway_request_id') }} as gateway_request_id,
    steps.step_code as step_type,
    {{ null_if_sentinel('steps.step_name') }} as step_name,
    {{ null_if_sentinel('steps.error_message_text') }} as error_text,
    lower(
        coalesce(
            {{ json_text('steps.output_json', '$."mgr.tool.status"') }},
            {{ json_text('steps.output_json', '$.actionResponse.__action_execution_status__') }}
        )
    ) as output_status,
    steps.is_groundedness,
    case
        when steps.is_groundedness
            then coalesce({{ json_text('steps.response_json', '$.result') }}, {{ labelled('steps.result_text', 'category') }})
    end as groundedness_verdict,
    case
        when steps.is_groundedness
            then coalesce({{ json_text('steps.response_json', '$.reason') }}, nullif(regexp_extract(steps.result_text, 'reason\s*=\s*(.*)$', 1, 'is'), ''))
    end as groundedness_reason,
    case
        when steps.step_code <> 'TRUST_GUARDRAILS_STEP' then null
        else coalesce(
            {{ labelled('steps.result_text', 'InstructionAdherence') }},
            case
                when lower(coalesce({{ payload_field('steps.output_json', 'steps.output_text', 'name') }}, {{ json_text('steps.output_json', '$."mgr.guardrail.name"') }}, steps.step_name)) = 'instructionadherence'
                    then coalesce(
                        {{ payload_field('steps.output_json', 'steps.output_text', 'value') }},
                        case lower({{ json_text('steps.output_json', '$."mgr.guardrail.passed"') }}) when 'true' then 'PASSED' when 'false' then 'NOT_PASSED' end
                    )
            end
        )
    end as adherence_verdict,
    case
        when steps.step_code <> 'TRUST_GUARDRAILS_STEP' then null
        else coalesce(
            {{ labelled('steps.result_text', 'TaskResolution') }},
            case
                when lower(coalesce({{ payload_field('steps.output_json', 'steps.output_text', 'name') }}, steps.step_name)) = 'taskresolution'
                    then {{ payload_field('steps.output_json', 'steps.output_text', 'value') }}
            end
        )
    end as resolution_verdict,
    case
        when steps.is_router
            then list_transform(string_split(lower({{ json_text('steps.output_json', '$."gen_ai.output.tool_names"') }}), '|'), lambda tool: trim(tool))
    end as invoked_tools,
    {{ held_column('lake_window.missing_columns', 'error_message_text') }} as is_error_text_held,
    {{ held_column('lake_window.missing_columns', 'output_value_text') }} as is_output_held,
    not {{ held_column('lake_window.missing_columns', 'step_type') }} as is_step_type_missing,
    not {{ held_column('lake_window.missing_columns', 'step_name') }} as is_step_name_missing,
    steps.started_at,
    steps.ended_at,
    {{ milliseconds_between('steps.started_at', 'steps.ended_at') }} as duration_ms,
    steps.date as lake_date,
    lake_window.read_at,
    lake_window.window_start,
from judged as steps
{{ join_window('steps', 'steps') }}
