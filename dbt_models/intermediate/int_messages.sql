{{ config(materialized='table') }}

with attached as (
    select
        messages.*,
        coalesce(messages.session_id, interactions.session_id) as attached_session_id,
    from {{ ref('stg_messages') }} as messages
    left join {{ ref('int_interactions') }} as interactions
        on messages.session_id is null
        and messages.interaction_id = interactions.interaction_id
),

ranked as (
    select
        sessions.source_system,
        sessions.org_id,
        sessions.session_date,
        attached.*,
        {{ newest_reading('attached.attached_session_id, attached.message_id') }} as reading_rank,
    from attached
    inner join {{ ref('int_sessions') }} as sessions
        on attached.attached_session_id = sessions.session_id
        and {{ in_child_horizon('attached.lake_date', 'sessions.session_date') }}
)

select
    source_system,
    org_id,
    attached_session_id as session_id,
    session_date,
    interaction_id,
    message_id,
    message_type,
    is_message_type_missing,
    sent_at,
    {{ html_unescape('content_text') }} as content_text,
from ranked
where reading_rank = 1
