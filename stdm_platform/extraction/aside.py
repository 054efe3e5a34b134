"""Rows kept in quarantine, when source and lake are compared: the source counts them too.

Belongs here: adding their figures to those of their window. Does not: the figures of a window
(`figures.py`), what a difference is (`comparison.py`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import polars as pl
import pyarrow.parquet as pq

from stdm_platform.catalog import Dmo
from stdm_platform.errors import DamagedFileError
from stdm_platform.extraction.conform import decode
from stdm_platform.extraction.figures import Figures, Total, column_total
from stdm_platform.lake import Window


@dataclass(frozen=True)
class Aside:
    """Of the rows kept aside of one window: how many, how many without a key, and their totals.

    A column of which a value cannot be read has no total.
    """

    rows: int = 0
    keyless: int = 0
    totals: Mapping[str, Total | None] | None = None


def aside_of_file(path: Path, dmo: Dmo, day: Window, rows: int) -> Aside:
    """The figures of the rows kept aside of a window, of which its footer counts so many.

    Raises:
        DamagedFileError: the file is gone, or holds another number of rows.
        OSError, pa.ArrowException: it cannot be read.
    """
    if not rows:
        return Aside()
    try:
        table = pq.read_table(path, partitioning=None)
    except FileNotFoundError as error:
        raise DamagedFileError(f"{path} is gone.") from error
    if table.num_rows != rows:
        raise DamagedFileError(f"{path} holds {table.num_rows} rows instead of {rows}.")
    totals: dict[str, Total | None] = {}
    for column in dmo.columns:
        if column.name not in table.column_names:
            continue
        served = table.column(column.name).combine_chunks()
        values = decode(served, column.type)
        series = pl.Series(column.name, values)
        is_whole = values.null_count == served.null_count
        totals[column.name] = column_total(column, series, day) if is_whole else None
    return Aside(rows, table.column(dmo.key).null_count, totals)


def with_aside(lake: Figures, aside: Aside) -> Figures:
    """The figures of a window with its rows kept aside; columns that cannot be added up are left out."""
    if not aside.rows:
        return lake
    totals = {}
    for name, total in lake.totals.items():
        more = (aside.totals or {}).get(name)
        if more is not None:
            totals[name] = Total(total.values + more.values, total.total + more.total)
    return Figures(lake.rows + aside.rows, lake.keys + aside.rows - aside.keyless, totals)
