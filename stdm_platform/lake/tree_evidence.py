"""What a file of a tree says of itself, and its form in the Parquet footer.

Belongs here: `TreeEvidence` and its footer keys. Does not: finding trees (`trees.py`).

The keys are those of a window file (`evidence.py`) without the window, and three of their own:
which sessions the reading holds, which files it consists of, which objects the org lacks.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from stdm_platform.errors import DamagedFileError
from stdm_platform.lake.evidence import PREFIX, Reading, read_footer
from stdm_platform.lake.window import as_text, from_text


@dataclass(frozen=True)
class TreeEvidence:
    """The facts of one file of one reading of whole sessions.

    `sessions` are the ids as they were asked for, of those that the org has rows of. `tables` are
    the files of the reading, `absent` the DMOs that the org lacks or cannot find rows of. `readings`
    are the queries of this reading, `quarantined` (reason → rows) the rows kept aside; `rows_processed` of them is what Salesforce bills.
    """

    dmo: str
    org_id: str
    catalog_version: str
    absent_columns: tuple[str, ...]
    rows: int
    min_clock: datetime | None
    max_clock: datetime | None
    checksum: str
    read_at: datetime
    readings: tuple[Reading, ...]
    sessions: tuple[str, ...]
    tables: tuple[str, ...]
    absent: tuple[str, ...]
    quarantined: Mapping[str, int] = field(default_factory=dict, hash=False)

    @property
    def quarantined_rows(self) -> int:
        """Rows kept aside."""
        return sum(self.quarantined.values())

    @property
    def rows_processed(self) -> int | None:
        """Rows that the org processed for this file; None when it did not say for any query."""
        said = [each.rows_processed for each in self.readings if each.rows_processed is not None]
        return sum(said) if said else None

    def as_footer(self) -> dict[str, str]:
        """Footer key-values."""
        facts = {
            "dmo": self.dmo,
            "org_id": self.org_id,
            "catalog_version": self.catalog_version,
            "absent_columns": json.dumps(self.absent_columns),
            "rows": str(self.rows),
            "min_clock": "" if self.min_clock is None else as_text(self.min_clock),
            "max_clock": "" if self.max_clock is None else as_text(self.max_clock),
            "checksum": self.checksum,
            "read_at": as_text(self.read_at),
            "readings": json.dumps([reading.as_json() for reading in self.readings]),
            "tree_sessions": json.dumps(self.sessions),
            "tree_tables": json.dumps(self.tables),
            "tree_absent": json.dumps(self.absent),
            "tree_quarantined": json.dumps(dict(self.quarantined)),
        }
        return {PREFIX + key: value for key, value in facts.items()}

    @classmethod
    def of_path(cls, path: Path) -> TreeEvidence:
        """The evidence in the footer of a file.

        Raises:
            OSError: the file cannot be opened; its reading may have been removed meanwhile.
            DamagedFileError: no footer, not one of a tree, or another number of rows.
        """
        try:
            return cls._of_footer(read_footer(path))
        except (LookupError, ValueError, TypeError) as error:
            raise DamagedFileError(
                f"The footer of {path} is not one of a tree: {error!r}."
            ) from error

    @classmethod
    def _of_footer(cls, footer: Mapping[str, str]) -> TreeEvidence:
        facts = {key.removeprefix(PREFIX): value for key, value in footer.items()}
        return cls(
            dmo=facts["dmo"],
            org_id=facts["org_id"],
            catalog_version=facts["catalog_version"],
            absent_columns=tuple(json.loads(facts["absent_columns"])),
            rows=int(facts["rows"]),
            min_clock=from_text(facts["min_clock"]) if facts["min_clock"] else None,
            max_clock=from_text(facts["max_clock"]) if facts["max_clock"] else None,
            checksum=facts["checksum"],
            read_at=from_text(facts["read_at"]),
            readings=tuple(Reading.from_json(fields) for fields in json.loads(facts["readings"])),
            sessions=tuple(json.loads(facts["tree_sessions"])),
            tables=tuple(json.loads(facts["tree_tables"])),
            absent=tuple(json.loads(facts["tree_absent"])),
            quarantined=dict(json.loads(facts.get("tree_quarantined", "{}"))),
        )
