"""Everything dbt needs before it starts: touched days, one state of the lake, control tables.

Belongs here: what stands in the warehouse and the snapshot before a build. Does not: running dbt
(`dbt_command.py`), publishing (`publication.py`).

The warehouse is made anew for each build and holds its touched days only: untouched days are hard
links from generation to generation. So a lost, damaged or outdated warehouse cannot lose a day, it
never grows, and a build costs the same whatever the history.
"""

from __future__ import annotations

import fcntl
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import duckdb

from stdm_platform.catalog import dmo
from stdm_platform.errors import MartError
from stdm_platform.lake import Lake, Snapshot, files, late_days
from stdm_platform.marts.control import make_control_tables
from stdm_platform.marts.digests import (
    CATALOGUES,
    CHILD_HORIZON,
    CHILDREN,
    OF_DAY_BEFORE,
    ONE_DAY,
    SESSIONS,
    WRITTEN_LATE,
    mart_names,
    models_digest,
    snapshot_digests,
)
from stdm_platform.marts.engine import connect_to_warehouse, spill_folder
from stdm_platform.marts.store import Generation, MartDay, MartStore
from stdm_platform.settings import Settings


@dataclass(frozen=True)
class Inputs:
    """What a build is made from: its session days and the digest of each."""

    days: tuple[date, ...]
    digests: dict[date, str]
    models: str
    marts: tuple[str, ...]


def prepare(lake: Lake, store: MartStore, days: Iterable[date], settings: Settings) -> Inputs:
    """Take the snapshot and make the warehouse; the caller holds the lock.

    Raises:
        MartError: no day is given, or the lake holds nothing of them.
    """
    wanted = sorted(set(days).intersection(lake.days(SESSIONS)))
    org_id = lake.org_id()
    if not wanted or org_id is None:
        raise MartError(
            "The lake holds no sessions of the days to build.", action="Extract them first."
        )
    touched = _with_other_copies(lake, store, wanted)
    names = [SESSIONS, *CHILDREN, *CATALOGUES]
    snapshot = lake.snapshot(names, _lake_days(touched), store.snapshot_dir)
    digests = snapshot_digests(snapshot)
    inputs = Inputs(
        tuple(touched),
        {day: digests.of(day) for day in touched},
        models_digest(),
        tuple(mart_names()),
    )
    windows = _control_windows(snapshot, touched)
    _remove_warehouse(store)
    with connect_to_warehouse(store, settings) as warehouse:
        make_control_tables(warehouse, touched, org_id, windows, _late_days(snapshot, touched))
        warehouse.execute(_published_sessions(store.current(), touched))
    return inputs


def _lake_days(touched: Sequence[date]) -> list[date]:
    """The day before too: rows are held against the parents that may lie there."""
    reach = range(-CHILD_HORIZON, CHILD_HORIZON + 1)
    return sorted({day + step * ONE_DAY for day in touched for step in reach})


def _with_other_copies(lake: Lake, store: MartStore, days: Sequence[date]) -> list[date]:
    """The days, and every other day that holds a copy of a session key of theirs.

    A rewritten clock shows a key under two days until both are read again. The newest reading
    wins only where all copies are seen, so the days of one key are built together; keys that the
    marts hold count too, because the copy that won there may be gone.
    """
    held = lake.days(SESSIONS)
    touched = set(days)
    if touched.issuperset(held):
        return sorted(touched)
    with lake.snapshot([SESSIONS], None, store.data_dir / "snapshots" / "keys") as snapshot:
        paths = {file.day: str(file.path.parent / "*.parquet") for file in snapshot.of(SESSIONS)}
        added = set(days)
        while added:
            added = _days_sharing_keys(paths, store.current(), touched, added) - touched
            touched |= added
    return sorted(touched)


def _days_sharing_keys(
    paths: dict[date, str], current: Generation | None, touched: set[date], added: set[date]
) -> set[date]:
    others = [path for day, path in paths.items() if day not in touched]
    known = [path for day, path in paths.items() if day in added]
    known += [str(file.path) for file in _summaries(current) if file.day in added]
    if not others or not known:
        return set()
    with duckdb.connect() as connection:
        rows = connection.execute(
            """
            select distinct cast(parse_path(filename)[-2][6:] as date)
            from read_parquet(?, filename = true)
            where session_id in (select session_id from read_parquet(?, union_by_name = true))
            """,
            [others, known],
        ).fetchall()
    return {row[0] for row in rows}


def _summaries(current: Generation | None) -> list[MartDay]:
    return [] if current is None else current.files("session_summary")


def _control_windows(snapshot: Snapshot, touched: Sequence[date]) -> list[tuple[object, ...]]:
    """One row per window file that stays; days before every session go, except of parents.

    Catalogues stay, whatever day they were read.
    """
    child_days = {day + step * ONE_DAY for day in touched for step in range(CHILD_HORIZON + 1)}
    late = {(name, day) for name, _, day in _late_days(snapshot, touched)}
    rows: list[tuple[object, ...]] = []
    for file in snapshot.files:
        is_needed = file.day in child_days or (file.dmo, file.day) in late
        if file.dmo not in (*OF_DAY_BEFORE, *CATALOGUES) and not is_needed:
            files.remove_tree(file.path.parent)
            continue
        said = snapshot.evidence(file)
        missing = _lake_names(file.dmo, said.absent_columns)
        window = said.window
        rows.append(
            (
                file.dmo,
                file.day,
                window.start,
                window.end,
                said.settled,
                said.read_at,
                file.path.name,
                missing,
            )
        )
    return rows


def _late_days(snapshot: Snapshot, touched: Sequence[date]) -> list[tuple[str, date, date]]:
    """DMO, session day and lake day of what is written after the horizon, as the digests count it."""
    held = {name: {file.day for file in snapshot.of(name)} for name in WRITTEN_LATE}
    return [
        (name, day, late)
        for name, within in WRITTEN_LATE.items()
        for day in touched
        for late in late_days(held[name], day, within)
    ]


def _lake_names(name: str, sources: Iterable[str]) -> list[str]:
    """The lake columns of these source names, in whichever family and case they are written."""
    known = {
        candidate.lower(): column.name
        for column in dmo(name).columns
        for candidate in column.candidates
    }
    return [known.get(source.lower(), source) for source in sources]


def _published_sessions(current: Generation | None, touched: Sequence[date]) -> str:
    """SQL of the keys that people read already, of days that this build leaves alone."""
    pick = "select session_id, session_date from"
    files_kept = [file for file in _summaries(current) if file.day not in touched]
    if current is None or not files_kept:
        return f"create view control.published_sessions as {pick} (values ('', date '1970-01-01')) as none (session_id, session_date) where false"
    pattern = sql_text(current.path / "session_summary" / "*" / "*.parquet")
    days = ", ".join(f"date '{day}'" for day in touched)
    return (
        f"create view control.published_sessions as {pick} read_parquet({pattern}, "
        f"hive_partitioning = true, hive_types = {{'session_date': date}}) "
        f"where session_date not in ({days})"
    )


def sql_text(value: Path | str) -> str:
    """A text literal."""
    return "'" + str(value).replace("'", "''") + "'"


def _remove_warehouse(store: MartStore) -> None:
    """Remove the last build's working file.

    An orphaned dbt of a killed run may still be writing it, outside our lock: DuckDB's own lock
    on the file tells, and is waited for, because its write-ahead log has the new file's name.
    """
    path = store.warehouse_path
    if path.exists():
        with path.open("rb+") as file:
            fcntl.lockf(file, fcntl.LOCK_EX)
            path.unlink(missing_ok=True)
    path.with_name(path.name + ".wal").unlink(missing_ok=True)
    files.remove_tree(spill_folder(store))  # a killed build leaves gigabytes
