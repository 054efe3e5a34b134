-- Views and tables made under their own names, each by one statement. The adapter's own makes them under
-- another name, looks for what was there before and renames, for warehouses in which something was
-- there; ours is made anew for each build, and of 85 nodes 45 are views and tables.

{% materialization view, adapter='duckdb' %}
    {%- set target = this.incorporate(type='view') -%}
    {{ run_hooks(pre_hooks) }}
    {%- do drop_what_stands_there() -%}
    {% call statement('main') -%}
        {{ get_create_view_as_sql(target, sql) }}
    {%- endcall %}
    {{ run_hooks(post_hooks) }}
    {{ adapter.commit() }}
    {{ return({'relations': [target]}) }}
{% endmaterialization %}


{% materialization table, adapter='duckdb' %}
    {%- set target = this.incorporate(type='table') -%}
    {{ run_hooks(pre_hooks) }}
    {%- do drop_what_stands_there() -%}
    {% call statement('main') -%}
        {{ create_table_as(False, target, compiled_code) }}
    {%- endcall %}
    {{ run_hooks(post_hooks) }}
    {{ adapter.commit() }}
    {{ return({'relations': [target]}) }}
{% endmaterialization %}


{# For those who call dbt by hand, in a warehouse that they keep. #}
{% macro drop_what_stands_there() %}
    {%- set standing = load_cached_relation(this) -%}
    {%- if standing is not none -%}
        {%- do adapter.drop_relation(standing) -%}
    {%- endif -%}
{% endmacro %}
