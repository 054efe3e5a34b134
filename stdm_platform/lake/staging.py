"""A window while it is written: streamed into a Parquet file that nobody can see yet.

Belongs here: sealing a window's file with its evidence. Does not: writing rows (`row_file.py`),
checking contracts (`guard`), making it visible (`publishing.py`).

The footer is written at the publication, under the lock of the day, because only then is it
certain which earlier readings the window carries on.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from types import TracebackType
from typing import Any

import pyarrow as pa

from stdm_platform.catalog import CATALOG_VERSION, Dmo
from stdm_platform.errors import DamagedFileError, LakeError
from stdm_platform.lake.evidence import Evidence, Reading, evidence_of, read_footer
from stdm_platform.lake.locking import OwnedFolder
from stdm_platform.lake.proof import Proof
from stdm_platform.lake.quarantine import QuarantineFile
from stdm_platform.lake.row_file import RowFile
from stdm_platform.lake.rows import Rows
from stdm_platform.lake.telling import telling
from stdm_platform.lake.window import Window


class StagedWindow:
    """The writer of one window file. As a context manager it removes what was not published."""

    def __init__(self, dmo: Dmo, window: Window, folder: OwnedFolder) -> None:
        self.dmo = dmo
        self.window = window
        self.path = folder.path / "window.parquet"
        self.place = f"{dmo.name} of {window.day}"
        self.evidence: Evidence | None = None
        self._folder = folder
        self._file = RowFile(dmo, self.path, self.place)
        self.aside = QuarantineFile(dmo, folder.path / "quarantine.parquet", self.place)
        self.proof: Proof | None = None

    @property
    def rows(self) -> int:
        """Rows written so far."""
        return self._file.rows

    @property
    def min_clock(self) -> datetime | None:
        """The earliest clock written so far."""
        return self._file.min_clock

    @property
    def max_clock(self) -> datetime | None:
        """The latest clock written so far."""
        return self._file.max_clock

    def write(self, batch: pa.RecordBatch | Rows) -> None:
        """Add rows, in the catalog's columns and types.

        Raises:
            LakeError: other columns or types, the window is closed, or the disk refuses.
        """
        if self.evidence is not None or not self._file.is_open:
            raise LakeError("The window is closed.").during(self.place)
        self._file.write(batch)

    def set_aside(self, batch: pa.RecordBatch) -> None:
        """Add rows that cannot be trusted, in `quarantine_schema`; raises as `write`."""
        if self.evidence is not None or not self._file.is_open:
            raise LakeError("The window is closed.").during(self.place)
        self.aside.write(batch)

    def close(
        self,
        *,
        org_id: str,
        reading: Reading,
        settled: bool,
        absent_columns: Sequence[str] = (),
        profile: Mapping[str, Any] | None = None,
        proof: Proof | None = None,
    ) -> Evidence:
        """End the rows and fix the evidence.

        Args:
            org_id: whose rows they are.
            reading: the query that gave them.
            settled: whether they are final.
            absent_columns: source names.
            profile: what JSON can hold, with text as keys; `quarantined` is added from the proof.
            proof: the contract's word; without one the window can be refused, never published.
        """
        self.proof = proof
        facts = dict(profile or {})
        if proof is not None and proof.quarantined:
            facts["quarantined"] = dict(proof.quarantined)
        with telling(self.place):
            self._file.flush()
        self.evidence = Evidence(
            window=self.window,
            dmo=self.dmo.name,
            org_id=org_id,
            catalog_version=CATALOG_VERSION,
            absent_columns=tuple(absent_columns),
            rows=self.rows,
            min_clock=self.min_clock,
            max_clock=self.max_clock,
            checksum=self._file.checksum,
            readings=(reading,),
            settled=settled,
            profile=facts,
        )
        return self.evidence

    def seal(self, earlier: Sequence[Reading] = ()) -> Evidence:
        """Write the footer, wait until the file is on the disk, and read the footer back.

        Raises:
            LakeError: the window was not closed, or the file does not hold the rows counted.
        """
        if self.evidence is None or not self._file.is_open:
            raise LakeError(
                "The window cannot be sealed.", action="Close it first, and seal it once."
            ).during(self.place)
        self.evidence = self.evidence.after(earlier)
        footer = self.evidence.as_footer()
        self.aside.end(footer)
        with telling(self.place):
            self._file.end(footer)
            if evidence_of(self.path, read_footer(self.path)) != self.evidence:
                raise DamagedFileError(f"{self.path} does not hold the evidence written to it.")
        return self.evidence

    def end_unsealed(self) -> None:
        """End a refused file; without a footer of ours when it was never closed."""
        if self.evidence is not None:
            self.seal()
            return
        self.aside.end({})
        with telling(self.place):
            self._file.end()

    def abort(self) -> None:
        """Remove what was written and not moved elsewhere. Does nothing the second time."""
        self._file.abort()
        self.aside.abort()
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
