"""What a figure of the report is: words, a chart, tables, and the SQL that gives the same.

Belongs here: how values are written on a page, charts as data for the script. Does not: questions
(the modules of the sections), drawing (`assets/report.js`).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from typing import Any

import polars as pl

from stdm_platform.harmless import cut, harmless
from stdm_platform.marts import mart_columns

LONGEST_TABLE = 100
"""Rows of a table on the page; the note beside it says how many there are, and the SQL gives all."""

LONGEST_CELL = 200
LONGEST_NAME = 60
UNKNOWN = "\u2013"
OTHER_NAMES = "(all others)"
SHARES = ("share", "share_of_from")

Chart = dict[str, Any]


@dataclass(frozen=True)
class Cell:
    """One value: as it is shown, and as a table is sorted by it (empty when it is not known)."""

    shown: str
    raw: str


@dataclass(frozen=True)
class Heading:
    """One column: its name in the mart or of the command, its meaning, whether it holds numbers."""

    name: str
    meaning: str
    is_number: bool

    @property
    def label(self) -> str:
        """The name as people read it, which breaks at its spaces."""
        return self.name.replace("_", " ")


@dataclass(frozen=True)
class Table:
    """A table of at most `LONGEST_TABLE` rows of `total`; `is_long` ones are folded at first."""

    caption: str
    headings: tuple[Heading, ...]
    rows: tuple[tuple[Cell, ...], ...]
    total: int
    is_long: bool = False


@dataclass(frozen=True)
class Drawn:
    """What a question gave: tables, a chart of the same numbers, the SQL of each table or the command that gives them."""

    tables: tuple[Table, ...]
    chart: Chart | None = None
    sql: tuple[str, ...] = ()
    command: str = ""
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Figure:
    """One figure: what it means, of what it is a share, how old its data is, and what was drawn.

    `why_not` says why there is nothing; then nothing is drawn, as a zero would be a lie.
    """

    key: str
    title: str
    definition: str
    denominator: str
    age: str
    drawn: Drawn | None
    why_not: str = ""


@dataclass(frozen=True)
class Section:
    """Figures under one heading."""

    key: str
    title: str
    figures: tuple[Figure, ...]


def table_of(
    frame: pl.DataFrame,
    caption: str,
    *,
    mart: str | None = None,
    said: Mapping[str, str] | None = None,
    is_long: bool | None = None,
) -> Table:
    """The frame's first rows as a table; meanings of columns from `said`, else from the mart's docs.

    Long tables are folded: of more than 15 rows, unless `is_long` says so or not.
    """
    meanings = {**(meanings_of(mart) if mart else {}), **(said or {})}
    headings = tuple(
        Heading(name, meanings.get(name, ""), kind.is_numeric())
        for name, kind in frame.schema.items()
    )
    rows = tuple(
        tuple(cell_of(name, value) for name, value in zip(frame.columns, row, strict=True))
        for row in frame.head(LONGEST_TABLE).iter_rows()
    )
    return Table(
        caption, headings, rows, frame.height, frame.height > 15 if is_long is None else is_long
    )


def cell_of(name: str, value: Any) -> Cell:
    """A value as it is written; the column's name tells shares, milliseconds and dollars.

    >>> cell_of("error_share", 0.125), cell_of("calls", 12345)
    (Cell(shown='12.5%', raw='0.125'), Cell(shown='12,345', raw='12345'))
    """
    if value is None or (isinstance(value, float) and not math.isfinite(value)):
        return Cell(UNKNOWN, "")
    if isinstance(value, bool):
        return Cell("yes" if value else "no", str(int(value)))
    if isinstance(value, datetime):
        return Cell(f"{value:%Y-%m-%d %H:%M} UTC", value.isoformat())
    if isinstance(value, date):
        return Cell(value.isoformat(), value.isoformat())
    if isinstance(value, int | float):
        return Cell(_number(name, value), repr(value))
    text = cut(harmless(str(value)), LONGEST_CELL)
    return Cell(text, text)


def _number(name: str, value: float) -> str:
    if name in SHARES or name.endswith("_share"):
        return f"{value:.1%}"
    if name.endswith("_usd"):
        return f"${value:,.2f}" if abs(value) >= 1 or value == 0 else f"${value:.4f}"
    if isinstance(value, int):
        return f"{value:,}"
    if name.endswith("_ms"):
        return f"{value:,.1f}"
    return f"{value:,.2f}".rstrip("0").rstrip(".")


@cache
def meanings_of(mart: str) -> dict[str, str]:
    """What the dbt docs say of the columns of a mart, by their names."""
    return {each.column_name: each.description for each in mart_columns() if each.mart == mart}


def by_day(
    kind: str, days: Sequence[date], frame: pl.DataFrame, columns: Mapping[str, str], *, unit: str,
    colours: Mapping[str, str] | None = None, title: str = "",
) -> Chart:  # fmt: skip
    """A chart over days of a frame with one row per `session_date`; `columns` are its series with labels.

    A day without a row, and a null, is a gap. `kind` is `lines` or `stack`, `unit` is `count`, `share`,
    `ms` or `usd`. `colours` names the colour of a series where it means something.
    """
    rows = {row["session_date"]: row for row in frame.iter_rows(named=True)}
    return {
        "kind": kind,
        "title": title,
        "unit": unit,
        "x": [day.isoformat() for day in days],
        "series": [
            {
                "name": harmless(label),
                "colour": (colours or {}).get(name),
                "values": [rows[day][name] if day in rows else None for day in days],
            }
            for name, label in columns.items()
        ],
    }


def pivoted(frame: pl.DataFrame, names: str, values: str) -> pl.DataFrame:
    """Rows of `session_date` and a name as one row per day with a column per name; absent is 0.

    Only for counts of rows that were looked at: on a day with any, what is absent was not there.
    """
    if frame.is_empty():
        return frame.select("session_date")
    wide = frame.pivot(on=names, index="session_date", values=values, sort_columns=True)
    return wide.with_columns(pl.exclude("session_date").fill_null(0)).sort("session_date")


def shortened(names: Iterable[str | None]) -> list[str]:
    """Names for a chart: harmless, and not longer than there is room."""
    return [cut_name("(unknown)" if name is None else name) for name in names]


def cut_name(name: str) -> str:
    """One name for a chart."""
    shown = harmless(name)
    return shown if len(shown) <= LONGEST_NAME else f"{shown[: LONGEST_NAME - 1]}…"
