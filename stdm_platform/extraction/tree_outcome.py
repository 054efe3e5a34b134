"""What became of sessions that were read whole, for the command and for tests.

Belongs here: `TreesOutcome`, its parts and their sums. Does not: producing them (`trees.py`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from stdm_platform.guard import Verdict
from stdm_platform.lake import TreeReading


@dataclass(frozen=True)
class TableCount:
    """One DMO in the readings of one request: rows written and kept aside, what was billed, what is missing."""

    rows: int = 0
    bytes: int = 0
    rows_processed: int | None = None
    absent_columns: tuple[str, ...] = ()
    quarantined: int = 0

    def plus(self, other: TableCount) -> TableCount:
        """Both together."""
        billed = [each for each in (self.rows_processed, other.rows_processed) if each is not None]
        return TableCount(
            self.rows + other.rows,
            self.bytes + other.bytes,
            sum(billed) if billed else None,
            tuple(dict.fromkeys((*self.absent_columns, *other.absent_columns))),
            self.quarantined + other.quarantined,
        )


@dataclass(frozen=True)
class RefusedTree:
    """Sessions whose rows broke their contract; the trees held before stay."""

    sessions: tuple[str, ...]
    verdict: Verdict
    kept: Path


@dataclass(frozen=True)
class TreesOutcome:
    """What became of a request for whole sessions.

    `found` are held by a new reading, `kept` were read before by the same, interrupted request,
    `missing` have no row in any object of the org. `absent` are DMOs that the org lacks.
    """

    found: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    refused: tuple[RefusedTree, ...] = ()
    tables: Mapping[str, TableCount] = field(default_factory=dict)
    absent: tuple[str, ...] = ()
    readings: tuple[TreeReading, ...] = ()

    @classmethod
    def sum_of(cls, outcomes: Iterable[TreesOutcome]) -> TreesOutcome:
        """Several batches as one."""
        every = list(outcomes)
        tables: dict[str, TableCount] = {}
        for outcome in every:
            for name, count in outcome.tables.items():
                tables[name] = tables.get(name, TableCount()).plus(count)
        return cls(
            found=tuple(each for outcome in every for each in outcome.found),
            kept=tuple(each for outcome in every for each in outcome.kept),
            missing=tuple(each for outcome in every for each in outcome.missing),
            refused=tuple(each for outcome in every for each in outcome.refused),
            tables=tables,
            absent=tuple(dict.fromkeys(each for outcome in every for each in outcome.absent)),
            readings=tuple(each for outcome in every for each in outcome.readings),
        )
