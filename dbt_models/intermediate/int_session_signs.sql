with ends as (
    select
        session_id,
        -- A transfer wins over a close, as in the outcome of the session.
        coalesce(
            min(step_name) filter (where step_type = 'SESSION_END' and upper(step_name) = 'CLOSED_TRANSFERRED'),
            min(step_name) filter (where step_type = 'SESSION_END')
        ) as end_step_name,
        bool_or(list_contains(invoked_tools, 'escalate_to_human')) as was_handed_over,
        bool_or(coalesce(is_step_type_missing or is_step_name_missing, false)) as has_unknown_name,
    from {{ ref('int_steps') }}
    where step_type = 'SESSION_END' or invoked_tools is not null or is_step_type_missing or is_step_name_missing
    group by session_id
),

verdicts as (
    select
        session_id,
        try_cast(arg_max(tag_value, (created_at, tag_association_id)) filter (where tag_kind = 'deflection') as double) as deflection_score,
        arg_max(upper(tag_value), (created_at, tag_association_id)) filter (where tag_kind = 'abandonment') as abandonment,
        avg(try_cast(tag_value as double)) filter (where tag_kind = 'quality_score') as quality_score,
    from {{ ref('int_session_tags') }}
    group by session_id
),

held as (
    select
        session_date,
        -- Steps reach their session through interactions only.
        bool_or(object_name = 'steps') and bool_or(object_name = 'interactions') as has_steps,
        bool_or(object_name = 'messages') as has_messages,
        bool_or(object_name = 'interactions') as has_interactions,
        bool_or(object_name = 'tag_associations') and bool_or(object_name = 'tags') as has_tags,
    from {{ ref('int_held_objects') }}
    group by session_date
),

signs as (
    select
        sessions.session_id,
        sessions.session_date,
        sessions.end_type,
        case
            when upper(sessions.end_type) in ('ESCALATED', 'TRANSFERRED') then 'escalated'
            when upper(sessions.end_type) in ('AGENT_ENDED', 'DEFLECTED') then 'deflected'
            when upper(sessions.end_type) in ('USER_ENDED', 'ABANDONED') then 'abandoned'
        end as end_type_outcome,
        ends.end_step_name,
        summary.outcome as end_step_outcome,
        ends.was_handed_over,
        coalesce(ends.has_unknown_name, false) as has_unknown_name,
        case when coalesce(held.has_messages, false) then summary.user_message_count > 0 end as is_engaged,
        summary.duration_ms,
        case when coalesce(held.has_interactions, false) then summary.turn_count end as turn_count,
        coalesce(held.has_steps, false) as has_steps,
        coalesce(held.has_tags, false) as has_tags,
        verdicts.deflection_score,
        verdicts.abandonment,
        verdicts.quality_score,
    from {{ ref('int_sessions') }} as sessions
    inner join {{ ref('session_summary') }} as summary
        on sessions.session_id = summary.session_id and sessions.session_date = summary.session_date
    left join held on sessions.session_date = held.session_date
    left join ends on sessions.session_id = ends.session_id
    left join verdicts on sessions.session_id = verdicts.session_id
)

select
    session_id,
    session_date,
    end_type,
    end_type_outcome,
    end_step_name,
    end_step_outcome,
    was_handed_over,
    is_engaged,
    case
        when end_type_outcome = 'escalated' or end_step_outcome = 'escalated' or was_handed_over then true
        -- Where steps cannot say it, no sign of a transfer is no sign of none.
        when has_steps and not has_unknown_name then false
    end as is_escalated,
    case
        when end_type is not null then false
        when duration_ms is not null and turn_count is not null then duration_ms < 30000 and turn_count between 1 and 2
    end as is_short_abandoned,
    deflection_score,
    case abandonment when 'TRUE' then true when 'FALSE' then false end as is_abandoned,
    deflection_score is not null or abandonment is not null as has_verdict,
    quality_score,
    has_steps,
    has_tags,
from signs
