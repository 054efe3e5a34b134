-- What has to be final before a session is: its own day, and its children's up to the horizon.
with needed as (
    select
        touched.day as session_date,
        parts.dmo,
        {{ days_after('touched.day', 'parts.days_later') }} as lake_date,
    from control.touched_days as touched
    cross join (
        values
            ('sessions', 0),
            ('participants', 0), ('participants', 1),
            ('interactions', 0), ('interactions', 1),
            ('steps', 0), ('steps', 1),
            ('messages', 0), ('messages', 1)
    ) as parts (dmo, days_later)
),

held as (
    select
        dmo,
        day,
        sum({{ milliseconds_between('window_start', 'window_end') }}) as held_ms,
        sum(case when settled then {{ milliseconds_between('window_start', 'window_end') }} else 0 end) as settled_ms,
    from control.lake_windows
    group by dmo, day
),

parts as (
    select
        needed.session_date,
        needed.dmo,
        min(coalesce(held.held_ms, 0)) >= 86400000 as is_held,
        min(case when needed.lake_date = needed.session_date then coalesce(held.held_ms, 0) else 86400000 end) >= 86400000 as is_own_day_held,
        min(coalesce(held.settled_ms, 0)) >= 86400000 as is_settled,
    from needed
    left join held on needed.dmo = held.dmo and needed.lake_date = held.day
    group by needed.session_date, needed.dmo
    -- An object of which nothing is held on either day is one that the org lacks: nobody waits.
    having max(coalesce(held.held_ms, 0)) > 0
),

days as (
    select
        session_date,
        min(case when is_held then 1 else 0 end) = 1 as is_held,
        min(case when is_own_day_held then 1 else 0 end) = 1 as is_own_day_held,
        min(case when is_settled then 1 else 0 end) = 1 as is_settled,
        max(case when dmo = 'messages' then 1 else 0 end) as has_messages,
        max(case when dmo = 'steps' then 1 else 0 end) as has_steps,
    from parts
    group by session_date
),

messages as (
    select
        session_id,
        interaction_id,
        max(case when lower(message_type) = 'input' then 1 else 0 end) as has_input,
    from {{ ref('int_messages') }}
    group by session_id, interaction_id
),

steps as (
    select distinct session_id, interaction_id from {{ ref('int_steps') }}
),

gaps as (
    select
        turns.session_id,
        max(case when messages.interaction_id is null then 1 else 0 end) as has_turn_without_message,
        -- A greeting has an output only and needs no step.
        max(case when messages.has_input = 1 and steps.interaction_id is null then 1 else 0 end) as has_turn_without_step,
    from {{ ref('int_turns') }} as turns
    left join messages
        on turns.session_id = messages.session_id and turns.interaction_id = messages.interaction_id
    left join steps
        on turns.session_id = steps.session_id and turns.interaction_id = steps.interaction_id
    group by turns.session_id
),

reasons as (
    select
        bounds.source_system,
        bounds.org_id,
        bounds.session_id,
        bounds.session_date,
        days.is_settled,
        case
            when bounds.ended_at is null then 'no_end'
            when days.has_messages = 1 and gaps.has_turn_without_message = 1 then 'turn_without_message'
            when days.has_steps = 1 and gaps.has_turn_without_step = 1 then 'turn_without_step'
        end as gap,
        case
            when days.is_settled then 'settled'
            when days.is_held then 'rows_may_change'
            -- What ended on its own day has no children on the next one.
            when days.is_own_day_held and {{ utc_date('bounds.ended_at') }} = bounds.session_date then 'rows_may_change'
            else 'windows_missing'
        end as wait,
    from {{ ref('int_session_bounds') }} as bounds
    inner join days on bounds.session_date = days.session_date
    left join gaps on bounds.session_id = gaps.session_id
)

select
    source_system,
    org_id,
    session_id,
    session_date,
    case
        when gap is null and wait <> 'windows_missing' then 'complete'
        when is_settled then 'forced_incomplete'
        when gap = 'no_end' then 'open'
        else 'settling'
    end as completeness,
    coalesce(gap, wait) as completeness_reason,
from reasons
