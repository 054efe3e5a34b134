"""How results are shown: tables for people, JSON, CSV and Parquet for programs.

Belongs here: everything that writes to stdout or stderr. Does not: deciding what is shown.

Data goes to stdout and nothing else does; messages and progress go to stderr. JSON is one array of
objects, numbers are numbers, instants end in `Z`. No value passes through terminal markup.
"""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Iterable
from enum import StrEnum
from typing import BinaryIO

import polars as pl
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from stdm_platform.errors import ArgumentError
from stdm_platform.harmless import harmless_json, harmless_lines

INSTANT = "%Y-%m-%dT%H:%M:%S%.3fZ"
PIPE_WIDTH = 10_000
"""Columns of a table that nobody looks at in a terminal: nothing is wrapped in a pipe."""
ANSI = {"bold": 1, "dim": 2, "red": 31, "green": 32, "yellow": 33, "magenta": 35, "cyan": 36}
"""Styles of lines by their codes (ECMA-48, select graphic rendition)."""
LARGEST = 2**63 - 1
LEAST_TEXT_WIDTH = 14
"""Characters that a text column keeps before numbers may narrow it."""


class Format(StrEnum):
    """The formats of reading commands."""

    table = "table"
    json = "json"
    csv = "csv"
    parquet = "parquet"


def say(message: str) -> None:
    """A message for the person, on stderr."""
    print(harmless_lines(message), file=sys.stderr, flush=True)


def errors_console() -> Console:
    """The console on stderr: progress bars and notes."""
    return Console(stderr=True, highlight=False, emoji=False)


def show(frame: pl.DataFrame, form: Format, *, title: str | None = None) -> None:
    """Write the frame to stdout in the form asked for."""
    if form is Format.table:
        show_table(frame, title=title)
    elif form is Format.json:
        text = _portable(frame).write_json()
        sys.stdout.write(harmless_json(text) if sys.stdout.isatty() else text)
        sys.stdout.write("\n")
    elif form is Format.csv:
        text = _portable(frame).write_csv()
        sys.stdout.write(harmless_lines(text) if sys.stdout.isatty() else text)
    else:
        stdout, whole = _binary_stdout(), io.BytesIO()
        frame.write_parquet(whole)  # to the pipe itself Polars would panic when its reader goes
        stdout.write(whole.getbuffer())
    sys.stdout.flush()


def show_table(frame: pl.DataFrame, *, title: str | None = None) -> None:
    """A table for people; numbers to the right, nulls as a dash, nothing wrapped in a pipe.

    In a terminal headings break at their underscores and long values are folded, never cut.
    """
    seen = sys.stdout.isatty()
    least_width = 0
    table = Table(
        title=title,
        title_justify="left",
        title_style="bold",
        header_style="bold",
        box=SIMPLE_HEAD,
        pad_edge=False,
        padding=(0, 1, 0, 0),
    )
    rows = [[_cell(value) for value in row] for row in _portable(frame).iter_rows()]
    for place, (name, kind) in enumerate(frame.schema.items()):
        heading = escape(name.replace("_", " ") if seen else name)
        word = max(len(word) for word in heading.split(" "))
        value = max((len(row[place]) for row in rows), default=0)
        if kind.is_numeric():  # as narrow as its values and its longest word
            width = max(word, value) if seen else None
            least_width += 2 + max(word, value)
            table.add_column(heading, justify="right", no_wrap=not seen, max_width=width)
        else:
            least = max(word, min(value, LEAST_TEXT_WIDTH))
            least_width += 2 + least
            table.add_column(heading, overflow="fold", no_wrap=not seen, min_width=least)
    for row in rows:
        table.add_row(*row)
    console = Console(width=None if seen else PIPE_WIDTH, highlight=False, emoji=False)
    if seen:  # what does not fit goes on in the next line of the terminal, whole
        console.width = max(console.width, least_width)
    console.print(table)


def terminal_width() -> int:
    """Columns of the terminal; far more in a pipe, where nothing is wrapped."""
    return Console().width if sys.stdout.isatty() else PIPE_WIDTH


def show_lines(lines: Iterable[tuple[str, str]]) -> None:
    """Lines with their styles, in colour where a terminal shows colours. Their text is harmless already."""
    console = Console()
    coloured = sys.stdout.isatty() and console.color_system is not None and not console.no_color
    for text, style in lines:
        code = ANSI.get(style) if coloured else None
        sys.stdout.write(f"\x1b[{code}m{text}\x1b[0m\n" if code and text else f"{text}\n")
    sys.stdout.flush()


def show_text(text: str) -> None:
    """Plain text for people, as it is."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def _cell(value: object) -> str:
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:,.3f}".rstrip("0").rstrip(".")
    if isinstance(value, int):
        return f"{value:,}"
    return escape(harmless_lines(str(value)))


def _portable(frame: pl.DataFrame) -> pl.DataFrame:
    """Instants as UTC text, dates as ISO text, decimals as numbers, nested values as JSON text."""
    columns = []
    for name, kind in frame.schema.items():
        column = pl.col(name)
        if isinstance(kind, pl.Datetime):
            if kind.time_zone not in (None, "UTC"):
                column = column.dt.convert_time_zone("UTC")
            columns.append(column.dt.strftime(INSTANT))
        elif kind == pl.Date:
            columns.append(column.dt.strftime("%Y-%m-%d"))
        elif isinstance(kind, pl.Decimal):
            columns.append(_as_number(frame[name], is_whole=kind.scale == 0))
        elif kind.is_nested() or kind in (pl.Binary, pl.Object, pl.Duration, pl.Time):
            columns.append(_as_text(frame[name]))
        else:
            columns.append(column)
    return frame.select(columns)


def _as_number(series: pl.Series, *, is_whole: bool) -> pl.Expr:
    """A decimal as a number; whole ones that no 64 bits hold, as text."""
    if is_whole and any(abs(each) > LARGEST for each in series.drop_nulls().to_list()):
        return _as_text(series)
    return pl.lit(series).cast(pl.Int64 if is_whole else pl.Float64)


def _as_text(series: pl.Series) -> pl.Expr:
    texts = [None if value is None else _text_of(value) for value in series.to_list()]
    return pl.lit(pl.Series(series.name, texts, dtype=pl.String))


def _text_of(value: object) -> str:
    return (
        json.dumps(value, default=str, ensure_ascii=False)
        if isinstance(value, dict | list)
        else str(value)
    )


def _binary_stdout() -> BinaryIO:
    if sys.stdout.isatty():
        raise ArgumentError(
            "Parquet cannot be shown in a terminal.",
            action="Redirect it: … --format parquet > out.parquet",
        )
    return sys.stdout.buffer
