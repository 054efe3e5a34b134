"""Batches in the catalog's schema, whole or with one fault."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pyarrow as pa

from stdm_platform.catalog import Dmo, arrow_schema
from stdm_platform.lake import Window

DAY = date(2026, 1, 14)
WINDOW = Window.of_day(DAY)
NOON = datetime(2026, 1, 14, 12, tzinfo=UTC)


def sources(dmo: Dmo) -> dict[str, str]:
    return {column.name: column.source for column in dmo.columns}


def rows(dmo: Dmo, count: int = 5, first: int = 0) -> list[dict[str, Any]]:
    """Rows that keep the contract; keys are `k0`, `k1`, …."""
    values = {"timestamp": NOON, "number": 1.5, "boolean": True}
    return [
        {
            column.name: f"k{number}"
            if column.name == dmo.key
            else values[column.type] + timedelta(milliseconds=number)
            if column.type == "timestamp"
            else column.vocabulary[0].value
            if column.vocabulary
            else values.get(column.type, f"secret words {number}")
            for column in dmo.columns
        }
        for number in range(first, first + count)
    ]


def batch(
    dmo: Dmo, given: Sequence[Mapping[str, Any]] | None = None, **changes: Any
) -> pa.RecordBatch:
    """A batch of these rows, with the changes made to the first of them."""
    made = [dict(row) for row in (rows(dmo) if given is None else given)]
    if made:
        made[0].update(changes)
    schema = pa.schema([field.with_nullable(True) for field in arrow_schema(dmo)])
    return pa.RecordBatch.from_pylist(made, schema=schema)
