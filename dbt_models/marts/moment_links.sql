{{ config(
    materialized='incremental',
    incremental_strategy='append',
    on_schema_change='fail',
    pre_hook="{{ delete_touched_days() }}"
) }}

with linked as (
    select distinct
        moments.session_id,
        moments.moment_id,
        links.interaction_id,
    from {{ ref('stg_moment_interactions') }} as links
    inner join {{ ref('int_moments') }} as moments
        on links.moment_id = moments.moment_id
        and {{ in_child_horizon('links.lake_date', 'moments.session_date') }}
    where links.interaction_id is not null
),

-- Without the junction, a moment has the turns that start inside of it.
timed as (
    select
        moments.session_id,
        moments.moment_id,
        turns.interaction_id,
    from {{ ref('int_moments') }} as moments
    inner join {{ ref('int_turns') }} as turns
        on moments.session_id = turns.session_id
        and turns.started_at >= moments.started_at
        and turns.started_at <= moments.ended_at
    left join linked on moments.session_id = linked.session_id and moments.moment_id = linked.moment_id
    where linked.moment_id is null
),

turns_of as (
    select
        parts.session_id,
        parts.moment_id,
        parts.linked_by,
        -- The end of a session is linked too, and is no turn.
        count(turns.turn_number) as interaction_count,
        min(turns.turn_number) as first_turn_number,
        max(turns.turn_number) as last_turn_number,
    from (
        select *, 'moment_interaction' as linked_by from linked
        union all
        select *, 'time' as linked_by from timed
    ) as parts
    left join {{ ref('int_turns') }} as turns
        on parts.session_id = turns.session_id and parts.interaction_id = turns.interaction_id
    group by parts.session_id, parts.moment_id, parts.linked_by
),

tags as (
    select
        session_id,
        moment_id,
        arg_max(tag_value, (created_at, tag_association_id)) filter (where tag_kind = 'intent') as intent,
        try_cast(arg_max(tag_value, (created_at, tag_association_id)) filter (where tag_kind = 'quality_score') as double) as quality_score,
    from {{ ref('int_session_tags') }}
    where moment_id is not null
    group by session_id, moment_id
)

select
    moments.moment_id,
    moments.session_id,
    moments.org_id,
    moments.source_system,
    sessions.agent_name,
    coalesce(moments.agent_version, sessions.agent_version) as agent_version,
    sessions.is_preview,
    moments.session_date,
    moments.started_at,
    moments.ended_at,
    {{ milliseconds_between('moments.started_at', 'moments.ended_at') }} as duration_ms,
    {{ html_unescape('moments.request_summary') }} as request_summary,
    {{ html_unescape('moments.response_summary') }} as response_summary,
    {{ whole_number("case when turns_of.linked_by is not null then turns_of.interaction_count when held.object_name is not null then 0 end") }} as interaction_count,
    {{ whole_number('turns_of.first_turn_number') }} as first_turn_number,
    {{ whole_number('turns_of.last_turn_number') }} as last_turn_number,
    coalesce(turns_of.linked_by, 'none') as linked_by,
    tags.intent,
    tags.quality_score,
    '/lightning/cmp/runtime_analytics_evf_aie__record?c__id=' || {{ url_text('moments.moment_id') }}
        || '&c__type=2&c__sessionId=' || {{ url_text('moments.session_id') }}
        || '&c__timeFilter=7&c__agentApiName=' || {{ url_text("coalesce(moments.agent_name, nullif(sessions.agent_name, '(unknown)'), '')") }}
        || '&c__title=' || {{ url_text("coalesce(moments.request_summary, '')") }} as url,
from {{ ref('int_moments') }} as moments
inner join {{ ref('session_summary') }} as sessions
    on moments.session_id = sessions.session_id and moments.session_date = sessions.session_date
left join {{ ref('int_held_objects') }} as held
    on moments.session_date = held.session_date and held.object_name = 'moment_interactions'
left join turns_of on moments.session_id = turns_of.session_id and moments.moment_id = turns_of.moment_id
left join tags on moments.session_id = tags.session_id and moments.moment_id = tags.moment_id
