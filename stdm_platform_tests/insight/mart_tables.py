"""Marts written by hand: the columns and types of the contract, the rows of a test.

Belongs here: making `marts.duckdb` without dbt. A column that a row does not name is null, but for those that
every mart has. So a test that names a column that the contract has not fails.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import duckdb

from stdm_platform.marts import MartStore, mart_columns
from stdm_platform.marts.sketch import macros_sql
from stdm_platform_tests.marts.lakes import DAY, ORG

EVERYWHERE = {
    "org_id": ORG,
    "source_system": "agentforce",
    "session_date": DAY,
    "agent_name": "Desk",
    "is_preview": False,
}
Row = Mapping[str, Any]


def marts_with(folder: Path, **rows: Sequence[Row]) -> MartStore:
    """A store whose published marts hold these rows, and all others none."""
    columns: dict[str, dict[str, str]] = {}
    for column in mart_columns():
        columns.setdefault(column.mart, {})[column.column_name] = column.data_type
    assert set(rows) <= set(columns), set(rows) - set(columns)
    with duckdb.connect(str(folder / "marts.duckdb")) as connection:
        connection.execute("set timezone = 'UTC'")
        connection.execute(macros_sql("marts"))
        for mart, kinds in columns.items():
            typed = ", ".join(f'"{name}" {kind}' for name, kind in kinds.items())
            connection.execute(f"create table {mart} ({typed})")
            for row in rows.get(mart, ()):
                given = {name: value for name, value in EVERYWHERE.items() if name in kinds} | row
                names = ", ".join(f'"{name}"' for name in given)
                marks = ", ".join("?" for _ in given)
                connection.execute(
                    f"insert into {mart} ({names}) values ({marks})", list(given.values())
                )
    return MartStore(folder)


def sketch(*durations: int) -> dict[int, int]:
    """The sketch of durations in milliseconds, as the marts hold it."""
    with duckdb.connect() as connection:
        connection.execute(macros_sql("memory"))
        buckets = [
            connection.execute("select duration_bucket(?)", [each]).fetchall()[0][0]
            for each in durations
        ]
    return {bucket: buckets.count(bucket) for bucket in sorted(set(buckets))}


def session(key: str, day: date = DAY, **more: Any) -> Row:
    """A row of `session_summary`."""
    given = {"session_id": key, "session_date": day, "started_at": f"{day} 10:00:00+00",
             "completeness": "complete", "error_count": 0, "turn_count": 1}  # fmt: skip
    return {**given, **more}
