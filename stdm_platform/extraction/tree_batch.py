"""Read everything of a batch of sessions, check it, and publish it as one reading.

Belongs here: the walk along the routes for one batch. Does not: the rows of one DMO
(`tree_reading.py`), many batches (`trees.py`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from stdm_platform.catalog import dmo as dmo_of
from stdm_platform.catalog.ids import canonical
from stdm_platform.catalog.routes import ROOT, Link, Route
from stdm_platform.errors import StdmError
from stdm_platform.extraction.shape import SourceShape
from stdm_platform.extraction.tree_outcome import RefusedTree, TableCount, TreesOutcome
from stdm_platform.extraction.tree_reading import TreeReader
from stdm_platform.guard import Verdict
from stdm_platform.lake import Lake, StagedTree

ROW_CHECKS = frozenset({"not_null", "unique_key", "undecodable"})
"""Faults of single rows, so of single sessions; others meet every session alike."""


@dataclass(frozen=True)
class Way:
    """A DMO that the org has, and the links that it has the columns for."""

    shape: SourceShape
    links: tuple[Link, ...]


def ways_of(
    routes: Sequence[Route], shapes: Mapping[str, SourceShape | None]
) -> tuple[list[Way], list[str]]:
    """The ways that this org allows, in order, and the DMOs that it lacks or that none leads to."""
    ways: list[Way] = []
    absent = []
    held = {name: shape for name, shape in shapes.items() if shape is not None}

    def usable(dmo: str, links: Sequence[Link]) -> tuple[Link, ...]:
        reached = {way.shape.dmo.name for way in ways}
        return tuple(
            link
            for link in links
            if link.column in held[dmo].columns
            and (
                link.source == ROOT
                or (link.source in reached and link.source_column in held[link.source].columns)
            )
        )

    for route in routes:
        name = route.dmo.name
        own = (Link(route.dmo.key, ROOT, route.dmo.key),) if name == ROOT else route.links
        links = (usable(name, own) or usable(name, route.spare)) if name in held else ()
        if links:
            ways.append(Way(held[name], links))
        else:
            absent.append(name)
    return ways, absent


@dataclass(frozen=True)
class BatchReader:
    """Reads batches of sessions along the ways of one org into one lake."""

    reader: TreeReader
    lake: Lake
    ways: Sequence[Way]
    absent: Sequence[str]

    def read(self, sessions: Sequence[str]) -> TreesOutcome:
        """Read the sessions and publish what was found, or refuse it.

        A batch that is refused for single rows is halved, so that only their sessions are refused.

        Raises:
            StdmError: nothing of the batch was published.
        """
        with self.lake.stage_tree() as staged:
            seen: set[str] = set()
            billed: dict[str, int | None] = {}
            refused = self._walk(staged, sessions, seen, billed)
            if refused is None:
                return self._published(staged, sessions, seen, billed)
            checks = {failure.check for failure in refused.failures}
            if len(sessions) == 1 or not checks <= ROW_CHECKS:
                kept = self.lake.refuse_tree(
                    staged, refused.describe(), refused.as_dict(), self.reader.now
                )
                return TreesOutcome(
                    refused=(RefusedTree(tuple(sessions), refused, kept),),
                    tables={name: TableCount(rows_processed=rows) for name, rows in billed.items()},
                    absent=tuple(self.absent),
                )
        middle = len(sessions) // 2
        spent = {name: TableCount(rows_processed=rows) for name, rows in billed.items()}
        parts = (self.read(sessions[:middle]), self.read(sessions[middle:]))
        return TreesOutcome.sum_of((TreesOutcome(tables=spent), *parts))

    def _walk(
        self,
        staged: StagedTree,
        sessions: Sequence[str],
        seen: set[str],
        billed: dict[str, int | None],
    ) -> Verdict | None:
        """Every DMO in turn; the first verdict that did not pass ends the walk."""
        values: dict[tuple[str, str], Sequence[str]] = {(ROOT, dmo_of(ROOT).key): sessions}
        for way in self.ways:
            dmo = way.shape.dmo
            to_root = [link.column for link in way.links if link.source == ROOT]
            wanted = {*to_root, *self._needed_of(dmo.name)}
            try:
                part = self.reader.read(staged, way.shape, way.links, values, sorted(wanted))
            except StdmError as error:
                raise error.during(f"{dmo.name} of whole sessions")  # noqa: B904  # the same error
            billed[dmo.name] = part.rows_processed
            if not part.verdict.passed:
                return part.verdict
            for column in to_root:
                seen.update(canonical(each) for each in part.values[column])
            for column in self._needed_of(dmo.name):
                values[dmo.name, column] = part.values[column]
        return None

    def _published(
        self,
        staged: StagedTree,
        sessions: Sequence[str],
        seen: set[str],
        billed: Mapping[str, int | None],
    ) -> TreesOutcome:
        found = tuple(each for each in sessions if canonical(each) in seen)
        missing = tuple(each for each in sessions if canonical(each) not in seen)
        spent = {name: TableCount(rows_processed=rows) for name, rows in billed.items()}
        if not found:
            return TreesOutcome(missing=missing, tables=spent, absent=tuple(self.absent))
        evidence = staged.seal(
            org_id=self.reader.client.org_id,
            read_at=self.reader.now,
            sessions=found,
            absent=self.absent,
        )
        reading = self.lake.publish_tree(staged)
        tables = {
            name: TableCount(
                said.rows,
                reading.path_of(name).stat().st_size,
                billed[name],
                said.absent_columns,
                said.quarantined_rows,
            )
            for name, said in evidence.items()
        }
        return TreesOutcome(
            found=found,
            missing=missing,
            tables=tables,
            absent=tuple(self.absent),
            readings=(reading,),
        )

    def _needed_of(self, name: str) -> list[str]:
        """The columns of a DMO that lead to others; the root's are what was asked for."""
        columns = [
            link.source_column
            for way in self.ways
            for link in way.links
            if link.source == name and name != ROOT
        ]
        return list(dict.fromkeys(columns))
