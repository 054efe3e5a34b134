{{ config(
    materialized='incremental',
    incremental_strategy='append',
    on_schema_change='fail',
    pre_hook="{{ delete_touched_days() }}"
) }}

with usage as (
    select
        usage.*,
        coalesce(touched.session_date, usage.lake_date) as session_date,
        touched.session_id as known_session_id,
        -- Used in a session of another day: that day counts it.
        touched.session_id is not null
            or (others.session_id is null and usage.lake_date in (select day from control.touched_days)) as is_touched,
        row_number() over (
            partition by usage.usage_id, touched.session_id, case when touched.session_id is null then usage.lake_date end
            order by usage.read_at desc nulls last, usage.lake_date desc, usage.window_start desc nulls last
        ) as reading_rank,
    from {{ ref('stg_genai_usage') }} as usage
    left join {{ ref('int_sessions') }} as touched
        on usage.session_id = touched.session_id
        and {{ in_child_horizon('usage.lake_date', 'touched.session_date') }}
    left join (
        select distinct session_id, lake_date
        from {{ ref('stg_sessions') }}
        where lake_date not in (select day from control.touched_days)
    ) as others
        on usage.session_id = others.session_id
        and {{ in_child_horizon('usage.lake_date', 'others.lake_date') }}
)

select
    org.org_id,
    org.source_system,
    coalesce(sessions.agent_name, usage.agent_api_name, '(unknown)') as agent_name,
    usage.session_date,
    sessions.is_preview,
    coalesce(usage.usage_type, '(unknown)') as usage_type,
    coalesce(usage.gateway_model, usage.provider_model, '(none)') as model,
    usage.is_billable,
    usage.is_metered,
    {{ whole_number('count(*)') }} as usage_rows,
    cast(sum(cast(usage.usage_quantity as decimal(28, 6))) as double) as quantity,
    {{ whole_number('count(distinct usage.known_session_id)') }} as sessions,
    {{ whole_number('sum(cast(usage.prompt_tokens as bigint))') }} as prompt_tokens,
    {{ whole_number('sum(cast(usage.completion_tokens as bigint))') }} as completion_tokens,
    {{ whole_number('sum(cast(usage.total_tokens as bigint))') }} as total_tokens,
from usage
cross join control.org as org
left join {{ ref('session_summary') }} as sessions
    on usage.known_session_id = sessions.session_id and usage.session_date = sessions.session_date
where usage.is_touched and usage.reading_rank = 1
group by all
