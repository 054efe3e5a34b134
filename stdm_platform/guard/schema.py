"""The Pandera form of the catalog.

Belongs here: `pandera_schema`. Does not: running it and telling the failures (`contract.py`); the
key's uniqueness, which no single batch can tell (`keys.py`).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from functools import cache
from typing import Any

import pandera.polars as pandera
import polars as pl

from stdm_platform.catalog import Dmo
from stdm_platform.catalog.model import ColumnType
from stdm_platform.lake import Window

POLARS_TYPES: Mapping[ColumnType, pl.DataType] = {
    "text": pl.String(),
    "timestamp": pl.Datetime("ms", "UTC"),
    "number": pl.Float64(),
    "boolean": pl.Boolean(),
}


@cache
def polars_schema(dmo: Dmo) -> pl.Schema:
    """The names and types of a batch, in order."""
    return pl.Schema({column.name: POLARS_TYPES[column.type] for column in dmo.columns})


def pandera_schema(
    dmo: Dmo, window: Window | None, *, only: Collection[str] | None = None
) -> pandera.DataFrameSchema:
    """The contract of one batch: columns in order, types, required values, clock in the window.

    Without a window, for whole sessions, and in a catalogue the clock may be any. With `only`, of these columns. Validate eager frames only: of a lazy frame Pandera checks the
    types and nothing else.
    """
    in_window = (
        pandera.Check.in_range(window.start, window.end, include_max=False)
        if window and not dmo.is_catalogue
        else None
    )
    return pandera.DataFrameSchema(
        {
            column.name: pandera.Column(
                POLARS_TYPES[column.type],
                nullable=not column.required,
                checks=in_window if column.name == dmo.clock else None,
            )
            for column in dmo.columns
            if only is None or column.name in only
        },
        name=dmo.name,
        strict=True,
        ordered=True,
    )


def ruled_columns(dmo: Dmo) -> tuple[str, ...]:
    """The columns about which the schema says more than their type."""
    return tuple(
        column.name for column in dmo.columns if column.required or column.name == dmo.clock
    )


def named_column(error: Any, dmo: Dmo) -> str | None:
    """The column that a Pandera error about the shape of the frame means, if it says so."""
    case = error.failure_cases
    return case if isinstance(case, str) and case in dmo.column_names else None
