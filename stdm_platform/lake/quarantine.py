"""Rows that cannot be trusted: kept beside the lake as they were served, until the source is mended.

Belongs here: `quarantine/<name>/date=…/`, writing and removing its files. Does not: deciding which
rows go there (`guard`).

A quarantine file has the name of the window file that it belongs to, and counts only while the lake
holds a window of that name. Names are never used again, so there is one order that can neither lose
nor double a row, wherever it breaks off: write the new file, exchange the day, remove the files whose
window is gone. What a crash leaves belongs to no window, and goes at the next change of its day.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping
from contextlib import suppress
from datetime import date
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from stdm_platform.catalog import Dmo
from stdm_platform.lake import files
from stdm_platform.lake.folders import Folders
from stdm_platform.lake.telling import telling

logger = logging.getLogger(__name__)

GROUP_ROWS = 4096
"""Rows that wait for others: a row group of its own for the few of each batch costs memory."""
REASON = "reason"
"""The column that says what is wrong; the others are the catalog's, each as text."""


def quarantine_schema(dmo: Dmo) -> pa.Schema:
    """`reason`, then the catalog's columns: each value as it was served, as text."""
    return pa.schema([(name, pa.string()) for name in (REASON, *dmo.column_names)])


class QuarantineFile:
    """The writer of one file; nothing is made before the first row. `place` stands in its errors."""

    def __init__(self, dmo: Dmo, path: Path, place: str) -> None:
        self.path = path
        self.rows = 0
        self._place = place
        self._schema = quarantine_schema(dmo)
        self._writer: pq.ParquetWriter | None = None
        self._waiting: list[pa.RecordBatch] = []

    def write(self, batch: pa.RecordBatch) -> None:
        """Add rows in `quarantine_schema`."""
        with telling(self._place):
            if self._writer is None:
                files.make_folder(self.path.parent)
                self._writer = pq.ParquetWriter(self.path, self._schema, compression="zstd")
            self._waiting.append(batch.cast(self._schema))
            if sum(each.num_rows for each in self._waiting) >= GROUP_ROWS:
                self._flush()
        self.rows += batch.num_rows

    def end(self, footer: Mapping[str, str]) -> None:
        """Write the footer, and wait until the file is on the disk; nothing where there are no rows."""
        if self._writer is not None:
            with telling(self._place):
                self._flush()
                self._writer.add_key_value_metadata({**footer, "stdm.rows": str(self.rows)})
                self._writer.close()
                self._writer = None
                files.sync_file(self.path)

    def abort(self) -> None:
        """Give the file up; it stays where it is. Does nothing the second time."""
        if self._writer is not None:
            with suppress(OSError, pa.ArrowException):  # a full disk refuses this last write too
                self._writer.close()
            self._writer = None
        self._waiting.clear()

    def _flush(self) -> None:
        if self._waiting and self._writer is not None:
            self._writer.write_table(pa.Table.from_batches(self._waiting))
        self._waiting.clear()


def keep_aside(folders: Folders, name: str, day: date, aside: Mapping[str, Path]) -> None:
    """Put quarantine files beside the day, under the names of windows that are about to appear.

    The caller holds the lock of the day and changes the day next.
    """
    if not aside:
        return
    folder = folders.quarantine_day(name, day)
    files.make_folder(folder)
    for new, path in aside.items():
        files.move(path, folder / new)
    files.sync_folder(folder)


def remove_strangers(folders: Folders, name: str, day: date, held: Collection[str]) -> None:
    """Remove the quarantine files of a day whose window is not held any more.

    The caller holds the lock of the day. A failure costs space and nothing else.
    """
    folder = folders.quarantine_day(name, day)
    if not folder.is_dir():
        return
    try:
        strangers = [path for path in sorted(folder.iterdir()) if path.name not in held]
        for path in strangers:
            files.remove_file(path)
        if strangers and not any(folder.iterdir()):
            files.remove_tree(folder)
    except OSError as error:
        logger.warning("%s holds files of no window until its next change: %s", folder, error)
