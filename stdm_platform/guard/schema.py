"""The Pandera form of the catalog.

Belongs here: `pandera_schema`. Does not: running it and telling the failures (`contract.py`); the
key's uniqueness, which no single batch can tell (`keys.py`).
"""

from __future__ import annotations

from collections.abc import Mapping

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


def pandera_schema(dmo: Dmo, window: Window) -> pandera.DataFrameSchema:
    """The contract of one batch: columns in order, types, required values, clock in the window.

    Validate eager frames only: of a lazy frame Pandera checks the types and nothing else.
    """
    in_window = pandera.Check.in_range(window.start, window.end, include_max=False)
    return pandera.DataFrameSchema(
        {
            column.name: pandera.Column(
                POLARS_TYPES[column.type],
                nullable=not column.required,
                checks=in_window if column.name == dmo.clock else None,
            )
            for column in dmo.columns
        },
        name=dmo.name,
        strict=True,
        ordered=True,
    )
