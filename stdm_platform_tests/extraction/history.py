"""A long history in a lake, written quickly: small files with real names and footers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from stdm_platform.catalog import CATALOG_VERSION, Dmo
from stdm_platform.lake import Evidence, Lake, Reading, Window, is_settled
from stdm_platform.lake.names import new_name

ORG = "00Dxx0000000001EAA"
NO_ROWS = pa.schema([("key", pa.string())])


def write_history(
    data_dir: Path, dmos: Sequence[Dmo], last: date, days: int, *, read_at: datetime
) -> Lake:
    """Whole days that are settled, and hourly windows of the last eight days, all read by then.

    As the last of the ticks would leave them: nothing is due at `read_at`.
    """
    lake = Lake(data_dir)
    for dmo in dmos:
        for back in range(days):
            day = last - timedelta(days=back)
            folder = lake.folders.day(dmo.name, day)
            folder.mkdir(parents=True)
            for window in windows_of(dmo, day, read_at):
                _write(folder, dmo, window, read_at)
    return lake


def windows_of(dmo: Dmo, day: date, now: datetime) -> Iterable[Window]:
    midnight = datetime.combine(day, time(), UTC)
    if now >= midnight + timedelta(days=1) + dmo.settle_time:
        yield Window.of_day(day)
        return
    edge = (now - dmo.shortest_lag).replace(second=0, microsecond=0)
    start = midnight
    while start < min(midnight + timedelta(days=1), edge):
        end = min(start + timedelta(hours=1), edge)
        yield Window(start, end)
        start = end


def _write(folder: Path, dmo: Dmo, window: Window, read_at: datetime) -> None:
    readings = tuple(
        Reading(read_at - timedelta(hours=hour), f"query-{hour}", "0" * 64, 0, "arrow")
        for hour in (72, 24, 1, 0)
    )
    evidence = Evidence(
        window, dmo.name, ORG, CATALOG_VERSION, (), 0, None, None, "polars-sum:0", readings,
        is_settled(window, read_at, dmo.settle_time),
    )  # fmt: skip
    path = folder / new_name(evidence, len(readings))
    with pq.ParquetWriter(path, NO_ROWS) as writer:
        writer.add_key_value_metadata(evidence.as_footer())
