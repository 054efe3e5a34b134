"""One day of very many rows for a sandbox org, written as a DuckDB file by SQL alone.

Belongs here: copying a template of sessions, made by the org's own generator, until there are as many
records as asked for. Does not: the words of the steps (`volume_texts.py`), serving (`volume_org.py`).

Each copy of a session has keys of its own and starts when another session of the template does, so the
rhythm of the day stays and like rows stand far apart. Which columns hold keys is found in the catalog and
in the rows. Rows stand session after session, as an org lands them after their session's end.
"""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import duckdb

from stdm_platform.catalog import Column, Dmo, dmo
from stdm_platform.sandbox.generator import ORG_ID, build_org, create_tables
from stdm_platform_tests.benchmarks.volume_texts import create_texts, padded_steps
from stdm_platform_tests.session_objects import SESSION_DMOS

TEMPLATE_SESSIONS = 30_000
"""So many that copies of one text stand farther apart than any compression looks back."""

LEAST_STEP_SHARE = 0.61
"""Of all records; sessions with fewer steps to a turn are left out of the template until it is reached."""

LONGEST_SESSION = timedelta(minutes=30)
SLICE_RECORDS = 250_000
SENTINELS = "('NOT_SET', '')"
STEPS = dmo("steps")


def write_volume_rows(
    path: Path, *, day: date, records: int, seed: int = 1, memory: str = "2GB"
) -> dict[str, int]:
    """Write a file with `records` rows of one UTC day, or a session more; the rows of each DMO.

    No row lies outside the day. The same arguments give the same rows.
    """
    path.unlink(missing_ok=True)
    template = path.with_name(f"{path.name}.template")
    template.unlink(missing_ok=True)
    con = duckdb.connect(str(template), config={"memory_limit": memory})
    try:
        con.execute("SET GLOBAL TimeZone = 'UTC'")
        con.execute("SET enable_progress_bar = false")
        wanted = min(TEMPLATE_SESSIONS, max(60, records // 12))
        build_org(con, days=1, sessions_per_day=wanted, seed=seed, end=day)
        con.execute(f"ATTACH '{path}' AS volume")
        _choose_sessions(con, day)
        _plan_copies(con, records)
        create_texts(con, seed)
        con.execute("USE volume")
        create_tables(con, replace=True)
        con.execute(f"USE {_name_of(con)}")
        return _copy(con)
    finally:
        con.close()
        template.unlink(missing_ok=True)


def _name_of(con: duckdb.DuckDBPyConnection) -> str:
    named = "SELECT database_name FROM duckdb_databases() WHERE path LIKE '%.template'"
    return '"' + str(con.execute(named).fetchall()[0][0]) + '"'


def _choose_sessions(con: duckdb.DuckDBPyConnection, day: date) -> None:
    """Make `template`: the sessions to copy, with a number, start, length and count of records."""
    sessions, start = dmo("sessions"), f"TIMESTAMPTZ '{day}T00:00:00Z'"
    counts = "\nUNION ALL ".join(
        f"SELECT {_session_of(one)} AS session, {one.name == STEPS.name} AS is_step, "
        f"{_quoted(one[one.clock])} AS clock FROM {_table(one)}"
        for one in SESSION_DMOS
    )
    con.execute(f"""
        CREATE TEMP TABLE template AS
        WITH counted AS (
            SELECT session, count(*) AS records, count(*) FILTER (is_step) AS steps,
                min(clock) AS first, max(clock) AS last
            FROM ({counts}) GROUP BY session),
        fitting AS (
            SELECT c.* FROM counted c
            WHERE first >= {start} AND last < {start} + INTERVAL 1 DAY
              AND last - first < INTERVAL '{LONGEST_SESSION.total_seconds()} seconds'
              AND session IN (SELECT {_quoted(sessions[sessions.key])} FROM {_table(sessions)})),
        reached AS (
            SELECT *, sum(steps) OVER best / sum(records) OVER best AS share
            FROM fitting WINDOW best AS (ORDER BY steps / records DESC, session))
        SELECT session, records, first, last - first AS lasts,
            row_number() OVER (ORDER BY hash(session)) - 1 AS number
        FROM reached WHERE share >= {LEAST_STEP_SHARE}""")


def _plan_copies(con: duckdb.DuckDBPyConnection, records: int) -> None:
    """Make `copies`: which session starts when, in slices by time; as many as the records need."""
    count, each = con.execute("SELECT count(*), sum(records) FROM template").fetchall()[0]
    times = -(-records // each)
    con.execute(f"""
        CREATE TEMP TABLE copies AS
        WITH all_copies AS (
            SELECT t.session, t.records, c.copy, t.number, t.first, t.lasts,
                (t.number + c.copy * 7919 + (t.number * c.copy) % 31) % {count} AS place
            FROM template t, range({times}) c(copy)),
        counted AS (
            SELECT *, sum(records) OVER (ORDER BY copy, number) - records AS before FROM all_copies),
        placed AS (
            SELECT c.session, c.copy, c.records, c.first,
                least(s.first, date_trunc('day', s.first) + INTERVAL 1 DAY - c.lasts
                    - INTERVAL 1 MILLISECOND) AS starts
            FROM counted c JOIN template s ON s.number = c.place WHERE c.before < {records})
        SELECT session, copy, starts - first AS later,
            row_number() OVER by_time AS place,
            (sum(records) OVER by_time) // {SLICE_RECORDS} AS slice
        FROM placed WINDOW by_time AS (ORDER BY starts, session, copy)""")


def _copy(con: duckdb.DuckDBPyConnection) -> dict[str, int]:
    """Insert the rows of all copies, slice after slice, so that sorting stays in memory."""
    for one in SESSION_DMOS:
        con.execute(
            f"CREATE TEMP VIEW template_{one.name} AS "
            f"SELECT *, {_session_of(one)} AS copied_session FROM {_table(one)}"
        )
    inserts = {one.name: _insert(con, one) for one in SESSION_DMOS}
    rows = dict.fromkeys(inserts, 0)
    slices = con.execute("SELECT DISTINCT slice::BIGINT FROM copies ORDER BY ALL").fetchall()
    for (number,) in slices:
        con.execute(f"CREATE OR REPLACE TEMP TABLE now AS FROM copies WHERE slice = {number}")
        for name, sql in inserts.items():
            rows[name] += con.execute(sql).fetchall()[0][0]
    return rows


def _insert(con: duckdb.DuckDBPyConnection, one: Dmo) -> str:
    keys = {column.name for column in one.columns if _is_key(con, one, column)}
    columns, values = [], []
    for column in one.columns:
        name = _quoted(column)
        columns.append(name)
        if column.type == "timestamp":
            values.append(f"{name} + later AS {name}")
        elif column.name in keys:
            values.append(f"{_copied(name)} AS {name}")
        else:
            values.append(name)
    source = (
        f"SELECT {', '.join(values)}, place FROM template_{one.name} "
        "JOIN now ON session = copied_session"
    )
    if one.name == STEPS.name:
        source = padded_steps(source)
    order = f"ORDER BY place, {_quoted(one[one.clock])}"
    return f"INSERT INTO volume.{_table(one)} SELECT {', '.join(columns)} FROM ({source}) {order}"


def _is_key(con: duckdb.DuckDBPyConnection, one: Dmo, column: Column) -> bool:
    """Whether a column identifies: its values differ from copy to copy of a session."""
    if column.name == one.key or column.references is not None:
        return True
    if column.type != "text" or column.vocabulary or column.sensitivity != "none":
        return False
    name = _quoted(column)
    found = (
        f"SELECT count({name}), count(DISTINCT {name}) FROM {_table(one)} "
        f"WHERE {name} NOT IN {SENTINELS} AND {name} <> '{ORG_ID}'"
    )
    held, different = con.execute(found).fetchall()[0]
    return bool(held) and different / held > 0.9


def _copied(name: str) -> str:
    """A key of a copy: as long as the template's, the same wherever the template's is the same."""
    made = f"md5(concat({name}, copy))"
    return (
        f"CASE WHEN copy = 0 OR {name} IN {SENTINELS} THEN {name} "
        f"WHEN length({name}) = 36 THEN CAST(CAST({made} AS UUID) AS VARCHAR) "
        f"ELSE concat({name}[:-17], {made}[:least(16, length({name}))]) END"
    )


def _session_of(one: Dmo) -> str:
    """SQL for the session of a row of a DMO, through its parents if it does not name it."""
    if one.name == "sessions":
        return _quoted(one[one.key])
    if "session_id" in one.column_names:
        return _quoted(one["session_id"])
    if one.parent is None or one[one.parent].references is None:
        raise ValueError(f"catalog entry {one.name}: no way to the session")
    parent = dmo(one[one.parent].references or "")
    own, theirs = _quoted(one[one.parent]), _quoted(parent[parent.key])
    return f"(SELECT any_value({_session_of(parent)}) FROM {_table(parent)} p WHERE p.{theirs} = {_table(one)}.{own})"


def _table(one: Dmo) -> str:
    return f'"{one.objects[0]}"'


def _quoted(column: Column) -> str:
    return f'"{column.source}"'
