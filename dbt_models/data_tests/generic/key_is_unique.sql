{# No two rows share the key, and no part of it is null that must not be. #}
{% test key_is_unique(model, columns, nullable=[]) %}
select {{ columns | join(', ') }}, count(*) as rows_of_key
from {{ model }}
group by {{ columns | join(', ') }}
having count(*) > 1
    {%- for column in columns if column not in nullable %} or {{ column }} is null{% endfor %}
{% endtest %}
