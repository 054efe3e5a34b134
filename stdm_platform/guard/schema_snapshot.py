"""What one look at an org saw of a DMO, as it is kept and compared.

Belongs here: `SchemaSnapshot`, its digest and its JSON. Does not: looking and keeping
(`extraction`), comparing (`schema_drift.py`).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

INSTANT = "%Y-%m-%dT%H:%M:%SZ"
METADATA = "metadata"
"""`via` of a snapshot from the metadata resource; the others are transports of a query."""


@dataclass(frozen=True)
class SeenColumn:
    """A column as the org spells and types it; `nullable` is None where nobody told."""

    name: str
    type: str
    nullable: bool | None = None


@dataclass(frozen=True)
class SchemaSnapshot:
    """A DMO in one org at an aware instant, cut to seconds.

    `objects` are the present ones of the catalog's names, the one with rows first; none: the org
    lacks the DMO. `columns` are those of the first. `via` is `metadata`, `arrow` or `json`; only
    the metadata resource tells how the org spells an object. `near` are objects of the org whose
    names are like the ones looked for; looked for only when there is none of those.
    """

    dmo: str
    at: datetime
    via: str
    objects: tuple[str, ...]
    columns: tuple[SeenColumn, ...] = ()
    near: tuple[str, ...] = ()

    @property
    def object_name(self) -> str:
        """The object that is read; "" if there is none."""
        return self.objects[0] if self.objects else ""

    @property
    def digest(self) -> str:
        """Eight letters that change with everything but the instant."""
        content = {key: value for key, value in self.as_json().items() if key != "at"}
        text = json.dumps(content, sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:8]

    def found(self) -> dict[str, SeenColumn]:
        """The columns by their names in lower case."""
        return {column.name.lower(): column for column in self.columns}

    def as_json(self) -> dict[str, Any]:
        """The form in the file; one line per column, for people who compare two files."""
        return {
            "dmo": self.dmo,
            "at": self.at.astimezone(UTC).strftime(INSTANT),
            "via": self.via,
            "objects": list(self.objects),
            "near": list(self.near),
            "columns": [
                {"name": each.name, "type": each.type, "nullable": each.nullable}
                for each in self.columns
            ],
        }

    @classmethod
    def from_json(cls, fields: Mapping[str, Any]) -> SchemaSnapshot:
        """The snapshot of that form.

        Raises:
            KeyError, ValueError, TypeError: it is no such form.
        """
        return cls(
            dmo=str(fields["dmo"]),
            at=datetime.strptime(fields["at"], INSTANT).replace(tzinfo=UTC),
            via=str(fields["via"]),
            objects=tuple(map(str, fields["objects"])),
            columns=tuple(SeenColumn(**column) for column in fields["columns"]),
            near=tuple(map(str, fields.get("near", ()))),
        )
