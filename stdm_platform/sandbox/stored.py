"""One result: its columns, its chunks on disk, and whether it is done.

Belongs here: reading rows and chunks, waiting, the bends that faults put on it. Does not: running
the query (`results.py`).
"""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from pathlib import Path

import pyarrow as pa

from stdm_platform.sandbox.encoding import arrow_buffer
from stdm_platform.sandbox.refusals import Refusal, out_of_range, query_unknown

CODEC = pa.Codec("lz4")


@dataclass(frozen=True)
class Chunk:
    """Rows `[start, start + rows)` of a result, one Arrow stream of `size` bytes.

    Its file is compressed: that takes less of the processor than new pages for the file would
    (628 MB of steps: 1.4 s, and 2.2 s as they are), and a tenth to a third of the disk.
    """

    path: Path
    start: int
    rows: int
    size: int
    kept: int


@dataclass
class Result:
    """A query's rows as they were when it ran. Safe to share by threads.

    `running_polls`, `has_empty_first_chunk` and `row_count_error` are faults put on it.
    """

    query_id: str
    folder: Path
    schema: pa.Schema
    expires: datetime
    running_polls: int = 0
    has_empty_first_chunk: bool = False
    row_count_error: int = 0
    rows_processed: int = 0
    seconds: float = 0.0
    is_done: bool = False
    is_dropped: bool = False
    is_persisted: bool = False
    chunks: list[Chunk] = field(default_factory=list)
    refusal: Refusal | None = None
    _changed: threading.Condition = field(default_factory=threading.Condition, repr=False)

    @property
    def row_count(self) -> int:
        """Rows so far; all of them when done."""
        last = self.chunks[-1] if self.chunks else None
        return last.start + last.rows if last else 0

    @property
    def chunk_count(self) -> int:
        """Chunks so far, as a client numbers them."""
        return len(self.chunks) + self.has_empty_first_chunk

    @property
    def size(self) -> int:
        """Bytes on disk."""
        return sum(chunk.kept for chunk in self.chunks)

    def add(self, table: pa.Table) -> None:
        """Store the next chunk."""
        path = self.folder / f"{len(self.chunks)}.arrows"
        content = arrow_buffer(table)
        kept = CODEC.compress(content)
        path.write_bytes(kept)
        with self._changed:
            start, rows = self.row_count, table.num_rows
            self.chunks.append(Chunk(path, start, rows, content.size, kept.size))
            self._changed.notify_all()

    def finish(self, rows_processed: int, seconds: float) -> None:
        """All rows are here."""
        with self._changed:
            self.rows_processed, self.seconds, self.is_done = rows_processed, seconds, True
            self._changed.notify_all()

    def fail(self, refusal: Refusal) -> None:
        """No more rows will come."""
        with self._changed:
            self.refusal, self.is_done = refusal, True
            self._changed.notify_all()

    def drop(self) -> None:
        """Delete the files; whoever waits is told."""
        with self._changed:
            self.is_dropped = self.is_done = True
            self.refusal = query_unknown(self.query_id)
            self._changed.notify_all()
        shutil.rmtree(self.folder, ignore_errors=True)

    def wait(self, seconds: float) -> None:
        """Wait until done, at most so long.

        Raises:
            Refusal: the query failed.
        """
        with self._changed:
            self._changed.wait_for(lambda: self.is_done, seconds)
            if self.refusal is not None:
                raise self.refusal

    def chunk_stream(self, number: int) -> pa.Buffer:
        """A chunk as one complete Arrow stream.

        Raises:
            Refusal: there is no such chunk.
        """
        if self.has_empty_first_chunk:
            if number == 0:
                return arrow_buffer(self.schema.empty_table())
            number -= 1
        if not 0 <= number < len(self.chunks):
            raise out_of_range(number, len(self.chunks))
        return self._read(self.chunks[number])

    def chunk(self, number: int) -> pa.Table:
        """A chunk as rows."""
        return pa.ipc.open_stream(self.chunk_stream(number)).read_all()

    def rows(self, offset: int, limit: int, byte_limit: int | None = None) -> pa.Table:
        """Rows from `offset` on, at most `limit` and about `byte_limit` bytes.

        Raises:
            Refusal: the offset is out of range.
        """
        if offset < 0 or offset > self.row_count or (offset == self.row_count and offset > 0):
            raise out_of_range(offset, self.row_count)
        tables: list[pa.Table] = []
        rows = size = 0
        for chunk in list(self.chunks):
            is_enough = rows >= limit or (byte_limit is not None and size >= byte_limit)
            if is_enough:
                break
            if chunk.start + chunk.rows <= offset:
                continue
            table = pa.ipc.open_stream(self._read(chunk, _recent)).read_all()
            table = table.slice(max(0, offset - chunk.start), limit - rows)
            tables.append(table)
            rows, size = rows + table.num_rows, size + table.nbytes
        return pa.concat_tables(tables) if tables else self.schema.empty_table()

    def _read(
        self, chunk: Chunk, read: Callable[[Path, int], pa.Buffer] | None = None
    ) -> pa.Buffer:
        if self.is_dropped:
            raise query_unknown(self.query_id)
        try:
            return (read or _decompressed)(chunk.path, chunk.size)
        except FileNotFoundError as error:  # dropped while it was read
            raise query_unknown(self.query_id) from error


def _decompressed(path: Path, size: int) -> pa.Buffer:
    return CODEC.decompress(path.read_bytes(), size)


@lru_cache(maxsize=4)
def _recent(path: Path, size: int) -> pa.Buffer:
    """For pages, of which many come from one chunk; of all results together."""
    return _decompressed(path, size)
