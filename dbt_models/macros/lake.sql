{# How models see the lake: sources with the reading of each row, and the control tables of the build. #}

{# Days after a session's day up to which its children are read; `CHILD_HORIZON` of the marts room. #}
{% macro child_horizon() -%} 1 {%- endmacro %}

{% macro in_child_horizon(child_day, session_day) -%}
    {{ child_day }} between {{ session_day }} and {{ days_after(session_day, child_horizon()) }}
{%- endmacro %}

{# The windows of the snapshot, so that a row knows when it was read and which columns were asked for. #}
{% macro join_window(dmo, alias) -%}
    left join control.lake_windows as lake_window
        on lake_window.dmo = '{{ dmo }}'
        and lake_window.file_name = parse_filename({{ alias }}.filename)
{%- endmacro %}

{# A rewritten clock can show a key under two days until both are read again: the newest reading wins. #}
{% macro newest_reading(key) -%}
    row_number() over (
        partition by {{ key }}
        order by read_at desc nulls last, lake_date desc, window_start desc nulls last
    )
{%- endmacro %}

{# Marts hold the touched days anew: what stood under them goes first, also when nothing comes back. #}
{% macro delete_touched_days() -%}
    {% if is_incremental() %}delete from {{ this }} where session_date in (select day from control.touched_days){% endif %}
{%- endmacro %}

{# The first day of the build as a literal, so that files of days before it need not be opened at all. #}
{% macro first_touched_day() -%}
    {%- if execute -%}
        date '{{ run_query("select coalesce(min(day), date '1970-01-01') from control.touched_days").columns[0].values()[0] }}'
    {%- else -%}
        date '1970-01-01'
    {%- endif -%}
{%- endmacro %}
