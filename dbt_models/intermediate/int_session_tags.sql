{{ config(materialized='table') }}

-- A catalogue is read whole, under the day of the reading: the newest of the week in which rows of a session
-- still land counts for it, else the first after it. So history keeps the names that it was told with.
with readings as (
    select
        touched.day as session_date,
        coalesce(
            max(windows.day) filter (where windows.day <= {{ days_after('touched.day', 7) }}),
            min(windows.day)
        ) as lake_date,
    from control.touched_days as touched
    inner join control.lake_windows as windows on windows.dmo = 'tags'
    group by touched.day
),

values_of_day as (
    select
        readings.session_date,
        tags.tag_id,
        tags.tag_value,
        tags.tag_definition_id,
        definitions.developer_name,
        replace(lower(concat_ws(' ', definitions.developer_name, definitions.tag_definition_name)), '_', ' ') as definition_words,
    from readings
    inner join {{ ref('stg_tags') }} as tags on readings.lake_date = tags.lake_date
    left join {{ ref('stg_tag_definitions') }} as definitions
        on tags.tag_definition_id = definitions.tag_definition_id and definitions.lake_date = readings.lake_date
),

-- A tag of a moment names its session too at times, and not at others.
marked as (
    select
        sessions.session_id,
        sessions.session_date,
        associations.* exclude (session_id),
        moments.moment_id as known_moment_id,
    from {{ ref('stg_tag_associations') }} as associations
    left join {{ ref('int_moments') }} as moments on associations.moment_id = moments.moment_id
    inner join {{ ref('int_sessions') }} as sessions
        on coalesce(associations.session_id, moments.session_id) = sessions.session_id
    -- Tags are written up to a week after the conversation.
    left join control.late_days as late
        on late.dmo = 'tag_associations'
        and late.session_day = sessions.session_date
        and late.lake_day = associations.lake_date
    where {{ in_child_horizon('associations.lake_date', 'sessions.session_date') }} or late.lake_day is not null
    qualify row_number() over (
        partition by sessions.session_id, associations.tag_association_id
        order by associations.read_at desc nulls last, associations.lake_date desc, associations.window_start desc nulls last
    ) = 1
)

select
    marked.session_id,
    marked.session_date,
    marked.tag_association_id,
    marked.moment_id,
    marked.interaction_id,
    marked.created_at,
    coalesce(marked.tag_value, values_of_day.tag_value) as tag_value,
    values_of_day.developer_name,
    -- Definitions are told by their names: an intent has one definition for each agent.
    case
        when values_of_day.definition_words like '%deflection%' then 'deflection'
        when values_of_day.definition_words like '%abandon%' then 'abandonment'
        when values_of_day.definition_words like '%request category%' then 'intent'
        when values_of_day.definition_words like '%quality score%' or values_of_day.definition_words like '%relevance score%' then 'quality_score'
        else 'other'
    end as tag_kind,
from marked
left join values_of_day
    on marked.tag_id = values_of_day.tag_id and marked.session_date = values_of_day.session_date
