"""What a window file says of itself, and its form in the Parquet footer.

Belongs here: `Reading`, `Evidence`, footer keys. Does not: deciding any of it.

The footer is the only ledger: one key per fact, named `stdm.<fact>`, so that
`parquet_kv_metadata` in DuckDB shows them to anyone.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from stdm_platform.errors import DamagedFileError, StdmError
from stdm_platform.lake.window import Window, as_text, from_text

PREFIX = "stdm."
TYPES = "types"
"""Key of the digest of a file's columns and types, which we add to the footer's own when reading."""


@dataclass(frozen=True)
class Reading:
    """One query that read the window. `rows_processed` is what Salesforce bills.

    `rows` and `window` are what it found and of which ground, so that a day can be compared with how
    other days were read at the same age; None in older files and for whole sessions.
    """

    read_at: datetime
    query_id: str
    sql_sha256: str
    rows_processed: int | None
    transport: str
    rows: int | None = None
    window: Window | None = None

    def as_json(self) -> dict[str, Any]:
        """The form in the footer."""
        fields = {**vars(self), "read_at": as_text(self.read_at)}
        del fields["rows"], fields["window"]
        if self.rows is not None and self.window is not None:
            ground = [as_text(self.window.start), as_text(self.window.end)]
            fields |= {"rows": self.rows, "window": ground}
        return fields

    @classmethod
    def from_json(cls, fields: Mapping[str, Any]) -> Reading:
        """The reading of that form."""
        ground = fields.get("window")
        window = None if ground is None else Window(*map(from_text, ground))
        return cls(**{**fields, "read_at": from_text(fields["read_at"]), "window": window})


@dataclass(frozen=True)
class Evidence:
    """The facts of one window file.

    `absent_columns` are source names that the org lacks or was not asked for, so null here; `readings` are all that were ever made
    of this ground, oldest first, the one that gave the rows last.

    `profile` is what the rows look like, as JSON holds it: `nulls` (lake column → rows without a
    value), `unseen` (source column → value as served → rows), `object` (its name in the org),
    `types` (source column → type as served) `quarantined` and more by later readers; empty in older files.
    """

    window: Window
    dmo: str
    org_id: str
    catalog_version: str
    absent_columns: tuple[str, ...]
    rows: int
    min_clock: datetime | None
    max_clock: datetime | None
    checksum: str
    readings: tuple[Reading, ...]
    settled: bool
    profile: Mapping[str, Any] = field(default_factory=dict, hash=False)

    @property
    def read_at(self) -> datetime:
        """When the rows were read."""
        return self.readings[-1].read_at

    @property
    def quarantined(self) -> dict[str, int]:
        """Reason → rows of the window that are kept aside in `quarantine/`."""
        return {
            str(reason): int(rows) for reason, rows in self.profile.get("quarantined", {}).items()
        }

    @property
    def quarantined_rows(self) -> int:
        """Rows of the window that are kept aside."""
        return sum(self.quarantined.values())

    @cached_property
    def line(self) -> str:
        """Window, whether it is final, content and absent columns, for digests; ticks want it often."""
        return f"{self.window} {self.settled} {self.checksum} {sorted(self.absent_columns)}"

    def after(self, earlier: Iterable[Reading]) -> Evidence:
        """The same with earlier readings of the same ground put before its own."""
        ordered = sorted(earlier, key=lambda reading: reading.read_at)
        return replace(self, readings=(*ordered, *self.readings))

    def as_footer(self) -> dict[str, str]:
        """Footer key-values."""
        facts = {
            "window_start": as_text(self.window.start),
            "window_end": as_text(self.window.end),
            "dmo": self.dmo,
            "org_id": self.org_id,
            "catalog_version": self.catalog_version,
            "absent_columns": json.dumps(self.absent_columns),
            "rows": str(self.rows),
            "min_clock": _optional_text(self.min_clock),
            "max_clock": _optional_text(self.max_clock),
            "checksum": self.checksum,
            "readings": json.dumps([reading.as_json() for reading in self.readings]),
            "settled": "true" if self.settled else "false",
            "profile": json.dumps(self.profile, separators=(",", ":")),
        }
        return {PREFIX + key: value for key, value in facts.items()}

    @classmethod
    def from_footer(cls, footer: Mapping[str, str]) -> Evidence:
        """The evidence of footer key-values.

        Raises:
            KeyError: a key is missing.
            ValueError: a value cannot be read.
        """
        facts = {key.removeprefix(PREFIX): value for key, value in footer.items()}
        readings = tuple(Reading.from_json(fields) for fields in json.loads(facts["readings"]))
        if not readings:
            raise ValueError("no reading in the footer")
        return cls(
            window=Window(from_text(facts["window_start"]), from_text(facts["window_end"])),
            dmo=facts["dmo"],
            org_id=facts["org_id"],
            catalog_version=facts["catalog_version"],
            absent_columns=tuple(json.loads(facts["absent_columns"])),
            rows=int(facts["rows"]),
            min_clock=_optional_instant(facts["min_clock"]),
            max_clock=_optional_instant(facts["max_clock"]),
            checksum=facts["checksum"],
            readings=readings,
            settled=facts["settled"] == "true",
            profile=_profile(facts.get("profile", "{}")),
        )


def read_footer(path: Path) -> dict[str, str]:
    """Our key-values in the footer of a file, whose rows add up to what they say.

    Raises:
        OSError: the file cannot be opened or read; that says nothing about its content.
        DamagedFileError: no footer, not one of ours, or its row groups hold another number of rows.
    """
    with pa.OSFile(str(path)) as file:
        try:
            metadata = pq.read_metadata(file)
        except (OSError, pa.ArrowException) as error:
            if isinstance(error, OSError) and error.errno is not None:
                raise
            raise DamagedFileError(f"The footer of {path} cannot be read: {error}.") from error
    # A damaged text is found by the values that it spoils, so decoding itself need not fail.
    footer = {
        key.decode(errors="replace"): value.decode(errors="replace")
        for key, value in (metadata.metadata or {}).items()
        if key.startswith(PREFIX.encode())
    }
    held = sum(metadata.row_group(index).num_rows for index in range(metadata.num_row_groups))
    if footer.get(PREFIX + "rows") != str(held):
        said = footer.get(PREFIX + "rows", "nothing")
        raise DamagedFileError(f"{path} holds {held} rows, and its footer says {said}.")
    return {**footer, TYPES: type_digest(metadata.schema.to_arrow_schema())}


def type_digest(schema: pa.Schema) -> str:
    """A short text that two schemas share when they have the same columns and types, in order."""
    fields = "\n".join(f"{field.name} {field.type}" for field in schema)
    return hashlib.sha256(fields.encode()).hexdigest()[:12]


def evidence_of(path: Path, footer: Mapping[str, str]) -> Evidence:
    """The evidence in these key-values of that file.

    Raises:
        DamagedFileError: a fact is missing or cannot be read.
    """
    try:
        return Evidence.from_footer(footer)
    except (LookupError, ValueError, TypeError, StdmError) as error:
        raise DamagedFileError(f"The footer of {path} is not one of ours: {error!r}.") from error


def evidence_of_path(path: Path) -> Evidence:
    """The evidence in the footer of any file of ours, wherever it lies.

    Raises:
        OSError: the file cannot be opened or read.
        DamagedFileError: no footer, or not one of ours.
    """
    return evidence_of(path, read_footer(path))


def _profile(text: str) -> dict[str, Any]:
    profile = json.loads(text)
    if not isinstance(profile, dict):
        raise TypeError("the profile is no JSON object")
    return profile


def _optional_text(instant: datetime | None) -> str:
    return "" if instant is None else as_text(instant)


def _optional_instant(text: str) -> datetime | None:
    return from_text(text) if text else None
