{# Percentiles that roll up. The functions are in `stdm_platform/marts/sketch.py`, for builds and readers alike. #}

{# Durations of the grouped rows as bucket → count; those without a duration are left out. #}
{% macro duration_sketch(duration) -%}
    cast(coalesce(histogram(duration_bucket({{ duration }})), map {}) as map(integer, ubigint))
{%- endmacro %}

{% macro sketch_percentile(sketch, share) -%}
    percentile_ms([{{ sketch }}], {{ share }})
{%- endmacro %}
