"""Read all rows of one DMO that belong to some sessions, by their ids.

Belongs here: the stream of one file of a tree: queries, decoding, contract. Does not: the order of
the DMOs (`tree_batch.py`), SQL (`tree_sql.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import pyarrow as pa
import pyarrow.compute as pc

from stdm_platform.catalog import Dmo
from stdm_platform.catalog.ids import all_spellings, is_id
from stdm_platform.catalog.routes import Link
from stdm_platform.errors import IncompleteResultError
from stdm_platform.extraction.asking import until_answered
from stdm_platform.extraction.conform import Conformer
from stdm_platform.extraction.shape import SourceShape
from stdm_platform.extraction.source import Source
from stdm_platform.extraction.sql import fresh_nonce
from stdm_platform.extraction.tree_sql import rows_by_id
from stdm_platform.guard import Gate, Verdict
from stdm_platform.lake import Reading, StagedTree
from stdm_platform.settings import QUARANTINE_LIMIT

IDS_PER_QUERY = 400
"""Ids in one query, each in two spellings or more. Fewer queries are billed less where an org bills
what it scans; but the longest list that it takes is not published, and long ones are a known way to
fail (section 4.1 of the Data 360 page), so there are some 800 parameters."""

Values = Mapping[tuple[str, str], Sequence[str]]
"""(DMO, column) → the ids that were found there."""


@dataclass
class _Attempt:
    """One attempt at the file of a DMO, and what it has seen so far."""

    dmo: Dmo
    gate: Gate
    conformer: Conformer
    values: dict[str, dict[str, None]]
    readings: list[Reading] = field(default_factory=list)
    keys: list[pa.Array] = field(default_factory=list)
    known: pa.Array = field(default_factory=lambda: pa.array([], pa.string()))
    found_by: list[tuple[str, pa.Array]] = field(default_factory=list)

    def end_link(self, column: str, ids: Sequence[str]) -> None:
        """Note what a link found: its rows are not new to the next one."""
        # A key twice in one link is the contract's to find.
        self.known = pa.chunked_array(self.keys, pa.string()).combine_chunks()
        self.found_by.append((column, pa.array(all_spellings(ids), pa.string())))

    def take(self, served: pa.RecordBatch, column: str, forms: pa.Array) -> None:
        """Check one served batch and write it, but for rows that an earlier link found."""
        conformed = self.conformer.conform(served)
        batch, undecodable = conformed.batch, dict(conformed.undecodable)
        asked_for = pc.is_in(batch.column(column), value_set=forms)
        if not pc.all(asked_for, min_count=0).as_py():
            raise IncompleteResultError(
                f"the answer holds rows of another {column} than was asked for.",
                action="Extract the session again.",
            )
        if self.found_by:
            new = pc.invert(self._known(batch))
            batch, served = batch.filter(new), served.filter(new)
            undecodable = {name: marks.filter(new) for name, marks in undecodable.items()}
        self.keys.append(batch.column(self.dmo.key))
        passed = self.gate.take(batch, undecodable, served)
        for name, ids in self.values.items():
            ids.update(dict.fromkeys(_ids_in(passed.column(name))))

    def _known(self, batch: pa.RecordBatch) -> pa.Array:
        """Marks the rows that an earlier link found: by key, or without one by that link's ids."""
        keys = batch.column(self.dmo.key)
        marks = pc.is_in(keys, value_set=self.known, skip_nulls=True)
        for column, forms in self.found_by if keys.null_count else ():
            again = pc.is_in(batch.column(column), value_set=forms)
            marks = pc.or_(marks, pc.and_(pc.is_null(keys), again))
        return marks


@dataclass(frozen=True)
class TreePart:
    """One DMO of a tree: its verdict, and the distinct ids in the columns that were wanted."""

    verdict: Verdict
    rows_processed: int | None
    values: Mapping[str, Sequence[str]]


@dataclass(frozen=True)
class TreeReader:
    """Reads rows by id from one org.

    `halted` is asked between batches and raises to stop; `limit` is the share of the rows of a file
    that may be kept aside.
    """

    client: Source
    now: datetime
    text: str
    halted: Callable[[], None]
    limit: float = QUARANTINE_LIMIT

    def read(
        self,
        staged: StagedTree,
        shape: SourceShape,
        links: Sequence[Link],
        values: Values,
        wanted: Iterable[str],
    ) -> TreePart:
        """Write the rows that any of the links finds into the file of the DMO.

        A lost or incomplete result starts the file again, because its rows are in it already.

        Args:
            staged: where the file goes.
            shape: what the org has of the DMO.
            links: columns to look in, and where the ids come from.
            values: the ids.
            wanted: columns whose ids are needed further on.

        Raises:
            StdmError: with the place `<dmo> of whole sessions`.
        """
        names = tuple(wanted)
        return until_answered(lambda: self._read_once(staged, shape, links, values, names))

    def _read_once(
        self,
        staged: StagedTree,
        shape: SourceShape,
        links: Sequence[Link],
        values: Values,
        wanted: Sequence[str],
    ) -> TreePart:
        asked = shape.asked(self.text)
        sources = {name: shape.columns[name] for name in asked}
        types = {name: shape.types[name] for name in asked if name in shape.types}
        file, aside = staged.begin(shape.dmo)
        noted = {name: dict[str, None]() for name in wanted}
        with Gate(
            shape.dmo,
            None,
            sources,
            types,
            write=file.write,
            set_aside=aside.write,
            spool_folder=staged.spool,
            limit=self.limit,
        ) as gate:
            attempt = _Attempt(shape.dmo, gate, Conformer(shape.dmo, asked), noted)
            for link in links:
                ids = values.get((link.source, link.source_column), ())
                for start in range(0, len(ids), IDS_PER_QUERY):
                    self.halted()
                    self._ask(shape, link, ids[start : start + IDS_PER_QUERY], attempt)
                attempt.end_link(link.column, ids)
            verdict = gate.conclude()
        staged.finish(shape.dmo, attempt.readings, shape.left_out(self.text), verdict)
        return TreePart(
            verdict, _billed(attempt.readings), {name: tuple(ids) for name, ids in noted.items()}
        )

    def _ask(
        self,
        shape: SourceShape,
        link: Link,
        ids: Sequence[str],
        attempt: _Attempt,
    ) -> None:
        sql, parameters = rows_by_id(shape, link.column, ids, text=self.text, nonce=fresh_nonce())
        result = self.client.query(sql, parameters)
        attempt.readings.append(
            Reading(
                self.now,
                result.query_id,
                result.sql_sha256,
                result.rows_processed,
                result.transport,
            )
        )
        forms, arrived = pa.array(all_spellings(ids), pa.string()), 0
        for served in result.batches():
            self.halted()
            arrived += served.num_rows
            attempt.take(served, link.column, forms)
        if arrived != result.row_count:
            raise IncompleteResultError(
                f"{arrived} rows arrived of {result.row_count} that the org promised.",
                action="Extract the session again.",
            )


def _billed(readings: Sequence[Reading]) -> int | None:
    said = [each.rows_processed for each in readings if each.rows_processed is not None]
    return sum(said) if said else None


def _ids_in(column: pa.Array) -> Iterator[str]:
    return (value for value in pc.unique(column).to_pylist() if is_id(value))
