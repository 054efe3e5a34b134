"""A stand-in for dbt: two small marts of the touched days, in milliseconds instead of seconds."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime
from multiprocessing.synchronize import Event
from pathlib import Path

import duckdb

from stdm_platform.lake import Lake
from stdm_platform.marts import Generation, MartStore, prepared_build
from stdm_platform.settings import Settings

NOW = datetime(2026, 1, 20, 12, tzinfo=UTC)
MADE = """
create table session_summary as
    select session_id, date as session_date, {value} as turn_count
    from read_parquet('{snapshot}/sessions/*/*.parquet', hive_partitioning = true)
    where date in (select day from control.touched_days);
create table topic_summary as
    select day as session_date, 'topic' as topic, {value} as turn_count from control.touched_days;
"""


def publish_quickly(
    lake: Lake,
    store: MartStore,
    days: Iterable[date],
    *,
    value: int = 1,
    now: datetime = NOW,
    made: str = MADE,
) -> Generation:
    """Prepare, make stand-in marts in which every count is `value`, publish."""
    with (
        prepared_build(lake, store, days, settings=Settings(), clock=lambda: now) as build,
        duckdb.connect(str(store.warehouse_path)) as warehouse,
    ):
        warehouse.execute(made.format(value=value, snapshot=store.snapshot_dir))
    assert build.generation is not None
    return build.generation


def values_seen(connection: duckdb.DuckDBPyConnection) -> tuple[set[int], set[int]]:
    """What two marts say."""
    summary = connection.execute("select distinct turn_count from session_summary").fetchall()
    topics = connection.execute("select distinct turn_count from topic_summary").fetchall()
    return {row[0] for row in summary}, {row[0] for row in topics}


def publish_forever(ready: Event, data_dir: Path, days: list[date], value: int) -> None:
    """The body of a process that is going to be killed some time after it said that it is ready."""
    lake, store = Lake(data_dir), MartStore(data_dir)
    ready.set()
    while True:
        publish_quickly(lake, store, days, value=value)
