"""The rows of one session as they were served, found by its key alone.

Belongs here: finding the day of a session, its rows in the days of the lake or among whole sessions.
Does not: what the rows mean (`session_record.py`), figures over many sessions (`summaries.py`).

A key says nothing certain of its day. A UUID of the seventh kind says when it was made, and that day is
looked at first; then the published marts are asked, which know the day of every session they hold; then all
days of the lake. So the usual question costs the same whatever the history.
Source: RFC 9562, section 5.7 (the first 48 bits are milliseconds since 1970).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import duckdb
import polars as pl

from stdm_platform.catalog import dmo
from stdm_platform.catalog.ids import all_spellings, spellings
from stdm_platform.errors import NotExtractedError
from stdm_platform.insight.scope import session_key
from stdm_platform.lake import Lake, Snapshot, Tree
from stdm_platform.marts import CHILD_HORIZON, MartStore

NAMES = ("sessions", "participants", "interactions", "messages", "steps", "moments")
ONE_DAY = timedelta(days=1)
INSTANT = pl.Datetime("us", "UTC")
READINGS = pl.Schema({"_window_start": INSTANT, "_read_at": INSTANT})


@dataclass(frozen=True)
class SessionRows:
    """What is held of one session.

    `frames` have the catalog's columns, one row per key, in the order of their clock; one for each of
    `NAMES`. `read_at` (UTC) is the newest reading of them. `is_whole` says that they were read by
    `stdm extract-tree` and know no horizon; days reach `CHILD_HORIZON` days after the session's own.
    `missing` are the objects that were never extracted there, `unasked` the lake columns
    (`steps.input_value_text`) that the org lacks or was not asked for.
    """

    session_id: str
    org_id: str
    read_at: datetime
    is_whole: bool
    frames: Mapping[str, pl.DataFrame]
    missing: tuple[str, ...]
    unasked: frozenset[str]


def session_rows(
    lake: Lake, store: MartStore, session_id: str, names: Sequence[str] = NAMES
) -> SessionRows:
    """The rows of a session, from its day and those after it, or from a newer reading of it as a whole.

    Raises:
        ArgumentError: the key is empty.
        NotExtractedError: no held day has the session, and it was not read as a whole either.
    """
    wanted = session_key(session_id)
    of_days, tree = _in_days(lake, store, wanted, names), lake.tree(wanted)
    if tree is not None and (of_days is None or tree.read_at > of_days.read_at):
        return _in_tree(tree, names)
    if of_days is None:
        raise NotExtractedError(
            f"No held day has the session {wanted[:80]}.",
            action=f"Look at the key, extract the day on which it started, or read it alone: "
            f"stdm extract-tree --session-id {wanted[:80]}",
        )
    return of_days


def _in_tree(tree: Tree, names: Sequence[str]) -> SessionRows:
    unasked = {
        f"{name}.{column}"
        for name, said in tree.evidence.items()
        if name in names
        for column in _lake_columns(name, said.absent_columns)
    }
    once = pl.DataFrame(schema=READINGS)  # read at one time
    frames = {name: _once_each(name, tree.scan(name).collect(), once) for name in names}
    missing = tuple(name for name in names if name not in tree.evidence)
    return SessionRows(
        tree.session_id, tree.org_id, tree.read_at, True, frames, missing, frozenset(unasked)
    )


def _in_days(
    lake: Lake, store: MartStore, session_id: str, names: Sequence[str]
) -> SessionRows | None:
    for tried in days_to_try(lake, store, session_id):
        day: date | None = tried
        while day is not None:
            reach = [day + later * ONE_DAY for later in range(CHILD_HORIZON + 1)]
            with lake.temporary_snapshot(names, reach) as snapshot:
                newest = _day_of_newest(snapshot, session_id, day)
                if newest == day:
                    return _of_snapshot(snapshot, session_id, names, reach)
            day = newest
    return None


def days_to_try(lake: Lake, store: MartStore, session_id: str) -> Iterator[date]:
    """The held days on which the session may have started, the likeliest first, each once."""
    held = lake.days("sessions")
    tried: set[date] = set()
    for source in (_days_by_key(session_id), _days_by_marts(store, session_id), reversed(held)):
        for day in source:
            if day in held and day not in tried:
                tried.add(day)
                yield day


def _days_by_key(session_id: str) -> Iterator[date]:
    """The day on which the key was made, then its neighbours."""
    try:
        key = UUID(session_id)
        made = datetime.fromtimestamp((key.int >> 80) / 1000, UTC).date()
    except (ValueError, OverflowError, OSError):
        return
    if key.version == 7 and date.min < made < date.max:
        yield from (made, made + ONE_DAY, made - ONE_DAY)


def _days_by_marts(store: MartStore, session_id: str) -> Iterator[date]:
    try:
        connection = store.connect()
    except (NotExtractedError, duckdb.Error):
        return
    with connection:
        try:
            found = connection.execute(
                "select session_date from session_summary where session_id = ?", [session_id]
            ).fetchall()
        except duckdb.Error:  # views of a directory that has moved: the days themselves are asked
            return
    yield from (row[0] for row in found)


def _day_of_newest(snapshot: Snapshot, session_id: str, day: date) -> date | None:
    """The day of the newest reading of a session that the day holds: a rewritten clock may have moved it on."""
    of_session = pl.col("session_id").is_in(list(spellings(session_id)))
    found = snapshot.scan("sessions").filter(of_session).select("session_id", "started_at", "date")
    copies = found.collect()
    if copies.filter(date=day).is_empty():
        return None
    moved: date = _once_each("sessions", copies, _readings(snapshot, "sessions"))["date"][0]
    return moved


def _of_snapshot(
    snapshot: Snapshot, session_id: str, names: Sequence[str], reach: Sequence[date]
) -> SessionRows:
    ids = list(spellings(session_id))
    of_session = pl.col("session_id").is_in(ids)
    turns = snapshot.scan("interactions").filter(of_session).collect()
    of_turns = pl.col("interaction_id").is_in(all_spellings(turns["interaction_id"].to_list()))
    terms = {"messages": of_session | of_turns, "steps": of_turns}
    scans = [snapshot.scan(name).filter(terms.get(name, of_session)) for name in names]
    frames = {
        name: _once_each(name, frame.drop("date"), _readings(snapshot, name))
        for name, frame in zip(names, pl.collect_all(scans), strict=True)
    }
    said = {name: [snapshot.evidence(file) for file in snapshot.of(name)] for name in names}
    unasked = {
        f"{name}.{column}"
        for name, evidence in said.items()
        for each in evidence
        for column in _lake_columns(name, each.absent_columns)
    }
    held = {name: {each.window.day for each in evidence} for name, evidence in said.items()}
    return SessionRows(
        session_id=frames["sessions"]["session_id"][0] if "sessions" in frames else session_id,
        org_id=next(each.org_id for evidence in said.values() for each in evidence),
        read_at=max(each.read_at for evidence in said.values() for each in evidence),
        is_whole=False,
        frames=frames,
        missing=tuple(name for name in names if reach[0] not in held[name]),
        unasked=frozenset(unasked),
    )


def _readings(snapshot: Snapshot, name: str) -> pl.DataFrame:
    """When each window was read, by the start of the window."""
    said = [snapshot.evidence(file) for file in snapshot.of(name)]
    return pl.DataFrame(
        [(each.window.start, each.read_at) for each in said], schema=READINGS, orient="row"
    ).sort("_window_start")


def _once_each(name: str, frame: pl.DataFrame, readings: pl.DataFrame) -> pl.DataFrame:
    """One row per key, of the newest reading: a rewritten clock can show a row twice until all is read again.

    Windows do not overlap, so the clock of a row says in which it was read.
    """
    entry = dmo(name)
    once = frame.sort(entry.clock).with_columns(pl.col(entry.clock).cast(INSTANT).alias("_clock"))
    read = once.join_asof(readings, left_on="_clock", right_on="_window_start")
    newest = read.sort("_read_at", "_clock").unique(entry.key, keep="last", maintain_order=True)
    return newest.sort("_clock", maintain_order=True).select(frame.columns)


def _lake_columns(name: str, sources: Sequence[str]) -> Iterator[str]:
    lowered = {each.lower() for each in sources}
    for column in dmo(name).columns:
        if lowered & {each.lower() for each in column.candidates}:
            yield column.name
