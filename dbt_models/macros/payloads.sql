{# What planners put into the texts of steps (Data 360 page, sections 4.6, 5.11 and 7.1). #}

{# Text inside quotes of Python's notation: it escapes backslashes and its own quote only. #}
{% macro python_text_of(column, key) -%}
    replace(replace(regexp_extract({{ column }}, '[''"]{{ key }}[''"]\s*:\s*''((?:[^''\\]|\\.)*)''', 1), '\''', ''''), '\\', '\')
{%- endmacro %}

{# A field of the object, from JSON, HTML-escaped JSON or Python text; null when it is not there. #}
{% macro payload_field(json, column, key) -%}
    coalesce(
        {{ json_text(json, '$."' ~ key ~ '"') }},
        case when {{ json }} is null then nullif({{ python_text_of(column, key) }}, '') end
    )
{%- endmacro %}

{# `category=GROUNDED, reason=…`: the part before the reason, so that a reason never is the verdict. #}
{% macro labelled(text, label) -%}
    nullif(trim(regexp_extract({{ text }}, '(?:^|,)\s*{{ label }}\s*=\s*([^,]*)', 1, 'i')), '')
{%- endmacro %}

{# Both names of prompts that validate groundedness; a planner to come may well say the word. #}
{% macro is_groundedness_step(step_type, step_name) -%}
    coalesce({{ step_type }} = 'LLM_STEP' and (lower({{ step_name }}) like '%reactvalidationprompt%' or lower({{ step_name }}) like '%groundedness%'), false)
{%- endmacro %}

{% macro is_guardrail_step(step_type, step_name) -%}
    coalesce({{ step_type }} = 'TRUST_GUARDRAILS_STEP' or ({{ step_type }} = 'CLASSIFIER_STEP' and lower({{ step_name }}) like '%guardrail%'), false)
{%- endmacro %}

{# The classes of `error_class`, in the order in which they are looked for. #}
{% macro error_classes() %}{{ return(['timeout', 'access', 'limit', 'not_found', 'input', 'other']) }}{% endmacro %}

{# What kind of error a text tells of, in the words that platforms and HTTP services use. #}
{% macro error_class(error_text) -%}
    case
        when {{ error_text }} is null then 'other'
        when regexp_matches({{ error_text }}, 'time[d -]?\s?out|deadline exceeded|\b(408|504)\b', 'i') then 'timeout'
        when regexp_matches({{ error_text }}, 'permission|access|not authori[sz]ed|unauthori[sz]ed|forbidden|expired session|invalid_session|\b(401|403)\b', 'i') then 'access'
        when regexp_matches({{ error_text }}, '\blimits?\b|quota|throttl|too many|\b429\b', 'i') then 'limit'
        when regexp_matches({{ error_text }}, 'not[ _]found|no such|does(n.t| not) exist|could not find|unknown (record|id)|\b404\b', 'i') then 'not_found'
        when regexp_matches({{ error_text }}, 'invalid|required|missing|must |malformed|bad request|validation|cannot be (blank|empty|null)|\b(400|422)\b', 'i') then 'input'
        else 'other'
    end
{%- endmacro %}

{# Whether a task was judged as not fully resolved; null when nobody judged, or says that it cannot tell. #}
{% macro is_unresolved(verdict) -%}
    case
        when regexp_replace(upper({{ verdict }}), '[^A-Z]', '', 'g') not in ('UNCERTAIN', 'UNKNOWN', 'UNSURE', 'NOTAPPLICABLE')
            then regexp_replace(upper({{ verdict }}), '[^A-Z]', '', 'g') <> 'FULLYRESOLVED'
    end
{%- endmacro %}
