{{ config(
    materialized='incremental',
    incremental_strategy='append',
    on_schema_change='fail',
    pre_hook="{{ delete_touched_days() }}"
) }}

-- Long, not wide: a definition to come, or a new version of one, is new rows and breaks no query.
with signs as (
    select * from {{ ref('int_session_signs') }}
),

definitions as (
    select
        session_id,
        'end_type' as definition,
        end_type_outcome as outcome,
        coalesce(end_type, 'no_sign') as reason,
        cast(null as double) as score,
    from signs

    union all

    select
        session_id,
        'session_end_step',
        end_step_outcome,
        coalesce(end_step_name, case when has_steps then 'no_sign' else 'not_extracted' end),
        null,
    from signs

    union all

    -- Agent Analytics since 9 June 2026: a transfer first, then what the judges said. Without tags transfers
    -- alone would be known, and every session of which something is known would be one.
    select
        session_id,
        'judge',
        case
            when not has_tags then null
            when end_step_outcome = 'escalated' then 'escalated'
            when is_abandoned or deflection_score < 3 then 'abandoned'
            when deflection_score >= 4 then 'deflected'
            when has_verdict then 'ambiguous'
        end,
        case
            when not has_tags then 'not_extracted'
            when end_step_outcome = 'escalated' then end_step_name
            when is_abandoned then 'abandonment_tag'
            when deflection_score is not null then 'deflection_score'
            when has_verdict then 'undecided_tags'
            else 'no_sign'
        end,
        deflection_score,
    from signs

    union all

    select
        session_id,
        'router',
        case when was_handed_over then 'escalated' when was_handed_over = false then 'not_escalated' end,
        case
            when was_handed_over then 'escalate_to_human'
            when was_handed_over = false then 'other_tools'
            when has_steps then 'no_sign'
            else 'not_extracted'
        end,
        null,
    from signs

    union all

    select
        session_id,
        'containment',
        case when is_engaged then case when is_escalated then 'escalated' when not is_escalated then 'contained' end end,
        case
            when is_engaged is null then 'not_extracted'
            when not is_engaged then 'not_eligible'
            when is_escalated is null then 'not_extracted'
            when is_escalated then 'transfer'
            else 'no_transfer'
        end,
        null,
    from signs

    union all

    select
        session_id,
        'engagement',
        case when is_engaged then 'engaged' when is_engaged = false then 'not_engaged' end,
        case when is_engaged then 'user_message' when is_engaged = false then 'no_user_message' else 'not_extracted' end,
        null,
    from signs

    union all

    select
        session_id,
        'short_abandoned',
        case when is_short_abandoned then 'short_abandoned' when is_short_abandoned = false then 'not_short_abandoned' end,
        case when is_short_abandoned is null then 'no_sign' else 'duration_and_turns' end,
        null,
    from signs

    union all

    select
        session_id,
        'quality_score',
        case
            when quality_score >= 4 then 'high'
            when quality_score >= 3 then 'medium'
            when quality_score >= 2 then 'low'
            when quality_score is not null then 'very_low'
        end,
        case when quality_score is not null then 'moment_tags' when has_tags then 'no_sign' else 'not_extracted' end,
        quality_score,
    from signs
)

select
    sessions.session_id,
    sessions.org_id,
    sessions.source_system,
    sessions.agent_name,
    sessions.agent_version,
    sessions.channel,
    sessions.is_preview,
    sessions.session_date,
    definitions.definition,
    'v1' as definition_version,
    definitions.outcome,
    definitions.reason,
    definitions.score,
from definitions
inner join {{ ref('session_summary') }} as sessions on definitions.session_id = sessions.session_id
