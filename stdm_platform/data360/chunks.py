"""Chunks of a V3 result in order, and the rest of the rows if they fall short.

Belongs here: the order and the sum of chunks. Does not: the requests (`v3.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Protocol

import pyarrow as pa

from stdm_platform.data360.ahead import Ahead
from stdm_platform.data360.answers import Answer
from stdm_platform.data360.columns import ResultColumn, columns_of
from stdm_platform.data360.decode import ArrowChunk, batch_of_rows
from stdm_platform.data360.ranges import Fetch, in_order, read_range, read_rows
from stdm_platform.data360.result import incomplete
from stdm_platform.errors import SourceError

OVERLAP_ROWS = 20
REST_RANGE_ROWS = 20_000


class Chunk(Protocol):
    """Whole rows of one answer."""

    rows: int
    size: int  # bytes
    schema: pa.Schema | None

    def batches(self) -> Iterator[pa.RecordBatch]:
        """Its rows."""
        ...


class JsonChunk:
    """Rows that came as JSON although Arrow was asked for, or because it is all there is."""

    def __init__(self, answer: Answer, columns: Sequence[ResultColumn]) -> None:
        body = answer.json_object()
        rows = body.get("data")
        rows = rows if isinstance(rows, list) else []
        self._batch = batch_of_rows(rows, columns or columns_of(body.get("metadata")))
        self.rows = self._batch.num_rows
        self.size = self._batch.nbytes
        self.schema: pa.Schema | None = self._batch.schema

    def batches(self) -> Iterator[pa.RecordBatch]:
        """Its rows as one batch; none where it has none."""
        if self.rows:
            yield self._batch


def read_chunk(answer: Answer, columns: Sequence[ResultColumn]) -> Chunk:
    """The rows of an answer, in whichever of the two forms they came."""
    if "json" in answer.headers.get("content-type", "").lower():
        return JsonChunk(answer, columns)
    return ArrowChunk(answer)


@dataclass(frozen=True)
class Chunks:
    """A complete result on the tenant plane."""

    count: int
    row_count: int
    fetch_chunk: Callable[[int], Chunk]
    fetch_rows: Fetch
    executor: Executor
    ahead: Ahead

    def batches(self) -> Iterator[pa.RecordBatch]:
        """All rows in order.

        Raises:
            SourceError: chunks have different columns.
            IncompleteResultError: rows are missing somewhere before the last one in hand.
        """
        held = 0
        last: pa.RecordBatch | None = None

        def task(chunk: int) -> Callable[[], Chunk]:
            return lambda: self.fetch_chunk(chunk)

        tasks = map(task, range(self.count))
        for chunk in in_order(
            self.executor, tasks, ahead=self.ahead, size=lambda chunk: chunk.size
        ):
            for batch in chunk.batches():
                _same_columns(last, batch)
                held, last = held + batch.num_rows, batch
                yield batch
        if held < self.row_count:
            yield from self._rest(held, last)

    def _rest(self, held: int, last: pa.RecordBatch | None) -> Iterator[pa.RecordBatch]:
        """The rows after those of the chunks, if the chunks are known to be a prefix.

        A chunk in the middle that came short would shift every later row, and going on by offset
        would then double some and lose others. So the last rows in hand are read again: only if
        they stand where they should is there no gap before them.
        """
        overlap = 0
        if last is not None:
            overlap = min(OVERLAP_ROWS, last.num_rows)
            again = read_range(self.fetch_rows, held - overlap, held)
            if not _same_rows(again, last.slice(last.num_rows - overlap)):
                raise incomplete(held, self.row_count)
        for batch in read_rows(
            self.executor,
            self.fetch_rows,
            held,
            self.row_count,
            size=REST_RANGE_ROWS,
            ahead=self.ahead,
        ):
            _same_columns(last, batch)
            last = batch
            yield batch


def _same_columns(last: pa.RecordBatch | None, batch: pa.RecordBatch) -> None:
    """Refuse other columns; one in which every row of a chunk is null may come without its type."""
    if last is None or last.schema.equals(batch.schema):
        return
    is_alike = last.schema.names == batch.schema.names and all(
        one == other or pa.types.is_null(one) or pa.types.is_null(other)
        for one, other in zip(last.schema.types, batch.schema.types, strict=True)
    )
    if not is_alike:
        raise SourceError(
            "The chunks of one result have different columns.",
            action="Run the query again; if it happens again, report it.",
        )


def _same_rows(again: Sequence[pa.RecordBatch], tail: pa.RecordBatch) -> bool:
    tables = [pa.Table.from_batches([batch]) for batch in (tail, *again)]
    for batch in again:
        _same_columns(tail, batch)
    both = pa.concat_tables(tables, promote_options="default")
    rows = tail.num_rows
    return bool(both.slice(rows, rows).equals(both.slice(0, rows)))
