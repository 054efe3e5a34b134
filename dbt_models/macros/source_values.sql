{# What Data 360 writes, turned into what it means (Data 360 page, section 4.6). #}

{% macro null_if_sentinel(column) -%}
    case when {{ column }} in ('', 'NOT_SET', 'UNSET_VALUE', 'None') then null else {{ column }} end
{%- endmacro %}

{# Gateway objects put some values into double quotes, and write `no_session` for none. #}
{% macro unquoted(column) -%}
    case when trim({{ column }}, '"') in ('', 'NOT_SET', 'UNSET_VALUE', 'None', 'no_session') then null else trim({{ column }}, '"') end
{%- endmacro %}

{# A value of a closed vocabulary, in capitals: orgs have changed the letters of such values without notice. #}
{% macro code(column) -%}
    upper({{ null_if_sentinel(column) }})
{%- endmacro %}

{# `<topic>_<id of 15 or 18 characters that starts with 16>` when published, `<topic>_PlannerPreview-<uuid>` in the Builder. #}
{% macro topic_without_suffix(column) -%}
    regexp_replace({{ null_if_sentinel(column) }}, '_(16[A-Za-z0-9]{13}([A-Za-z0-9]{3})?|PlannerPreview-[0-9A-Za-z-]+)$', '')
{%- endmacro %}

{# `&amp;` last, so that a doubly escaped text loses one level only. #}
{% macro html_unescape(column) -%}
    replace(replace(replace(replace(replace(replace({{ column }}, '&quot;', '"'), '&#34;', '"'), '&#39;', ''''), '&lt;', '<'), '&gt;', '>'), '&amp;', '&')
{%- endmacro %}

{# Plain JSON first: unescaping valid JSON could break it. Null when it is neither (Python text, prose). #}
{% macro decoded_json(column) -%}
    coalesce(try_cast({{ null_if_sentinel(column) }} as json), try_cast({{ html_unescape(null_if_sentinel(column)) }} as json))
{%- endmacro %}

{% macro json_text(json, path) -%}
    json_extract_string({{ json }}, '{{ path }}')
{%- endmacro %}

{# Builder, preview, internal and evaluation channels: kept, and marked. A session without a channel is none. #}
{% macro is_preview_channel(column) -%}
    coalesce(
        lower({{ column }}) like 'builder%'
        or lower({{ column }}) like '%preview%'
        or lower({{ column }}) like '%(internal)%'
        or lower({{ column }}) like '%evaluation%'
        or lower({{ column }}) like '%testing%',
        false
    )
{%- endmacro %}

{# A score as text; what is no number is none, and Python's NaN is no number, though it casts and is above every one. #}
{% macro finite_number(column) -%}
    case when isfinite(try_cast({{ column }} as double)) then try_cast({{ column }} as double) end
{%- endmacro %}
