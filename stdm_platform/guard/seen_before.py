"""What was seen of a DMO before a look, and which column of a look is which of the catalog.

Belongs here: matching names with the catalog, remembering first forms. Does not: judging
(`schema_drift.py`, `column_drift.py`).
"""

from __future__ import annotations

from dataclasses import dataclass, field

from stdm_platform.catalog import Column, Dmo
from stdm_platform.catalog.model import LEGACY_PREFIX, NEWER_PREFIX
from stdm_platform.guard.schema_snapshot import SchemaSnapshot, SeenColumn

SYSTEM_NAMES = ("kq_", "ssot__cdp_sys_", "std__cdp_sys_", "cdp_sys_")
"""Columns that Data 360 adds to any object (section 5.1 of the Data 360 page): never news."""
SYSTEM_COLUMNS = {"ssot__externalsourceid__c", "std__externalsourceid__c"}


@dataclass
class Before:
    """What was seen of a DMO up to some look: the first form of everything.

    `held` are lake columns that windows of the lake hold values of, whoever saw them when.
    """

    held: frozenset[str] = frozenset()
    looks: int = 0
    object_name: str = ""
    spellings: dict[str, str] = field(default_factory=dict)
    columns: dict[str, SeenColumn] = field(default_factory=dict)
    by_via: dict[tuple[str, str], SeenColumn] = field(default_factory=dict)
    names: dict[str, SeenColumn] = field(default_factory=dict)

    def add(self, dmo: Dmo, look: SchemaSnapshot) -> None:
        """Remember what a look saw first."""
        self.looks += 1
        self.object_name = self.object_name or look.object_name
        if look.object_name:
            self.spellings.setdefault(look.via, look.object_name)
        for name, column in look.found().items():
            self.columns.setdefault(name, column)
            self.by_via.setdefault((look.via, name), column)
        for name, column in known_columns(dmo, look).items():
            self.names.setdefault(name, column)

    def ever(self, column: Column) -> bool:
        """Whether the column was there once."""
        return column.name in self.names or column.name in self.held


def known_columns(dmo: Dmo, look: SchemaSnapshot) -> dict[str, SeenColumn]:
    """Lake column → the column of the look that is read as it; missing ones are left out."""
    found = look.found()
    known = {}
    for column in dmo.columns:
        names = [each.lower() for each in column.candidates if each.lower() in found]
        if names:
            known[column.name] = found[names[0]]
    return known


def unknown_columns(dmo: Dmo, look: SchemaSnapshot) -> list[SeenColumn]:
    """The columns of a look that the catalog has no name for, but Data 360's own."""
    known = {name.lower() for column in dmo.columns for name in column.candidates}
    known |= SYSTEM_COLUMNS
    return [
        each
        for name, each in look.found().items()
        if name not in known and not name.startswith(SYSTEM_NAMES)
    ]


def family_of(name: str) -> str:
    """The prefix of a source name that says its family; "" if it has none."""
    return next((p for p in (LEGACY_PREFIX, NEWER_PREFIX) if name.lower().startswith(p)), "")
