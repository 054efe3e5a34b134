"""A window while it is written: streamed into a Parquet file that nobody can see yet.

Belongs here: writing rows, counting them, sealing the file with its evidence. Does not: checking
contracts (`guard`), making it visible (`publishing.py`).

The footer is written at the publication, under the lock of the day, because only then is it
certain which earlier readings the window carries on.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from types import TracebackType

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from stdm_platform.catalog import CATALOG_VERSION, Column, Dmo, arrow_schema
from stdm_platform.errors import DamagedFileError, LakeError
from stdm_platform.lake import files
from stdm_platform.lake.checksum import RowChecksum
from stdm_platform.lake.evidence import Evidence, Reading, evidence_of, read_footer
from stdm_platform.lake.locking import OwnedFolder
from stdm_platform.lake.telling import telling
from stdm_platform.lake.window import Window

ROW_GROUP_BYTES = 32 * 1024 * 1024
ROW_GROUP_ROWS = 122_880


def file_schema(dmo: Dmo) -> pa.Schema:
    """The catalog's schema with every column nullable.

    A null in a required column is the guard's to find, and the file that it refuses has to be
    able to hold one.
    """
    return pa.schema([field.with_nullable(True) for field in arrow_schema(dmo)])


class StagedWindow:
    """The writer of one window file. As a context manager it removes what was not published."""

    def __init__(self, dmo: Dmo, window: Window, folder: OwnedFolder) -> None:
        self.dmo = dmo
        self.window = window
        self.path = folder.path / "window.parquet"
        self.place = f"{dmo.name} of {window.day}"
        self.evidence: Evidence | None = None
        self.min_clock: datetime | None = None
        self.max_clock: datetime | None = None
        self._folder = folder
        self._schema = file_schema(dmo)
        self._checksum = RowChecksum()
        self._waiting: list[pa.RecordBatch] = []
        self._waiting_bytes = self._waiting_rows = 0
        self._writer: pq.ParquetWriter | None = pq.ParquetWriter(
            self.path,
            self._schema,
            compression="zstd",
            use_dictionary=[column.name for column in dmo.columns if _few_values(column)],
        )

    @property
    def rows(self) -> int:
        """Rows written so far."""
        return self._checksum.rows

    def write(self, batch: pa.RecordBatch) -> None:
        """Add rows, in the catalog's columns and types.

        Raises:
            LakeError: other columns or types, the window is closed, or the disk refuses.
        """
        if self.evidence is not None or self._writer is None:
            raise LakeError("The window is closed.").during(self.place)
        self._refuse_other_columns(batch.schema)
        self._widen_clock(batch.column(self.dmo.clock))
        self._checksum.add(batch)
        with telling(self.place):
            for start in range(0, batch.num_rows, ROW_GROUP_ROWS):
                self._wait_for_group(batch.slice(start, ROW_GROUP_ROWS))

    def close(
        self,
        *,
        org_id: str,
        reading: Reading,
        settled: bool,
        absent_columns: Sequence[str] = (),
    ) -> Evidence:
        """End the rows and fix the evidence. `absent_columns` are source names."""
        with telling(self.place):
            self._write_group()
        self.evidence = Evidence(
            window=self.window,
            dmo=self.dmo.name,
            org_id=org_id,
            catalog_version=CATALOG_VERSION,
            absent_columns=tuple(absent_columns),
            rows=self.rows,
            min_clock=self.min_clock,
            max_clock=self.max_clock,
            checksum=self._checksum.text,
            readings=(reading,),
            settled=settled,
        )
        return self.evidence

    def seal(self, earlier: Sequence[Reading] = ()) -> Evidence:
        """Write the footer, wait until the file is on the disk, and read the footer back.

        Raises:
            LakeError: the window was not closed, or the file does not hold the rows counted.
        """
        if self.evidence is None or self._writer is None:
            raise LakeError(
                "The window cannot be sealed.", action="Close it first, and seal it once."
            ).during(self.place)
        self.evidence = self.evidence.after(earlier)
        with telling(self.place):
            self._writer.add_key_value_metadata(self.evidence.as_footer())
            self._end_file()
            if evidence_of(self.path, read_footer(self.path)) != self.evidence:
                raise DamagedFileError(f"{self.path} does not hold the evidence written to it.")
        return self.evidence

    def end_unsealed(self) -> None:
        """End a refused file; without a footer of ours when it was never closed."""
        if self.evidence is not None:
            self.seal()
            return
        with telling(self.place):
            self._write_group()
            self._end_file()

    def abort(self) -> None:
        """Remove what was written and not moved elsewhere. Does nothing the second time."""
        if self._writer is not None:
            with suppress(OSError, pa.ArrowException):  # a full disk refuses this last write too
                self._writer.close()
            self._writer = None
        self._waiting.clear()
        with telling(self.place):
            self._folder.remove()

    def __enter__(self) -> StagedWindow:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.abort()

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
            self._write_group()

    def _write_group(self) -> None:
        if self._waiting and self._writer is not None:
            table = pa.Table.from_batches(
                [pa.RecordBatch.from_arrays(b.columns, schema=self._schema) for b in self._waiting]
            )
            self._writer.write_table(table, row_group_size=max(table.num_rows, 1))
        self._waiting.clear()
        self._waiting_bytes = self._waiting_rows = 0

    def _end_file(self) -> None:
        if self._writer is not None:
            self._writer.close()
            self._writer = None
        files.sync_file(self.path)


def _few_values(column: Column) -> bool:
    """Whether a dictionary pays: a vocabulary, or a plain attribute that is no key."""
    if column.type != "text" or column.sensitivity == "text":
        return False
    return bool(column.vocabulary) or not (column.required or column.references)
