"""What a sandbox org holds in the end, and what its queries were billed, asked of its control endpoint.

Belongs here: the other side of the comparison. It never asks through the platform's own client.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

import polars as pl

from stdm_platform.catalog import Dmo
from stdm_platform.catalog.model import ColumnType
from stdm_platform.sandbox import SandboxHandle
from stdm_platform_tests.simulation.over_http import Queried

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
KINDS: dict[ColumnType, pl.DataType] = {
    "text": pl.String(),
    "timestamp": pl.Datetime("ms", "UTC"),
    "number": pl.Float64(),
    "boolean": pl.Boolean(),
}


def source_of(org: SandboxHandle, dmo: Dmo) -> pl.DataFrame:
    """All rows as they are once nothing changes any more, by lake names."""
    wanted = ", ".join(
        f'epoch_ms("{column.source}")' if column.type == "timestamp" else f'"{column.source}"'
        for column in dmo.columns
    )
    rows = org.execute(f"SELECT {wanted} FROM truth.{dmo.name}")
    plain = {
        column.name: pl.Int64() if column.type == "timestamp" else KINDS[column.type]
        for column in dmo.columns
    }
    frame = pl.DataFrame(rows, schema=plain, orient="row")
    return frame.cast({column.name: KINDS[column.type] for column in dmo.columns})


def billed(org: SandboxHandle, dmos: Iterable[Dmo], asked: Iterable[Queried]) -> Counter[str]:
    """The rows that the org processed for these windows: those visible at its clock."""
    landed: dict[str, list[tuple[int, int]]] = {}
    for dmo in dmos:
        clock = dmo[dmo.clock].source
        rows = org.execute(
            f'SELECT epoch_us("{clock}"), epoch_us(lands_at) FROM truth.{dmo.name} ORDER BY 1'
        )
        landed[dmo.name] = [(int(row[0]), int(row[1])) for row in rows]
    total: Counter[str] = Counter()
    for each in asked:
        rows, now = landed[each.dmo], _micros(each.at)
        first = bisect_left(rows, _micros(each.window.start), key=lambda row: row[0])
        last = bisect_left(rows, _micros(each.window.end), key=lambda row: row[0])
        total[each.dmo] += sum(lands <= now for _, lands in rows[first:last])
    return total


def _micros(instant: datetime) -> int:
    return (instant - EPOCH) // timedelta(microseconds=1)
