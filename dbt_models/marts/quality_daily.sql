{{ config(
    materialized='incremental',
    incremental_strategy='append',
    on_schema_change='fail',
    pre_hook="{{ delete_touched_days() }}"
) }}

{#- The objects of which one at least is needed to know a signal. -#}
{%- set needs = [
    ('groundedness', ['steps']),
    ('toxicity', ['content_quality', 'content_categories']),
    ('prompt_attack', ['content_categories']),
    ('pii', ['content_categories']),
    ('instruction_adherence', ['steps', 'content_categories']),
    ('task_resolution', ['steps', 'content_categories']),
] %}

with needs as (
    {%- for signal, objects in needs %}
    {%- set outer = loop.last %}
    {%- for each in objects %}
    select '{{ signal }}' as signal, '{{ each }}' as object_name{{ '' if outer and loop.last else ' union all' }}
    {%- endfor %}
    {%- endfor %}
),

-- Without outputs, types or names no step can say anything, held or not.
speechless as (
    select session_date
    from {{ ref('int_steps') }}
    group by session_date
    having bool_and(not is_output_held or coalesce(is_step_type_missing or is_step_name_missing, false))
),

known as (
    select distinct held.session_date, needs.signal
    from needs
    inner join {{ ref('int_held_objects') }} as held on needs.object_name = held.object_name
    left join speechless on held.session_date = speechless.session_date and needs.object_name = 'steps'
    left join {{ ref('int_held_objects') }} as turns
        on held.session_date = turns.session_date and turns.object_name = 'interactions'
    where
        speechless.session_date is null
        -- Steps reach their session through interactions only.
        and (needs.object_name <> 'steps' or turns.object_name is not null)
),

agents as (
    select
        org_id,
        source_system,
        agent_name,
        session_date,
        is_preview,
        count(*) as sessions,
    from {{ ref('session_summary') }}
    where session_date in (select day from control.touched_days)
    group by org_id, source_system, agent_name, session_date, is_preview
),

verdicts as (
    select
        verdicts.*,
        org.org_id,
        org.source_system,
        coalesce(sessions.agent_name, '(unknown)') as agent_name,
        sessions.is_preview,
    from {{ ref('int_verdicts') }} as verdicts
    cross join control.org as org
    left join {{ ref('session_summary') }} as sessions
        on verdicts.session_id = sessions.session_id and verdicts.session_date = sessions.session_date
    where verdicts.is_counted
),

counted as (
    select
        org_id,
        source_system,
        agent_name,
        session_date,
        is_preview,
        signal,
        count(is_flagged) as checks,
        count(case when is_flagged then 1 end) as flagged,
        count(*) - count(is_flagged) as unreadable,
        count(case when is_delivered then 1 end) as delivered,
        count(distinct case when is_flagged is not null then session_id end) as checked_sessions,
        count(distinct case when is_flagged then session_id end) as flagged_sessions,
    from verdicts
    group by org_id, source_system, agent_name, session_date, is_preview, signal
),

-- Each signal of each agent and day, so that "none" and "nobody looked" are different rows.
slots as (
    select agents.*, signals.signal
    from agents
    cross join (select distinct signal from needs) as signals

    union all

    -- What belongs to no session has an agent of its own, unless that agent is there already.
    select
        counted.org_id,
        counted.source_system,
        counted.agent_name,
        counted.session_date,
        counted.is_preview,
        0 as sessions,
        counted.signal,
    from counted
    left join agents
        on counted.agent_name = agents.agent_name
        and counted.session_date = agents.session_date
        and counted.is_preview is not distinct from agents.is_preview
    where agents.agent_name is null
),

filled as (
    select
        slots.*,
        known.signal is not null as is_known,
        coalesce(counted.checks, 0) as checks,
        coalesce(counted.flagged, 0) as flagged,
        coalesce(counted.unreadable, 0) as unreadable,
        coalesce(counted.delivered, 0) as delivered,
        coalesce(counted.checked_sessions, 0) as checked_sessions,
        coalesce(counted.flagged_sessions, 0) as flagged_sessions,
    from slots
    left join known on slots.session_date = known.session_date and slots.signal = known.signal
    left join counted
        on slots.agent_name = counted.agent_name
        and slots.session_date = counted.session_date
        and slots.signal = counted.signal
        and slots.is_preview is not distinct from counted.is_preview
)

select
    org_id,
    source_system,
    agent_name,
    session_date,
    is_preview,
    signal,
    case when not is_known then 'not_extracted' when checks + unreadable > 0 then 'checked' else 'never_checked' end as state,
    {{ whole_number('sessions') }} as sessions,
    {%- for each in ['checks', 'flagged', 'unreadable', 'checked_sessions', 'flagged_sessions'] %}
    {{ whole_number('case when is_known then ' ~ each ~ ' end') }} as {{ each }},
    {%- endfor %}
    {{ whole_number("case when is_known and signal = 'groundedness' then delivered end") }} as delivered,
    case when is_known then cast(flagged as double) / nullif(checks, 0) end as flagged_share,
    case when is_known then cast(flagged_sessions as double) / nullif(checked_sessions, 0) end as flagged_session_share,
from filled
