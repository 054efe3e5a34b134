{# What another engine would spell differently. #}

{% macro milliseconds_between(earlier, later) -%}
    case when {{ later }} >= {{ earlier }} then cast(date_diff('millisecond', {{ earlier }}, {{ later }}) as bigint) end
{%- endmacro %}

{% macro days_after(day, days) -%}
    ({{ day }} + {{ days }})
{%- endmacro %}

{# The session of the warehouse is in UTC, so this is the UTC day. #}
{% macro utc_date(instant) -%}
    cast({{ instant }} as date)
{%- endmacro %}

{% macro whole_number(expression) -%}
    cast({{ expression }} as bigint)
{%- endmacro %}

{% macro percentile(column, share) -%}
    round(quantile_cont({{ column }}, {{ share }}), 3)
{%- endmacro %}

{% macro held_column(missing_columns, column) -%}
    not coalesce(list_contains({{ missing_columns }}, '{{ column }}'), false)
{%- endmacro %}

{# A value inside of a link. #}
{% macro url_text(expression) -%}
    url_encode({{ expression }})
{%- endmacro %}
