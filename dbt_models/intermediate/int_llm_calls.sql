-- Calls as the gateway logged them; of a day of which nobody extracted that, LLM steps, which know no model.
with held as (
    select distinct session_date
    from {{ ref('int_held_objects') }}
    where object_name = 'gateway_requests'
),

-- Tags of calls of nobody, within the horizon: a build of more days sees others too.
agents as (
    select
        calls.gateway_request_id,
        calls.session_date,
        max(tags.tag_value) as agent_name,
    from {{ ref('int_gateway_calls') }} as calls
    inner join {{ ref('stg_gateway_request_tags') }} as tags
        on calls.gateway_request_id = tags.gateway_request_id
        and {{ in_child_horizon('tags.lake_date', 'calls.session_date') }}
    where
        calls.session_id is null
        and tags.tag in ('agent_developer_name', 'bot_name')
        and tags.tag_value is not null
    group by calls.gateway_request_id, calls.session_date
),

calls as (
    select
        'gateway_request' as counted_from,
        calls.gateway_request_id as call_id,
        calls.session_id,
        calls.session_date,
        agents.agent_name as tagged_agent,
        calls.provider,
        calls.model,
        calls.feature,
        calls.prompt_tokens,
        calls.completion_tokens,
        calls.total_tokens,
        calls.duration_ms,
    from {{ ref('int_gateway_calls') }} as calls
    left join agents
        on calls.session_id is null
        and calls.gateway_request_id = agents.gateway_request_id
        and calls.session_date = agents.session_date
    where calls.is_touched

    union all by name

    select
        'llm_step' as counted_from,
        steps.step_id as call_id,
        steps.session_id,
        steps.session_date,
        steps.duration_ms,
    from {{ ref('int_steps') }} as steps
    left join held on steps.session_date = held.session_date
    where steps.step_type = 'LLM_STEP' and held.session_date is null
),

priced as (
    select
        calls.*,
        prices.prompt_usd_per_million,
        prices.completion_usd_per_million,
        row_number() over (
            partition by calls.counted_from, calls.call_id, calls.session_date
            order by length(prices.model) desc nulls last, prices.provider nulls last, prices.valid_from desc
        ) as price_rank,
    from calls
    left join {{ ref('llm_prices') }} as prices
        on starts_with(lower(calls.model), lower(rtrim(prices.model, '*')))
        and (prices.model like '%*' or length(calls.model) = length(prices.model))
        and (prices.provider is null or prices.provider = '' or lower(prices.provider) = lower(calls.provider))
        and calls.session_date >= prices.valid_from
        and (prices.valid_until is null or calls.session_date < prices.valid_until)
)

select
    counted_from,
    call_id,
    session_id,
    session_date,
    tagged_agent,
    coalesce(provider, '(unknown)') as provider,
    coalesce(model, '(unknown)') as model,
    coalesce(feature, '(unknown)') as feature,
    cast(prompt_tokens as bigint) as prompt_tokens,
    cast(completion_tokens as bigint) as completion_tokens,
    cast(coalesce(total_tokens, prompt_tokens + completion_tokens) as bigint) as total_tokens,
    duration_ms,
    (prompt_tokens * prompt_usd_per_million + completion_tokens * completion_usd_per_million) / 1e6 as cost_usd,
from priced
where price_rank = 1
