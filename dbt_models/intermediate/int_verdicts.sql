{{ config(materialized='table') }}

{#- Rows of both, each on what it judges: the score of one side of a generation, or the generation. What is said of one
    text stands together under the day of its session, as it may be written before and after midnight. -#}
with quality as (
    select
        quality.*,
        coalesce(owners.session_date, quality.lake_date) as counted_on,
        upper(quality.content_type) as content_side,
        lower(quality.is_toxicity_detected) as said,
        row_number() over (
            partition by quality.content_quality_id, quality.lake_date
            order by quality.read_at desc nulls last, quality.window_start desc nulls last
        ) as copy_rank,
    from {{ ref('stg_content_quality') }} as quality
    left join {{ ref('int_generation_owners') }} as owners
        on quality.generation_id = owners.generation_id
        and {{ in_child_horizon('quality.lake_date', 'owners.session_date') }}
),

categories as (
    select
        categories.*,
        upper(categories.detector_type) as detector,
        {{ finite_number('categories.category_value') }} as score,
        quality.content_quality_id,
        quality.content_side,
        quality.said is null as is_whole_unsaid,
        -- Toxicity hangs on the score of a side, other detectors on the generation; either may be named.
        coalesce(quality.generation_id, categories.parent_id) as generation_id,
        coalesce(owners.session_date, categories.lake_date) as counted_on,
        row_number() over (
            partition by categories.content_category_id, categories.lake_date
            order by categories.read_at desc nulls last, categories.window_start desc nulls last, quality.lake_date desc nulls last
        ) as copy_rank,
    from {{ ref('stg_content_categories') }} as categories
    left join quality
        on categories.parent_id = quality.content_quality_id
        and quality.copy_rank = 1
        and quality.lake_date between {{ days_after('categories.lake_date', -1) }} and categories.lake_date
    left join {{ ref('int_generation_owners') }} as owners
        on coalesce(quality.generation_id, categories.parent_id) = owners.generation_id
        and {{ in_child_horizon('categories.lake_date', 'owners.session_date') }}
),

-- A high safety_score is harmless, and nobody knows what 0 stands for.
harms as (
    select *
    from categories
    where
        copy_rank = 1
        and detector = 'TOXICITY'
        and lower(category) in ('hate', 'identity', 'physical', 'profanity', 'sexual', 'toxicity', 'violence')
        and score is not null
),

harm_of_side as (
    select parent_id, counted_on, max(score) as score
    from harms
    group by parent_id, counted_on
),

attack_scores as (
    select generation_id, counted_on, max(score) as score
    from categories
    where copy_rank = 1 and detector = 'PROMPT_DEFENSE' and lower(category) = 'aggregatepromptattackscore'
    group by generation_id, counted_on
),

detected as (
    -- One text, judged as a whole: this is what rates count.
    select
        quality.content_quality_id as detection_id,
        'toxicity' as signal,
        quality.content_quality_id as subject_id,
        true as is_counted,
        cast(null as varchar) as category,
        quality.is_toxicity_detected as raw_verdict,
        case
            when quality.said in ('true', '1') or harm_of_side.score >= 0.5 then true
            when quality.said in ('false', '0') then false
        end as is_flagged,
        harm_of_side.score,
        quality.content_side,
        'content_quality' as source_object,
        quality.occurred_at as detected_at,
        quality.generation_id,
        quality.lake_date,
        quality.read_at,
        quality.window_start,
    from quality
    left join harm_of_side
        on quality.content_quality_id = harm_of_side.parent_id and quality.counted_on = harm_of_side.counted_on
    where quality.copy_rank = 1 and quality.said is not null

    union all by name

    select
        harms.content_category_id as detection_id,
        'toxicity' as signal,
        harms.parent_id as subject_id,
        -- Where content quality says nothing of the whole, as of prompts, the worst category stands for it; all
        -- copies of that one, of which the newest reading is taken below.
        harms.is_whole_unsaid
            and rank() over (partition by harms.parent_id, harms.counted_on order by harms.score desc, harms.content_category_id) = 1 as is_counted,
        lower(harms.category) as category,
        harms.category_value as raw_verdict,
        harms.score >= 0.5 as is_flagged,
        harms.score,
        harms.content_side,
        'content_categories' as source_object,
        harms.occurred_at as detected_at,
        harms.generation_id,
        harms.lake_date,
        harms.read_at,
        harms.window_start,
    from harms
    qualify is_flagged or is_counted

    union all by name

    select
        categories.content_category_id as detection_id,
        'prompt_attack' as signal,
        categories.generation_id as subject_id,
        rank() over (partition by categories.generation_id, categories.counted_on order by categories.content_category_id) = 1 as is_counted,
        categories.category_value as raw_verdict,
        case
            when lower(categories.category_value) = 'true' or categories.score >= 0.5 then true
            when lower(categories.category_value) = 'false' or categories.score < 0.5 then false
        end as is_flagged,
        attack_scores.score,
        categories.content_side,
        'content_categories' as source_object,
        categories.occurred_at as detected_at,
        categories.generation_id,
        categories.lake_date,
        categories.read_at,
        categories.window_start,
    from categories
    left join attack_scores
        on categories.generation_id = attack_scores.generation_id and categories.counted_on = attack_scores.counted_on
    where
        categories.copy_rank = 1
        and categories.detector = 'PROMPT_DEFENSE'
        and lower(categories.category) = 'ispromptattackdetected'

    union all by name

    select
        content_category_id as detection_id,
        'pii' as signal,
        generation_id as subject_id,
        rank() over (partition by generation_id, counted_on order by content_category_id) = 1 as is_counted,
        upper(category) as category,
        category_value as raw_verdict,
        true as is_flagged,
        score,
        content_side,
        'content_categories' as source_object,
        occurred_at as detected_at,
        generation_id,
        lake_date,
        read_at,
        window_start,
    from categories
    where copy_rank = 1 and detector = 'PII'

    union all by name

    -- A detector of personal data writes only what it finds: that it looked is told by the others on the same text.
    select
        min(content_category_id) || '#pii' as detection_id,
        'pii' as signal,
        generation_id as subject_id,
        true as is_counted,
        false as is_flagged,
        'content_categories' as source_object,
        min(occurred_at) as detected_at,
        generation_id,
        min(lake_date) as lake_date,
        max(read_at) as read_at,
        max(window_start) as window_start,
    from categories
    where copy_rank = 1
    group by generation_id, counted_on
    having count(case when detector = 'PII' then 1 end) = 0

    union all by name

    select
        content_category_id as detection_id,
        case when detector = 'TASKRESOLUTION' then 'task_resolution' else 'instruction_adherence' end as signal,
        generation_id as subject_id,
        true as is_counted,
        category as raw_verdict,
        case
            when detector = 'TASKRESOLUTION' then {{ is_unresolved('category') }}
            else upper(category) = 'LOW'
        end as is_flagged,
        score,
        content_side,
        'content_categories' as source_object,
        occurred_at as detected_at,
        generation_id,
        lake_date,
        read_at,
        window_start,
    from categories
    where copy_rank = 1 and detector in ('TASKRESOLUTION', 'INSTRUCTIONADHERENCE')
),

owned as (
    select
        detected.* exclude (generation_id),
        detected.generation_id,
        owners.session_id,
        coalesce(owners.session_date, detected.lake_date) as session_date,
        coalesce(owners.is_touched, detected.lake_date in (select day from control.touched_days)) as is_touched,
        owners.interaction_id,
        owners.step_id,
        owners.gateway_request_id,
        coalesce(owners.bound_by, 'none') as bound_by,
        row_number() over (
            partition by detected.signal, detected.detection_id, owners.session_id, case when owners.session_id is null then detected.lake_date end
            order by detected.read_at desc nulls last, detected.lake_date desc, detected.window_start desc nulls last
        ) as reading_rank,
    from detected
    left join {{ ref('int_generation_owners') }} as owners
        on detected.generation_id = owners.generation_id
        and {{ in_child_horizon('detected.lake_date', 'owners.session_date') }}
),

step_verdicts as (
    select
        step_id as detection_id,
        'groundedness' as signal,
        groundedness_verdict as raw_verdict,
        groundedness_reason as detail,
        case
            when groundedness_verdict is not null then upper(groundedness_verdict) not in ('GROUNDED', 'SMALL_TALK')
        end as is_flagged,
        *,
    from {{ ref('int_steps') }}
    where is_groundedness

    union all by name

    select
        step_id as detection_id,
        'instruction_adherence' as signal,
        adherence_verdict as raw_verdict,
        case when adherence_verdict is not null then upper(adherence_verdict) in ('LOW', 'NOT_PASSED') end as is_flagged,
        *,
    from {{ ref('int_steps') }}
    where step_type = 'TRUST_GUARDRAILS_STEP' and (adherence_verdict is not null or lower(step_name) = 'instructionadherence')

    union all by name

    select
        step_id || '#task_resolution' as detection_id,
        'task_resolution' as signal,
        resolution_verdict as raw_verdict,
        {{ is_unresolved('resolution_verdict') }} as is_flagged,
        *,
    from {{ ref('int_steps') }}
    where step_type = 'TRUST_GUARDRAILS_STEP' and (resolution_verdict is not null or lower(step_name) = 'taskresolution')
),

verdicts as (
    select * exclude (is_touched, reading_rank, lake_date, read_at, window_start)
    from owned
    where is_touched and reading_rank = 1
    -- Of copies of one row under two days one may look like nobody's, of the same day as the other.
    qualify row_number() over (partition by signal, detection_id, session_date order by session_id nulls last) = 1

    union all by name

    select
        detection_id,
        signal,
        step_id as subject_id,
        raw_verdict,
        is_flagged,
        'steps' as source_object,
        detail,
        -- The verdict is there when the step ends.
        coalesce(ended_at, started_at) as detected_at,
        generation_id,
        gateway_request_id,
        session_id,
        session_date,
        interaction_id,
        step_id,
        'step' as bound_by,
    from step_verdicts
),

judged_turns as (
    select distinct session_id, interaction_id, signal
    from verdicts
    where
        source_object = 'content_categories'
        and signal in ('instruction_adherence', 'task_resolution')
        and is_flagged is not null
        and interaction_id is not null
),

placed as (
    select
        verdicts.* exclude (is_counted),
        -- Of a turn that the audit data judges, a guardrail's verdict is the same one again.
        coalesce(verdicts.is_counted, judged_turns.session_id is null) as is_counted,
        turns.turn_number,
    from verdicts
    left join judged_turns
        on verdicts.source_object = 'steps'
        and verdicts.session_id = judged_turns.session_id
        and verdicts.interaction_id = judged_turns.interaction_id
        and verdicts.signal = judged_turns.signal
    left join {{ ref('int_turns') }} as turns
        on verdicts.session_id = turns.session_id and verdicts.interaction_id = turns.interaction_id
),

-- A later validation of the turn means that the answer was written anew.
retried as (
    select
        detection_id,
        count(*) over (
            partition by session_id, interaction_id order by detected_at, detection_id
            rows between 1 following and unbounded following
        ) as later,
        count(case when is_flagged then 1 end) over (
            partition by session_id, interaction_id order by detected_at, detection_id
            rows between unbounded preceding and 1 preceding
        ) as failed_before,
    from placed
    where signal = 'groundedness' and is_flagged is not null
)

select
    placed.detection_id,
    placed.signal,
    placed.subject_id,
    placed.is_counted,
    placed.category,
    case placed.signal
        when 'groundedness' then case when upper(placed.raw_verdict) in ('NOT_GROUNDED', 'UNGROUNDED') then 'UNGROUNDED' else upper(placed.raw_verdict) end
        when 'instruction_adherence' then case upper(placed.raw_verdict) when 'NOT_PASSED' then 'LOW' when 'PASSED' then 'HIGH' else upper(placed.raw_verdict) end
        when 'task_resolution' then upper(placed.raw_verdict)
        when 'toxicity' then case when placed.is_flagged then 'TOXIC' end
        when 'prompt_attack' then case when placed.is_flagged then 'ATTACK' end
        when 'pii' then case when placed.is_flagged then 'PII' end
    end as verdict,
    placed.raw_verdict,
    placed.is_flagged,
    case
        when placed.signal <> 'groundedness' or not placed.is_flagged then null
        when retried.later > 0 then false
        when retried.failed_before = 0 then true
    end as is_delivered,
    placed.score,
    placed.content_side,
    placed.source_object,
    placed.detail,
    placed.detected_at,
    placed.session_id,
    placed.session_date,
    placed.interaction_id,
    placed.turn_number,
    placed.step_id,
    placed.generation_id,
    placed.gateway_request_id,
    placed.bound_by,
from placed
left join retried on placed.signal = 'groundedness' and placed.detection_id = retried.detection_id
