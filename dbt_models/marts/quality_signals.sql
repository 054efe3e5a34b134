{{ config(
    materialized='incremental',
    incremental_strategy='append',
    on_schema_change='fail',
    pre_hook="{{ delete_touched_days() }}"
) }}

select
    verdicts.detection_id,
    verdicts.signal,
    org.org_id,
    org.source_system,
    coalesce(sessions.agent_name, '(unknown)') as agent_name,
    sessions.is_preview,
    verdicts.session_date,
    verdicts.session_id,
    verdicts.interaction_id,
    verdicts.turn_number,
    verdicts.step_id,
    verdicts.generation_id,
    verdicts.gateway_request_id,
    verdicts.bound_by,
    verdicts.detected_at,
    verdicts.category,
    verdicts.verdict,
    verdicts.raw_verdict,
    verdicts.is_flagged,
    verdicts.is_delivered,
    verdicts.score,
    verdicts.content_side,
    verdicts.source_object,
    verdicts.subject_id,
    verdicts.is_counted,
    verdicts.detail,
from {{ ref('int_verdicts') }} as verdicts
cross join control.org as org
left join {{ ref('session_summary') }} as sessions
    on verdicts.session_id = sessions.session_id and verdicts.session_date = sessions.session_date
-- Of texts that the trust layer looks at, most are harmless: those are counted in quality_daily.
where verdicts.signal in ('groundedness', 'instruction_adherence', 'task_resolution') or verdicts.is_flagged
