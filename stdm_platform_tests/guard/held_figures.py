"""Held days that are nothing but figures: files of null rows with the footers of real extractions."""

from __future__ import annotations

from datetime import date
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from stdm_platform.catalog import CATALOG_VERSION, Dmo
from stdm_platform.lake import Evidence, Lake, Reading, Window
from stdm_platform.lake.names import new_name

ORG = "00D000000000001AAA"


def put(
    lake: Lake, entry: Dmo, day: date, readings: list[Reading], *, org_id: str = ORG, **profile: Any
) -> None:
    """A held day: a file of so many rows, with the footer that an extraction would write."""
    said = readings[-1]
    rows, settled = said.rows or 0, said.read_at - Window.of_day(day).end >= entry.settle_time
    evidence = Evidence(
        Window.of_day(day), entry.name, org_id, CATALOG_VERSION, (), rows, None, None,
        "sum", tuple(readings), settled, {"object": entry.objects[0], "nulls": {}, **profile},
    )  # fmt: skip
    folder = lake.folders.day(entry.name, day)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / new_name(evidence, len(readings))
    with pq.ParquetWriter(path, pa.schema([("key", pa.string())])) as writer:
        writer.write_table(pa.table({"key": pa.nulls(rows, pa.string())}))
        writer.add_key_value_metadata(evidence.as_footer())
