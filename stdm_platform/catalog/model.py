"""What a DMO is: the vocabulary in which the catalog is written.

Belongs here: the classes `Dmo`, `Column` and `Value`. Does not: any entry (`entries/`), any
rendering of one (`derive.py`), any I/O.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Literal

ColumnType = Literal["text", "timestamp", "number", "boolean"]
Sensitivity = Literal["none", "person", "text"]

LEGACY_PREFIX = "ssot__"
NEWER_PREFIX = "std__"


@dataclass(frozen=True)
class Value:
    """A value of a vocabulary, with the place and date where it was seen."""

    value: str
    seen: str = "live, 2026-02"


@dataclass(frozen=True)
class Column:
    """One column of a DMO: its name here, its name at the source, and what it means.

    `source` is the field name of the legacy family; `other_sources` are further spellings, of
    which the `std__` form of a `ssot__` name need not be listed. `references` is the DMO whose
    key the column holds, or whose `references_column`; instead it may hold the key of one of
    `or_references`. `owns` says that the row referred to belongs to this one alone, `is_quoted` that
    the value stands in extra double quotes at times. `vocabulary` is what was seen, not what is allowed: news warns. `is_json`
    says that the marts decode it; `json_where`, a column and its value, that they do so in those rows.
    """

    name: str
    source: str
    type: ColumnType
    description: str
    required: bool = False
    sensitivity: Sensitivity = "none"
    vocabulary: tuple[Value, ...] = ()
    references: str | None = None
    references_column: str | None = None
    or_references: tuple[str, ...] = ()
    owns: bool = False
    is_quoted: bool = False
    other_sources: tuple[str, ...] = ()
    is_json: bool = False
    json_where: tuple[str, str] | None = None

    @property
    def candidates(self) -> tuple[str, ...]:
        """The field names to look for in an org, best first; matched without case."""
        names = [self.source, *self.other_sources]
        if self.source.startswith(LEGACY_PREFIX):
            names.insert(1, NEWER_PREFIX + self.source.removeprefix(LEGACY_PREFIX))
        return tuple(dict.fromkeys(names))


@dataclass(frozen=True)
class Dmo:
    """One data model object: an asset, a lake folder and a dbt source of the same name.

    `objects` are the names that the object can have in an org, best first. `key`, `clock` and
    `parent` are column names; the clock decides the UTC day of a row. The rest says how rows land
    (section 4.4 of the Data 360 page): none sooner than `shortest_lag` after its clock, so ground
    nearer to now is not read yet; held ground is read `again_after` these times after its end; and
    `settle_time` after its end its rows change no more. What is about a session is written
    `written_within_days` after the day of the session at the latest.

    A catalogue has no days: what is held under one is the whole of it, as served when it was read,
    and final at once. Its clock may be empty. `written_in` is the module of the entry where that has
    another name.
    """

    name: str
    label: str
    objects: tuple[str, ...]
    key: str
    clock: str
    parent: str | None
    columns: tuple[Column, ...]
    description: str
    settle_time: timedelta = timedelta(days=7)
    shortest_lag: timedelta = timedelta(minutes=15)
    again_after: tuple[timedelta, ...] = (
        timedelta(hours=1),
        timedelta(hours=24),
        timedelta(hours=72),
    )
    written_within_days: int = 1
    is_catalogue: bool = False
    written_in: str = ""
    _by_name: dict[str, Column] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Refuse an entry that contradicts itself, at import."""
        object.__setattr__(self, "_by_name", {column.name: column for column in self.columns})
        if len(self._by_name) != len(self.columns):
            raise ValueError(f"catalog entry {self.name}: a column name stands twice")
        clock = None if self.is_catalogue else self.clock
        for name in filter(None, (self.key, clock, self.parent)):
            if not self[name].required:
                raise ValueError(f"catalog entry {self.name}: {name} has to be required")

    def __hash__(self) -> int:
        """Of the name alone: entries are keys of caches that each window asks, and have many parts."""
        return hash(self.name)

    def __getitem__(self, name: str) -> Column:
        """The column of this name."""
        return self._by_name[name]

    @property
    def column_names(self) -> tuple[str, ...]:
        """The lake columns, in order."""
        return tuple(self._by_name)
