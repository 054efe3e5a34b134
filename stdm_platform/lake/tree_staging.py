"""A reading of whole sessions while it is written: one file per DMO, in a folder nobody sees.

Belongs here: beginning and sealing its files, refusing it. Does not: publishing (`store.py`),
checking contracts (`guard`).
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any

from stdm_platform.catalog import CATALOG_VERSION, Dmo
from stdm_platform.errors import DamagedFileError
from stdm_platform.lake import files
from stdm_platform.lake.evidence import Reading
from stdm_platform.lake.locking import OwnedFolder
from stdm_platform.lake.proof import Proof, refuse_unproven
from stdm_platform.lake.quarantine import QuarantineFile
from stdm_platform.lake.row_file import RowFile
from stdm_platform.lake.telling import telling
from stdm_platform.lake.tree_evidence import TreeEvidence
from stdm_platform.lake.window import as_text

PLACE = "whole sessions"
ASIDE = "quarantine"
"""The folder inside a reading with the rows kept aside of its files, if there are any."""


@dataclass
class _Part:
    file: RowFile
    aside: QuarantineFile
    proof: Proof | None = None
    readings: tuple[Reading, ...] = ()
    absent_columns: tuple[str, ...] = ()


class StagedTree:
    """The files of one reading. As a context manager it removes what was not published."""

    def __init__(self, owned: OwnedFolder) -> None:
        self.folder = owned.path / "tree"
        self.spool = owned.path
        self.evidence: dict[str, TreeEvidence] = {}
        self._owned = owned
        self._parts: dict[str, _Part] = {}
        try:
            files.make_folder(self.folder)
        except OSError:
            owned.remove()  # nobody has this object yet, to end it
            raise

    def begin(self, dmo: Dmo) -> tuple[RowFile, QuarantineFile]:
        """The empty file of a DMO, and the one for rows kept aside; an earlier attempt is gone."""
        aside = self.folder / ASIDE / f"{dmo.name}.parquet"
        earlier = self._parts.pop(dmo.name, None)
        if earlier is not None:
            earlier.file.abort()
            earlier.aside.abort()
            files.remove_file(aside)
        place = f"{dmo.name} of {PLACE}"
        with telling(place):
            file = RowFile(dmo, self.folder / f"{dmo.name}.parquet", place)
        part = self._parts[dmo.name] = _Part(file, QuarantineFile(dmo, aside, place))
        return part.file, part.aside

    def finish(
        self,
        dmo: Dmo,
        readings: Sequence[Reading],
        absent_columns: Sequence[str],
        proof: Proof | None = None,
    ) -> None:
        """Note that the file of a DMO has all its rows, which queries gave them, and the contract's word."""
        part = self._parts[dmo.name]
        part.proof = proof
        with telling(part.file.place):
            part.file.flush()
        part.readings, part.absent_columns = tuple(readings), tuple(absent_columns)

    def seal(
        self, *, org_id: str, read_at: datetime, sessions: Sequence[str], absent: Sequence[str]
    ) -> Mapping[str, TreeEvidence]:
        """Write the footers, wait until all is on the disk, and read the footers back.

        Raises:
            LakeError: the disk refuses, or a file does not hold the rows counted.
        """
        for name, part in self._parts.items():
            file = part.file
            said = TreeEvidence(
                dmo=name,
                org_id=org_id,
                catalog_version=CATALOG_VERSION,
                absent_columns=part.absent_columns,
                rows=file.rows,
                min_clock=file.min_clock,
                max_clock=file.max_clock,
                checksum=file.checksum,
                read_at=read_at,
                readings=part.readings,
                sessions=tuple(sessions),
                tables=tuple(self._parts),
                absent=tuple(absent),
                quarantined=dict(part.proof.quarantined) if part.proof else {},
            )
            part.aside.end(said.as_footer())
            with telling(file.place):
                file.end(said.as_footer())
                if TreeEvidence.of_path(file.path) != said:
                    raise DamagedFileError(f"{file.path} does not hold the evidence written to it.")
            self.evidence[name] = said
        with telling(PLACE):
            self._sync_names()
        return self.evidence

    def refuse_unproven(self) -> None:
        """Raise a LakeError unless a contract let the rows of every file pass."""
        for name, part in self._parts.items():
            with telling(part.file.place):
                refuse_unproven(
                    part.proof, name, None, written=part.file.rows, aside=part.aside.rows
                )

    def refuse(self, target: Path, reason: str, details: Mapping[str, Any], at: datetime) -> Path:
        """Move the files below `target`, with a JSON of the reason, which holds no text."""
        with telling(PLACE):
            for part in self._parts.values():
                part.aside.end({})
                part.file.end()
            files.make_folder(target)
            kept = target / f"{at:%Y%m%dT%H%M%SZ}_{uuid.uuid4().hex[:8]}"
            self._sync_names()
            files.move(self.folder, kept)
            files.sync_folder(target)
            files.sync_folder(self.folder.parent)
            content = {"at": as_text(at), "reason": reason, "details": dict(details)}
            text = json.dumps(content, indent=1, sort_keys=True, default=str)
            files.write_file(kept / "reason.json", text.encode())
        return kept

    def abort(self) -> None:
        """Remove what was written and not moved elsewhere. Does nothing the second time."""
        for part in self._parts.values():
            part.file.abort()
            part.aside.abort()
        with telling(PLACE):
            self._owned.remove()

    def _sync_names(self) -> None:
        if any(part.aside.rows for part in self._parts.values()):
            files.sync_folder(self.folder / ASIDE)
        files.sync_folder(self.folder)

    def __enter__(self) -> StagedTree:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.abort()
