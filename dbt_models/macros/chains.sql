{# The order of rows that share an instant, as the linked list of their table tells it. #}

{#- The body of a CTE `chain` on a CTE `links` of `session_id`, the key and `earlier_id`; needs `with recursive`.
    `place` counts from the first link of each chain on, so that a circle is in no order. -#}
{% macro places_in_chain(key) -%}
    select
        links.session_id,
        links.{{ key }},
        1 as place,
    from links
    left join links as before
        on links.session_id = before.session_id and links.earlier_id = before.{{ key }}
    where before.{{ key }} is null

    union all

    select
        links.session_id,
        links.{{ key }},
        chain.place + 1 as place,
    from chain
    inner join links on chain.session_id = links.session_id and chain.{{ key }} = links.earlier_id
{%- endmacro %}
