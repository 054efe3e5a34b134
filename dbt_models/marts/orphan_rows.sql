{{ config(
    materialized='incremental',
    incremental_strategy='append',
    on_schema_change='fail',
    pre_hook="{{ delete_touched_days() }}"
) }}

{#- The references between objects in the catalog, which a test holds this list against. -#}
{%- set references = [
    ('participants', 'participant_id', 'session_id', 'sessions'),
    ('interactions', 'interaction_id', 'session_id', 'sessions'),
    ('steps', 'step_id', 'interaction_id', 'interactions'),
    ('messages', 'message_id', 'session_id', 'sessions'),
    ('messages', 'message_id', 'interaction_id', 'interactions'),
    ('messages', 'message_id', 'participant_id', 'participants'),
    ('moments', 'moment_id', 'session_id', 'sessions'),
] -%}
{%- set parent_keys = {'sessions': 'session_id', 'interactions': 'interaction_id', 'participants': 'participant_id'} -%}
{%- set places = [] -%}
{%- for parent in parent_keys -%}
    {%- for back in range(child_horizon() | trim | int + 1) -%}
        {%- do places.append("('" ~ parent ~ "', " ~ -back ~ ")") -%}
    {%- endfor -%}
{%- endfor %}

with held as (
    select
        dmo,
        day,
        sum(case when settled then {{ milliseconds_between('window_start', 'window_end') }} else 0 end) >= 86400000 as is_settled,
    from control.lake_windows
    group by dmo, day
),

-- Where the parents of a day's rows may be: on that day or, up to the horizon, before it.
parents as (
    select
        touched.day as session_date,
        parts.dmo as parent_object,
        min(case when coalesce(held.is_settled, false) then 1 else 0 end) = 1 as is_settled,
        min(case when held.day is null then 0 else 1 end) = 1 as is_held,
        max(case when held.day is null then 0 else 1 end) = 1 as is_known,
    from control.touched_days as touched
    cross join (
        values {{ places | join(', ') }}
    ) as parts (dmo, days_later)
    left join held
        on parts.dmo = held.dmo and {{ days_after('touched.day', 'parts.days_later') }} = held.day
    group by touched.day, parts.dmo
),

missing as (
    {%- for child, key, foreign_key, parent in references %}
    select distinct
        children.lake_date as session_date,
        '{{ child }}' as object_name,
        children.{{ key }} as row_id,
        '{{ parent }}' as parent_object,
        children.{{ foreign_key }} as parent_id,
    from {{ ref('stg_' ~ child) }} as children
    left join {{ ref('stg_' ~ parent) }} as parents
        on children.{{ foreign_key }} = parents.{{ parent_keys[parent] }}
        and {{ in_child_horizon('children.lake_date', 'parents.lake_date') }}
    where
        {{ null_if_sentinel('children.' ~ foreign_key) }} is not null
        and parents.{{ parent_keys[parent] }} is null
        and children.lake_date in (select day from control.touched_days)
    {{ '' if loop.last else 'union all' }}
    {%- endfor %}
)

select
    org.org_id,
    org.source_system,
    missing.session_date,
    missing.object_name,
    missing.row_id,
    missing.parent_object,
    missing.parent_id,
    case
        when not parents.is_held then 'before_held'
        when parents.is_settled then 'orphan'
        else 'late'
    end as state,
from missing
-- An object of which nothing is held is one that the org lacks: nothing refers to it.
inner join parents
    on missing.session_date = parents.session_date
    and missing.parent_object = parents.parent_object
    and parents.is_known
cross join control.org as org
