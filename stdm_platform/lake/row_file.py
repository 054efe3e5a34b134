"""Rows on their way into one Parquet file: counted, grouped, hashed, ended with a footer.

Belongs here: what window files and tree files are made alike. Does not: what their footers say
(`staging.py`, `tree_staging.py`), where they go.

A full row group is written by a thread of the file, so that the next rows are checked meanwhile;
there is one such thread and at most one group with it, so rows keep their order and memory its bound.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from datetime import datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from stdm_platform.catalog import Column, Dmo, arrow_schema
from stdm_platform.errors import LakeError
from stdm_platform.lake import files
from stdm_platform.lake.checksum import RowChecksum
from stdm_platform.lake.rows import Rows
from stdm_platform.lake.telling import telling

ROW_GROUP_BYTES = 32 * 1024 * 1024
ROW_GROUP_ROWS = 122_880
"""Measured on 290,000 steps of 800 bytes, of which 590 are text (CPU seconds to write, MB of the file,
CPU seconds to read it whole): as here 0.52, 28.6, 0.87; groups of 16 MiB 0.58, 28.8, 0.71; of 128 MiB
0.48, 28.3, 0.90, but four times the memory; dictionaries for all columns 0.57, 30.2; for texts too 0.64,
28.4; DELTA_BYTE_ARRAY for texts 0.68, 29.5 and for keys 0.51, 28.6; DELTA_BINARY_PACKED for clocks 0.46,
29.1; zstd at level 3 0.68, 29.3, at level -1 0.48, 44.0. Nothing is worth another reader's surprise."""


def file_schema(dmo: Dmo) -> pa.Schema:
    """The catalog's schema with every column nullable.

    A null in a required column is the guard's to find, and the file that it refuses has to be
    able to hold one.
    """
    return pa.schema([field.with_nullable(True) for field in arrow_schema(dmo)])


class RowFile:
    """The writer of one Parquet file of a DMO. `place` stands in its errors."""

    def __init__(self, dmo: Dmo, path: Path, place: str) -> None:
        self.dmo = dmo
        self.path = path
        self.place = place
        self.min_clock: datetime | None = None
        self.max_clock: datetime | None = None
        self._schema = file_schema(dmo)
        self._checksum = RowChecksum()
        self._waiting: list[pa.RecordBatch] = []
        self._waiting_bytes = self._waiting_rows = 0
        self._thread: ThreadPoolExecutor | None = None
        self._writing: Future[None] | None = None
        self._writer: pq.ParquetWriter | None = pq.ParquetWriter(
            path,
            self._schema,
            compression="zstd",
            use_dictionary=[column.name for column in dmo.columns if _few_values(column)],
        )

    @property
    def rows(self) -> int:
        """Rows written so far."""
        return self._checksum.rows

    @property
    def checksum(self) -> str:
        """The checksum of the rows written so far."""
        return self._checksum.text

    @property
    def is_open(self) -> bool:
        """Whether the file was neither ended nor given up."""
        return self._writer is not None

    def write(self, rows: pa.RecordBatch | Rows) -> None:
        """Add rows, in the catalog's columns and types.

        Raises:
            LakeError: other columns or types, or the disk refuses these rows or earlier ones.
        """
        rows = Rows.of(rows)
        batch = rows.batch
        self._refuse_other_columns(batch.schema)
        self._widen_clock(batch.column(self.dmo.clock))
        self._checksum.add(rows)
        with telling(self.place):
            for start in range(0, batch.num_rows, ROW_GROUP_ROWS):
                self._wait_for_group(batch.slice(start, ROW_GROUP_ROWS))

    def flush(self) -> None:
        """Write the rows that wait for their group to be full."""
        self._await_group()
        if self._waiting and self._writer is not None:
            self._write_group(self._writer, self._taken_group())

    def end(self, footer: Mapping[str, str] | None = None) -> None:
        """Write the rest and the footer, and wait until the file is on the disk."""
        self.flush()
        if self._writer is not None:
            if footer is not None:
                self._writer.add_key_value_metadata(dict(footer))
            self._writer.close()
            self._writer = None
        self._end_thread()
        files.sync_file(self.path)

    def abort(self) -> None:
        """Give the file up; it stays where it is. Does nothing the second time."""
        with suppress(OSError, pa.ArrowException):
            self._await_group()
        self._end_thread()
        if self._writer is not None:
            with suppress(OSError, pa.ArrowException):  # a full disk refuses this last write too
                self._writer.close()
            self._writer = None
        self._waiting.clear()

    def _refuse_other_columns(self, schema: pa.Schema) -> None:
        given = list(zip(schema.names, schema.types, strict=True))
        wanted = list(zip(self._schema.names, self._schema.types, strict=True))
        if given != wanted:
            odd = [f"{name} {kind}" for name, kind in given if (name, kind) not in wanted]
            lacking = [f"{name} {kind}" for name, kind in wanted if (name, kind) not in given]
            raise LakeError(
                f"The batch is not in the catalog's schema: it has {odd}, it lacks {lacking}."
            ).during(self.place)

    def _widen_clock(self, clock: pa.Array) -> None:
        bounds = pc.min_max(clock).as_py()
        lowest, highest = bounds["min"], bounds["max"]
        if lowest is not None:
            self.min_clock = min(self.min_clock or lowest, lowest)
            self.max_clock = max(self.max_clock or highest, highest)

    def _wait_for_group(self, batch: pa.RecordBatch) -> None:
        self._waiting.append(batch)
        self._waiting_bytes += batch.nbytes
        self._waiting_rows += batch.num_rows
        if self._waiting_rows >= ROW_GROUP_ROWS or self._waiting_bytes >= ROW_GROUP_BYTES:
            self._hand_over()

    def _hand_over(self) -> None:
        """Let the thread write the group that is full, once it has written the one before."""
        self._await_group()
        if self._writer is not None:
            self._thread = self._thread or ThreadPoolExecutor(1, thread_name_prefix="write")
            self._writing = self._thread.submit(
                self._write_group, self._writer, self._taken_group()
            )

    def _await_group(self) -> None:
        """Wait for the group that is being written; raises what went wrong with it."""
        writing, self._writing = self._writing, None
        if writing is not None:
            writing.result()

    def _end_thread(self) -> None:
        if self._thread is not None:
            self._thread.shutdown()
            self._thread = None

    def _taken_group(self) -> list[pa.RecordBatch]:
        group, self._waiting = self._waiting, []
        self._waiting_bytes = self._waiting_rows = 0
        return group

    def _write_group(self, writer: pq.ParquetWriter, group: Sequence[pa.RecordBatch]) -> None:
        table = pa.Table.from_batches(
            [pa.RecordBatch.from_arrays(b.columns, schema=self._schema) for b in group]
        )
        writer.write_table(table, row_group_size=max(table.num_rows, 1))


def _few_values(column: Column) -> bool:
    """Whether a dictionary pays: a vocabulary, or a plain attribute that is no key."""
    if column.type != "text" or column.sensitivity == "text":
        return False
    return bool(column.vocabulary) or not (column.required or column.references)
