"""What the models are told besides the lake: control tables and functions in the warehouse.

Belongs here: their form, filling them. Does not: what stands in them (`preparation.py`).
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import date, datetime

import duckdb

from stdm_platform.marts.sketch import macros_sql

SOURCE_SYSTEM = "agentforce"

CONTROL_TABLES = """
create schema control;
create table control.touched_days (day date not null);
create table control.org (org_id varchar not null, source_system varchar not null);
create table control.late_days (dmo varchar not null, session_day date not null, lake_day date not null);
create table control.lake_windows (
    dmo varchar not null, day date not null, window_start timestamptz not null,
    window_end timestamptz not null, settled boolean not null, read_at timestamptz not null,
    file_name varchar not null, missing_columns varchar[] not null
);
"""


def make_control_tables(
    warehouse: duckdb.DuckDBPyConnection,
    touched: Sequence[date],
    org_id: str,
    windows: list[tuple[object, ...]],
    late: Sequence[tuple[str, date, date]] = (),
) -> None:
    """Make schema `control` in an empty warehouse, and the functions of sketches in `main`.

    `windows` are rows of `control.lake_windows`, `late` of `control.late_days`.
    """
    warehouse.execute(CONTROL_TABLES)
    warehouse.execute(macros_sql("main"))
    warehouse.executemany(
        "insert into control.touched_days values (?)", [(day,) for day in touched]
    )
    warehouse.execute("insert into control.org values (?, ?)", [org_id, SOURCE_SYSTEM])
    if late:
        warehouse.executemany("insert into control.late_days values (?, ?, ?)", late)
    _fill_windows(warehouse, windows)


def _fill_windows(warehouse: duckdb.DuckDBPyConnection, rows: list[tuple[object, ...]]) -> None:
    """One statement: row by row, a build of a year would spend seconds here."""
    keys = (
        "dmo",
        "day",
        "window_start",
        "window_end",
        "settled",
        "read_at",
        "file_name",
        "missing_columns",
    )
    text = json.dumps([dict(zip(keys, row, strict=True)) for row in rows], default=_json_text)
    warehouse.execute(
        """
        insert into control.lake_windows
        select unnest(from_json(?::json, '[{"dmo":"VARCHAR","day":"DATE","window_start":"TIMESTAMPTZ",
            "window_end":"TIMESTAMPTZ","settled":"BOOLEAN","read_at":"TIMESTAMPTZ","file_name":"VARCHAR",
            "missing_columns":["VARCHAR"]}]'), recursive := true)
        """,
        [text],
    )


def _json_text(value: object) -> str:
    if isinstance(value, date | datetime):
        return value.isoformat()
    raise TypeError(type(value))
