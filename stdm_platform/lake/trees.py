"""The overlay: everything of single sessions, beside the windows of days.

Belongs here: finding, reading, placing and removing trees. Does not: writing one
(`tree_staging.py`), asking an org (`extraction`).

    trees/r<number>_<read at>_<hash>/<name>.parquet
                                     quarantine/<name>.parquet   rows that cannot be trusted

One folder is one reading of one or more sessions, across all days and DMOs; it appears by one
rename and never changes. A session's tree is in the newest reading that holds the session. Nothing
here has a part in windows, plans, counts or marts.
"""

from __future__ import annotations

import logging
import re
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

import polars as pl

from stdm_platform.catalog import Dmo, dmo
from stdm_platform.catalog.ids import all_spellings, canonical, is_id, spellings
from stdm_platform.catalog.routes import ROOT, Route, routes_from_sessions
from stdm_platform.errors import DamagedFileError, OtherCatalogError
from stdm_platform.lake import files
from stdm_platform.lake.older import other_types
from stdm_platform.lake.row_file import file_schema
from stdm_platform.lake.tree_evidence import TreeEvidence
from stdm_platform.lake.tree_staging import ASIDE, StagedTree

logger = logging.getLogger(__name__)

NAME = re.compile(r"r(\d{6,})_\d{8}T\d{9}Z_[0-9a-f]{8}", re.ASCII)
KEEP_SUPERSEDED = timedelta(hours=24)
"""Time that whoever has begun to read a tree may still need its files."""


@dataclass(frozen=True)
class TreeReading:
    """One folder of the overlay."""

    folder: Path
    number: int

    @property
    def aside(self) -> Path:
        """The folder with the rows kept aside, as served; there is none where all can be trusted."""
        return self.folder / ASIDE

    def index(self) -> TreeEvidence:
        """What all files of the reading say alike, from one of them; raises as `evidence`."""
        first = min(self.folder.glob("*.parquet"), default=None)
        if first is None:
            raise DamagedFileError(f"{self.folder} holds no file.")
        return TreeEvidence.of_path(first)

    def evidence(self) -> dict[str, TreeEvidence]:
        """The footers of all files, by DMO.

        Raises:
            OSError: a file cannot be opened; the reading may have been removed meanwhile.
            DamagedFileError: a file is missing or damaged.
        """
        tables = self.index().tables
        try:
            return {name: TreeEvidence.of_path(self.path_of(name)) for name in tables}
        except FileNotFoundError as error:
            raise DamagedFileError(f"{self.folder} lacks a file: {error.filename}.") from error

    def path_of(self, name: str) -> Path:
        """The file of a DMO."""
        return self.folder / f"{name}.parquet"


@dataclass(frozen=True)
class Tree:
    """Everything of one session, as one reading found it.

    `evidence` has one entry per file. A DMO without one was not read: the org lacks it (`absent`),
    or the catalog knew it not yet.
    """

    session_id: str
    reading: TreeReading
    evidence: Mapping[str, TreeEvidence]
    _known: dict[tuple[str, str], list[str]] = field(
        default_factory=dict, repr=False, compare=False
    )

    @property
    def read_at(self) -> datetime:
        """When it was read, UTC."""
        return next(iter(self.evidence.values())).read_at

    @property
    def org_id(self) -> str:
        """The org that it was read from."""
        return next(iter(self.evidence.values())).org_id

    @property
    def absent(self) -> tuple[str, ...]:
        """The DMOs that the org lacks."""
        return next(iter(self.evidence.values())).absent

    @property
    def paths(self) -> dict[str, Path]:
        """The files by DMO. They may hold other sessions too; `scan` leaves those out."""
        return {name: self.reading.path_of(name) for name in self.evidence}

    def scan(self, name: str) -> pl.LazyFrame:
        """The session's rows of one DMO with the catalog's columns and types; lazy.

        Without rows when the DMO was not read: `evidence` tells the two apart.

        Raises:
            KeyError: there is no such DMO.
            OtherCatalogError: a column of the file has another type than the catalog's.
        """
        entry = dmo(name)
        schema = pl.DataFrame(file_schema(entry).empty_table()).schema
        route = _ROUTES.get(name)
        if name not in self.evidence or route is None:
            return pl.LazyFrame(schema=schema)
        odd = other_types(entry, self.reading.path_of(name))
        if odd:
            raise OtherCatalogError(
                f"the tree was written by another version of the catalog: {', '.join(odd)}.",
                action=f"Read it again: stdm extract-tree --session-id {self.session_id}.",
            ).during(f"{name} of session {self.session_id}")
        rows = pl.scan_parquet(
            self.reading.path_of(name),
            schema=schema,
            missing_columns="insert",
            extra_columns="ignore",
            glob=False,
            hive_partitioning=False,
        )
        return rows.filter(self._belongs(entry, route))

    def frames(self) -> dict[str, pl.DataFrame]:
        """The session's rows of every DMO that was read, each in the order of its clock."""
        return {name: self.scan(name).sort(dmo(name).clock).collect() for name in self.evidence}

    def _belongs(self, entry: Dmo, route: Route) -> pl.Expr:
        links = (*route.links, *route.spare)
        if not links:
            return pl.col(entry.key).is_in(list(spellings(self.session_id)))
        return pl.any_horizontal(
            pl.col(link.column)
            .is_in(self._ids(link.source, link.source_column))
            .fill_null(value=False)
            for link in links
        )

    def _ids(self, source: str, column: str) -> list[str]:
        if source == ROOT:
            return list(spellings(self.session_id))
        if (source, column) not in self._known:
            values = self.scan(source).select(column).collect()[column].drop_nulls().unique()
            self._known[source, column] = all_spellings(filter(is_id, values.to_list()))
        return self._known[source, column]


_ROUTES: Mapping[str, Route] = {route.dmo.name: route for route in routes_from_sessions()}


def readings_in(folder: Path) -> list[TreeReading]:
    """The readings of the overlay, newest first, from folder names only."""
    try:
        names = [entry.name for entry in folder.iterdir()]
    except FileNotFoundError:
        return []
    matches = [(name, NAME.fullmatch(name)) for name in names]
    found = [TreeReading(folder / name, int(match[1])) for name, match in matches if match]
    return sorted(found, key=lambda reading: reading.number, reverse=True)


def sound_readings(folder: Path) -> Iterator[tuple[TreeReading, TreeEvidence]]:
    """The readings whose first footer can be read, newest first; others are warned of."""
    for reading in readings_in(folder):
        try:
            yield reading, reading.index()
        except DamagedFileError as error:
            logger.warning("%s The reading counts as missing.", error.message)
        except FileNotFoundError:
            continue  # superseded and removed meanwhile


def find_tree(folder: Path, session_id: str) -> Tree | None:
    """The newest tree of a session; None when no sound reading holds it."""
    wanted = canonical(session_id)
    for reading, index in sound_readings(folder):
        if wanted not in {canonical(each) for each in index.sessions}:
            continue
        try:
            return Tree(session_id, reading, reading.evidence())
        except DamagedFileError as error:
            logger.warning("%s An older reading is looked for.", error.message)
    return None


def publish_tree(staged: StagedTree, folder: Path) -> TreeReading:
    """Give a sealed reading its place, newer than all others; the caller has the overlay's lock."""
    number = 1 + max((reading.number for reading in readings_in(folder)), default=0)
    read_at = next(iter(staged.evidence.values())).read_at
    stamp = f"{read_at:%Y%m%dT%H%M%S}{read_at.microsecond // 1000:03d}Z"
    target = folder / f"r{number:06d}_{stamp}_{uuid.uuid4().hex[:8]}"
    files.make_folder(folder)
    files.move(staged.folder, target)
    files.sync_folder(folder)
    files.sync_folder(staged.folder.parent)  # else a stale name of the reading could be swept
    return TreeReading(target, number)


def remove_superseded(folder: Path, bin_: Path, now: datetime) -> list[Path]:
    """Remove readings of which every session was read again more than a day before `now`.

    The caller has the lock of the overlay. A damaged reading supersedes nothing and stays. They go
    by way of `bin_`, which is swept after a kill, so that nobody finds half a reading.
    """
    next_read: dict[str, datetime] = {}
    removed = []
    for reading, index in sound_readings(folder):
        held = {canonical(each) for each in index.sessions}
        if held <= next_read.keys():
            since = max((next_read[each] for each in held), default=index.read_at)
            if now - since > KEEP_SUPERSEDED:
                files.make_folder(bin_)
                files.move(reading.folder, bin_ / reading.folder.name)
                files.remove_tree(bin_ / reading.folder.name)
                removed.append(reading.folder)
                continue
        next_read.update(dict.fromkeys(held, index.read_at))
    return removed
