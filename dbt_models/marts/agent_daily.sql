{{ config(
    materialized='incremental',
    incremental_strategy='append',
    on_schema_change='fail',
    pre_hook="{{ delete_touched_days() }}"
) }}

{#- Sums that are null when one of their sessions is not known: part of a sum is no sum. -#}
{%- set sums = ['turn_count', 'user_message_count', 'agent_message_count', 'step_count', 'llm_step_count', 'action_step_count', 'error_count', 'action_error_count', 'topic_switch_count'] %}

with outcomes as (
    select
        session_id,
        max(case when definition = 'session_end_step' then outcome end) as end_outcome,
        max(case when definition = 'judge' then outcome end) as judged,
        max(case when definition = 'judge' then reason end) as judge_reason,
        max(case when definition = 'containment' then outcome end) as containment,
        max(case when definition = 'containment' then reason end) as containment_reason,
        max(case when definition = 'engagement' then outcome end) as engagement,
        max(case when definition = 'short_abandoned' then outcome end) as short_abandoned,
    from {{ ref('session_outcome') }}
    where session_date in (select day from control.touched_days)
    group by session_id
),

quality as (
    select
        session_id,
        {%- for signal in ['groundedness', 'toxicity', 'prompt_attack', 'pii', 'instruction_adherence', 'task_resolution'] %}
        max(case when signal = '{{ signal }}' and is_flagged is not null then 1 end) as {{ signal }}_checked,
        max(case when signal = '{{ signal }}' and is_flagged then 1 end) as {{ signal }}_flagged,
        {%- endfor %}
    from {{ ref('int_verdicts') }}
    where is_counted and session_id is not null
    group by session_id
),

known as (
    select
        session_date,
        agent_name,
        {%- for signal in ['groundedness', 'toxicity', 'prompt_attack', 'pii', 'instruction_adherence', 'task_resolution'] %}
        bool_or(signal = '{{ signal }}' and state <> 'not_extracted') as knows_{{ signal }},
        {%- endfor %}
    from {{ ref('quality_daily') }}
    where session_date in (select day from control.touched_days)
    group by session_date, agent_name
),

calls as (
    select
        session_id,
        count(*) as llm_calls,
        count(total_tokens) as calls_with_tokens,
        sum(prompt_tokens) as prompt_tokens,
        sum(completion_tokens) as completion_tokens,
        count(cost_usd) as priced_calls,
        sum(cast(cost_usd as decimal(28, 12))) as priced_cost_usd,
    from {{ ref('int_llm_calls') }}
    where counted_from = 'gateway_request' and session_id is not null
    group by session_id
),

turns as (
    select
        sessions.agent_name,
        coalesce(sessions.agent_version, '(none)') as agent_version,
        coalesce(sessions.channel, '(none)') as channel,
        sessions.session_date,
        count(turns.duration_ms) as timed_turns,
        {{ duration_sketch('turns.duration_ms') }} as duration_sketch,
    from {{ ref('int_turns') }} as turns
    inner join {{ ref('session_summary') }} as sessions
        on turns.session_id = sessions.session_id and turns.session_date = sessions.session_date
    group by all
),

held as (
    select
        session_date,
        bool_or(object_name = 'gateway_requests') as has_calls,
        bool_or(object_name = 'tag_associations') and bool_or(object_name = 'tags') as has_tags,
    from {{ ref('int_held_objects') }}
    group by session_date
),

counted as (
    select
        sessions.org_id,
        sessions.source_system,
        sessions.agent_name,
        coalesce(sessions.agent_version, '(none)') as agent_version,
        coalesce(sessions.channel, '(none)') as channel,
        sessions.session_date,
        any_value(sessions.is_preview) as is_preview,
        any_value(held.has_calls) as has_calls,
        any_value(held.has_tags) as has_tags,
        {%- for signal in ['groundedness', 'toxicity', 'prompt_attack', 'pii', 'instruction_adherence', 'task_resolution'] %}
        any_value(known.knows_{{ signal }}) as knows_{{ signal }},
        count(quality.{{ signal }}_checked) as {{ signal }}_checked,
        count(quality.{{ signal }}_flagged) as {{ signal }}_flagged,
        {%- endfor %}
        count(*) as sessions,
        count(case when sessions.completeness = 'complete' then 1 end) as complete_sessions,
        {%- for each in sums %}
        case when count(sessions.{{ each }}) = count(*) then sum(sessions.{{ each }}) end as {{ each }},
        {%- endfor %}
        case when count(outcomes.engagement) = count(*) then count(case when outcomes.engagement = 'engaged' then 1 end) end as engaged_sessions,
        count(outcomes.end_outcome) as told_sessions,
        count(case when outcomes.end_outcome = 'escalated' then 1 end) as escalated_sessions,
        count(case when outcomes.end_outcome = 'deflected' then 1 end) as deflected_sessions,
        count(outcomes.judged) as judged_sessions,
        {%- for each in ['escalated', 'deflected', 'abandoned', 'ambiguous'] %}
        count(case when outcomes.judged = '{{ each }}' then 1 end) as judge_{{ each }}_sessions,
        {%- endfor %}
        case when count(case when outcomes.containment_reason = 'not_extracted' then 1 end) = 0 then count(outcomes.containment) end as containment_eligible_sessions,
        case when count(case when outcomes.containment_reason = 'not_extracted' then 1 end) = 0 then count(case when outcomes.containment = 'contained' then 1 end) end as contained_sessions,
        count(outcomes.short_abandoned) as short_known_sessions,
        count(case when outcomes.short_abandoned = 'short_abandoned' then 1 end) as short_abandoned_sessions,
        sum(calls.llm_calls) as llm_calls,
        sum(calls.prompt_tokens) as prompt_tokens,
        sum(calls.completion_tokens) as completion_tokens,
        sum(calls.calls_with_tokens) as calls_with_tokens,
        sum(calls.priced_calls) as priced_calls,
        sum(calls.priced_cost_usd) as priced_cost_usd,
    from {{ ref('session_summary') }} as sessions
    left join outcomes on sessions.session_id = outcomes.session_id
    left join quality on sessions.session_id = quality.session_id
    left join calls on sessions.session_id = calls.session_id
    left join held on sessions.session_date = held.session_date
    left join known on sessions.session_date = known.session_date and sessions.agent_name = known.agent_name
    where sessions.session_date in (select day from control.touched_days)
    group by
        sessions.org_id,
        sessions.source_system,
        sessions.agent_name,
        coalesce(sessions.agent_version, '(none)'),
        coalesce(sessions.channel, '(none)'),
        sessions.session_date
)

select
    counted.org_id,
    counted.source_system,
    counted.agent_name,
    counted.agent_version,
    counted.channel,
    counted.session_date,
    counted.is_preview,
    {{ whole_number('counted.sessions') }} as sessions,
    {{ whole_number('counted.complete_sessions') }} as complete_sessions,
    {{ whole_number('counted.engaged_sessions') }} as engaged_sessions,
    {%- for each in sums %}
    {{ whole_number('counted.' ~ each) }} as {{ each }},
    {%- endfor %}
    {{ whole_number('case when counted.told_sessions > 0 then counted.escalated_sessions end') }} as escalated_sessions,
    {{ whole_number('case when counted.told_sessions > 0 then counted.deflected_sessions end') }} as deflected_sessions,
    {{ whole_number('counted.sessions - counted.told_sessions') }} as unknown_outcome_sessions,
    {%- for each in ['judged', 'judge_escalated', 'judge_deflected', 'judge_abandoned', 'judge_ambiguous'] %}
    {{ whole_number('case when counted.has_tags then counted.' ~ each ~ '_sessions end') }} as {{ each }}_sessions,
    {%- endfor %}
    {{ whole_number('counted.containment_eligible_sessions') }} as containment_eligible_sessions,
    {{ whole_number('counted.contained_sessions') }} as contained_sessions,
    {{ whole_number('case when counted.short_known_sessions > 0 then counted.short_abandoned_sessions end') }} as short_abandoned_sessions,
    {{ whole_number('case when counted.knows_groundedness then counted.groundedness_checked end') }} as grounded_checked_sessions,
    {{ whole_number('case when counted.knows_groundedness then counted.groundedness_flagged end') }} as ungrounded_sessions,
    {{ whole_number('case when counted.knows_toxicity then counted.toxicity_flagged end') }} as toxic_sessions,
    {{ whole_number('case when counted.knows_prompt_attack then counted.prompt_attack_flagged end') }} as attacked_sessions,
    {{ whole_number('case when counted.knows_pii then counted.pii_flagged end') }} as pii_sessions,
    {{ whole_number('case when counted.knows_instruction_adherence then counted.instruction_adherence_flagged end') }} as low_adherence_sessions,
    {{ whole_number('case when counted.knows_task_resolution then counted.task_resolution_flagged end') }} as unresolved_sessions,
    {{ whole_number('case when counted.has_calls then coalesce(counted.llm_calls, 0) end') }} as llm_calls,
    {{ whole_number('case when counted.has_calls then coalesce(counted.calls_with_tokens, 0) end') }} as calls_with_tokens,
    {{ whole_number('case when counted.has_calls then counted.prompt_tokens end') }} as prompt_tokens,
    {{ whole_number('case when counted.has_calls then counted.completion_tokens end') }} as completion_tokens,
    {{ whole_number('case when counted.has_calls then coalesce(counted.priced_calls, 0) end') }} as priced_calls,
    cast(round(case when counted.has_calls then counted.priced_cost_usd end, 9) as double) as llm_priced_cost_usd,
    cast(round(case when counted.has_calls and counted.priced_calls = counted.llm_calls then counted.priced_cost_usd end, 9) as double) as llm_cost_usd,
    {{ whole_number('coalesce(turns.timed_turns, 0)') }} as timed_turns,
    {{ sketch_percentile('turns.duration_sketch', 0.5) }} as p50_turn_ms,
    {{ sketch_percentile('turns.duration_sketch', 0.95) }} as p95_turn_ms,
    {{ sketch_percentile('turns.duration_sketch', 0.99) }} as p99_turn_ms,
    coalesce(turns.duration_sketch, cast(map {} as map(integer, ubigint))) as duration_sketch,
from counted
left join turns
    on counted.agent_name = turns.agent_name
    and counted.agent_version = turns.agent_version
    and counted.channel = turns.channel
    and counted.session_date = turns.session_date
