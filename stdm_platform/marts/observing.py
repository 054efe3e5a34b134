"""What observing costs: a view on the footers of the lake, beside what agents use (`credit_usage`).

Belongs here: its SQL. Does not: estimates of what a window will cost (`extraction.cost`).

A view and not a mart, because a reading that finds the same rows again is billed and changes nothing
downstream: marts would not be built again and would lag behind the bill. The footers are the only ledger.
"""

from __future__ import annotations

from pathlib import Path

VIEW = "observing_cost"
COLUMNS = {
    "org_id": "varchar",
    "object_name": "varchar",
    "session_date": "date",
    "read_date": "date",
    "readings": "bigint",
    "rows_read": "bigint",
    "rows_processed": "bigint",
}
"""Its columns with DuckDB's types. `session_date` is the UTC day of the lake folder, `read_date` that of the
reading; `rows_read` and `rows_processed`, which is what the org bills, are null when one reading does not say."""


def view_sql(catalog: str, lake_folder: Path) -> str:
    """The statement that makes the view in a catalog: one row per object, lake day and day of reading.

    Readings of held windows count; one that was dropped or refused stands in no footer.
    """

    def known_sum(fact: str) -> str:
        value = f"reading ->> '$.{fact}'"
        known = f"count({value}) = count(*)"
        return f"cast(case when {known} then sum(cast({value} as bigint)) end as bigint)"

    pattern = str(lake_folder / "*" / "date=*" / "*.parquet").replace("'", "''")
    return f"""
create view {catalog}.{VIEW} as
with footers as (
    select
        file_name,
        max(case when decode(key) = 'stdm.org_id' then decode(value) end) as org_id,
        max(case when decode(key) = 'stdm.dmo' then decode(value) end) as object_name,
        max(case when decode(key) = 'stdm.readings' then decode(value) end) as readings
    from parquet_kv_metadata('{pattern}')
    group by file_name
),
-- A window that was read again in parts hands its readings on to each of them.
made as (
    select distinct
        org_id,
        object_name,
        cast(regexp_extract(file_name, 'date=(\\d{{4}}-\\d\\d-\\d\\d)', 1) as date) as session_date,
        cast(unnest(cast(cast(readings as json) as json[])) as varchar) as reading
    from footers
)
select
    org_id,
    object_name,
    session_date,
    cast(left(reading ->> '$.read_at', 10) as date) as read_date,
    count(*) as readings,
    {known_sum("rows")} as rows_read,
    {known_sum("rows_processed")} as rows_processed
from made
group by org_id, object_name, session_date, read_date
"""
