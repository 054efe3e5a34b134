"""Figures that tell whether the source and a window file hold the same rows.

Belongs here: each figure twice, as SQL for the org and as our own reading of a file. Does not:
which windows (`verification.py`), what a difference means (`discrepancy.py`).

Counts alone miss a rewritten row, so the same query also asks, of each column, how many values there
are and what they add up to: characters of texts, milliseconds of instants, numbers, true values. It is
billed like a bare count, because rows processed are billed and not columns. What it cannot see is a text
that was replaced by another of the same length, and changes that make up for each other.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from math import isnan
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow.parquet as pq

from stdm_platform.catalog import Column, Dmo
from stdm_platform.data360 import Parameter
from stdm_platform.errors import IncompleteResultError
from stdm_platform.extraction.shape import SourceShape, quoted
from stdm_platform.extraction.source import Result
from stdm_platform.extraction.sql import instant_literal, place_in, window_condition
from stdm_platform.lake import RowChecksum, Window

SUMMED = {
    "text": ("varchar", "text"),
    "timestamp": ("timestamptz",),
    "number": ("numeric", "integer", "bigint", "smallint", "float", "double"),
    "boolean": ("boolean",),
}
"""Served types of which the org can add up the values as we do; other columns are not compared."""

UNSET = "NOT_SET"
"""Adds nothing to the characters of a text, so that TIMEOUT in its place is another total."""

ROUNDING = {"text": 0.0, "boolean": 0.0, "timestamp": 1e-13, "number": 1e-9}
"""What a sum may differ by, as a part of it: sums are doubles, and numbers are added in any order."""


@dataclass(frozen=True)
class Total:
    """Of one column: values that are not null, and what they add up to."""

    values: int
    total: float


@dataclass(frozen=True)
class Figures:
    """Of one window: rows, distinct keys, and the total of each column by its lake name.

    The lake's keys are its rows: the contract let no key stand twice.
    """

    rows: int
    keys: int
    totals: Mapping[str, Total]


def figures_query(
    shape: SourceShape, windows: Sequence[Window], *, text: str, nonce: int, plain: bool = False
) -> tuple[str, tuple[Parameter, ...]]:
    """The query for the figures of windows of one day that meet, one row for each that has rows.

    The first column is the place of the window. With `text="none"` no column that holds text of
    conversations is touched. `plain` asks for rows and keys only.
    """
    selected = [
        f'{place_in(shape, windows)} AS "place"',
        'COUNT(*) AS "rows"',
        f'COUNT(DISTINCT {quoted(shape.columns[shape.dmo.key])}) AS "keys"',
    ]
    for name in () if plain else summed_columns(shape, text):
        column = quoted(shape.columns[name])
        value = _SQL_VALUE[shape.dmo[name].type](column, windows[0])
        selected.append(f"COUNT({column}) AS {quoted('values_' + name)}")
        selected.append(f"CAST(SUM({value}) AS DOUBLE PRECISION) AS {quoted('total_' + name)}")
    condition, parameters = window_condition(
        shape, Window(windows[0].start, windows[-1].end), nonce
    )
    columns = ",\n".join(f"    {each}" for each in selected)
    grouped = "\nGROUP BY 1" if len(windows) > 1 else ""
    return f"SELECT\n{columns}\n{condition}{grouped}", parameters


def summed_columns(shape: SourceShape, text: str) -> list[str]:
    """The lake columns whose totals the org can tell, as it serves them."""
    return [
        name
        for name in shape.asked(text)
        if shape.types.get(name, "").lower() in SUMMED[shape.dmo[name].type]
    ]


def figures_of_answer(result: Result, names: Sequence[str], windows: int) -> list[Figures]:
    """The figures of each of so many windows, in their order, from the columns by their places.

    Raises:
        IncompleteResultError: a row is of no window, or of one that was told already.
    """
    found: dict[int, Figures] = {}
    for batch in result.batches():
        for row in zip(*(column.to_pylist() for column in batch.columns), strict=True):
            place, rows, keys = (int(value) for value in row[:3])
            if place in found or not 0 <= place < windows:
                raise IncompleteResultError(
                    f"the answer tells of window {place} of {windows} twice or has no such window.",
                    action="Verify again.",
                )
            pairs = zip(row[3::2], row[4::2], strict=True)
            totals = {
                name: Total(int(values), float(total or 0))
                for name, (values, total) in zip(names, pairs, strict=True)
            }
            found[place] = Figures(rows, keys, totals)
    return [found.get(place) or _nothing(names) for place in range(windows)]


def figures_of_file(path: Path, dmo: Dmo, day: Window) -> tuple[Figures, str]:
    """The figures of a window file, and the checksum of its rows, in bounded memory.

    Raises:
        OSError, pa.ArrowException: the file is gone, or its rows cannot be read.
    """
    checksum = RowChecksum()
    values: dict[str, int] = {}
    totals: dict[str, float] = {}
    with pq.ParquetFile(path) as file:
        held = [column for column in dmo.columns if column.name in file.schema_arrow.names]
        for batch in file.iter_batches():
            checksum.add(batch)
            frame = pl.DataFrame(pl.from_arrow(batch))
            for column in held:
                said = column_total(column, frame[column.name], day)
                values[column.name] = values.get(column.name, 0) + said.values
                totals[column.name] = totals.get(column.name, 0) + said.total
    columns = {column.name: Total(0, 0) for column in held}
    columns |= {name: Total(count, float(totals[name])) for name, count in values.items()}
    return Figures(checksum.rows, checksum.rows, columns), checksum.text


def column_total(column: Column, series: pl.Series, day: Window) -> Total:
    """The total of some values of a column; `day` gives the midnight that instants count from."""
    total = _SERIES_TOTAL[column.type](series, day.start)
    return Total(len(series) - series.null_count(), total)


def rewritten_columns(
    dmo: Dmo, source: Figures, lake: Figures, left_out: Collection[str]
) -> list[str]:
    """The lake columns whose totals differ, but for those that the window was read without."""
    return [
        name
        for name, said in source.totals.items()
        if name in lake.totals
        and name not in left_out
        and not _agree(said, lake.totals[name], ROUNDING[dmo[name].type])
    ]


def _agree(one: Total, other: Total, rounding: float) -> bool:
    slack = rounding * max(abs(one.total), abs(other.total))
    no_number = isnan(one.total) and isnan(other.total)
    near = one.total == other.total or abs(one.total - other.total) <= slack
    return one.values == other.values and (near or no_number)


def _nothing(names: Sequence[str]) -> Figures:
    return Figures(0, 0, {name: Total(0, 0) for name in names})


def _sql_milliseconds(column: str, window: Window) -> str:
    """Whole milliseconds since midnight; the small part undoes what a double is too low by."""
    midnight = instant_literal(Window.of_day(window.day).start)
    return f"FLOOR(EXTRACT(EPOCH FROM ({column} - {midnight})) * 1000 + 0.0001)"


def _milliseconds(series: pl.Series, midnight: datetime) -> float:
    """As doubles: the milliseconds of some thousand far-off instants are more than 64 bits hold."""
    return float((series - midnight).dt.total_milliseconds().cast(pl.Float64).sum())


_SQL_VALUE: Mapping[str, Callable[[str, Window], str]] = {
    "text": lambda column, _: f"LENGTH(NULLIF({column}, '{UNSET}'))",
    "timestamp": _sql_milliseconds,
    "number": lambda column, _: column,
    "boolean": lambda column, _: f"CASE WHEN {column} THEN 1 ELSE 0 END",
}

_SERIES_TOTAL: Mapping[str, Callable[[pl.Series, datetime], Any]] = {
    "text": lambda series, _: series.filter(series != UNSET).str.len_chars().cast(pl.Int64).sum(),
    "timestamp": lambda series, midnight: _milliseconds(series, midnight),
    "number": lambda series, _: series.sum(),
    "boolean": lambda series, _: series.sum(),
}
