-- Derived from stdm_platform/catalog: `uv run python -m stdm_platform.catalog.sync`
select
    generations.generation_id,
    {{ null_if_sentinel('generations.gateway_response_id') }} as gateway_response_id,
    {{ null_if_sentinel('generations.response_text') }} as response_text,
    {{ null_if_sentinel('generations.masked_response_text') }} as masked_response_text,
    {{ null_if_sentinel('generations.response_parameters') }} as response_parameters,
    {{ null_if_sentinel('generations.feature') }} as feature,
    generations.occurred_at,
    {{ null_if_sentinel('generations.internal_organization_id') }} as internal_organization_id,
    {{ null_if_sentinel('generations.cloud') }} as cloud,
    generations.date as lake_date,
    lake_window.read_at as read_at,
    lake_window.window_start as window_start,
    lake_window.missing_columns as missing_columns,
from {{ source('stdm', 'generations') }} as generations
{{ join_window('generations', 'generations') }}
