"""What changed at the source, and the words for it.

Belongs here: `Drift`, its severities and its sentence. Does not: finding it (`schema_drift.py`),
the next action (`catalog_edits.py`), telling people (`orchestration`, `cli`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal

Severity = Literal["block", "warn", "news"]
SEVERITIES: tuple[Severity, ...] = ("block", "warn", "news")
"""`block`: days of the DMO are refused or fail until it is settled. `warn`: rows come, and something
of them is lost or may be. `news`: nothing is lost; nobody is paged."""

KINDS: Mapping[str, str] = {
    "missing_required_column": "a required column is gone",
    "missing_optional_column": "an optional column is not there",
    "new_column": "a column that the catalog does not know",
    "type_changed": "a column has another type",
    "nullability_changed": "a column says otherwise whether it can be empty",
    "column_renamed": "a column has another of its known names",
    "column_casing": "a column is spelled in other letters",
    "object_gone": "no object has a known name any more",
    "object_absent": "the org has no such object",
    "object_come": "the org has the object now",
    "object_renamed": "the object has another of its known names",
    "object_casing": "the object is spelled in other letters",
    "family_changed": "the object is of the other family of names",
    "mixed_families": "names of both families",
    "new_value": "a value that the vocabulary does not know",
    "value_replaced": "a value that the marts do not know has taken the place of known ones",
    "null_in_days": "days that were read while the org lacked the column",
    "volume": "more or fewer rows than days usually have",
    "null_share": "more rows without a value than usual",
    "text_decodes": "more texts that cannot be decoded than usual",
    "duplicate_share": "more rows that repeat others than usual",
}
"""Every kind, and what it says."""

OF_FIGURES = frozenset({"volume", "null_share", "text_decodes", "duplicate_share"})
"""Kinds whose `new` is a figure of the first day, which another reading may change."""


@dataclass(frozen=True)
class Drift:
    """One difference between the source, the catalog and what was seen before.

    `column` is a source name, "" where the whole object is meant. `old` and `new` are names, types
    or values of a vocabulary; "" is "nothing". `first_day` is the UTC day of the first look, or the
    day of the first rows, since which it has been so.
    """

    kind: str
    severity: Severity
    dmo: str
    object_name: str
    column: str
    old: str
    new: str
    first_day: date
    action: str

    @property
    def key(self) -> tuple[str, str, str, str]:
        """What makes two findings the same drift, whenever each was seen."""
        new = "" if self.kind in OF_FIGURES else self.new
        return (self.kind, self.dmo, self.column.lower(), new)

    @property
    def identity(self) -> str:
        """Names this drift since this day, for telling people of it once."""
        return " ".join([*self.key, self.first_day.isoformat()])

    @property
    def rank(self) -> tuple[int, str, str, str]:
        """Blocking ones first, then by DMO and column."""
        return (SEVERITIES.index(self.severity), self.dmo, self.column, self.kind)

    def describe(self) -> str:
        """One line: place, what, old, new, since when, next action."""
        place = f"{self.dmo} ({self.object_name or 'no object'})"
        what = f"{self.column}: {KINDS[self.kind]}" if self.column else KINDS[self.kind]
        change = f"{self.old or 'nothing'} → {self.new or 'nothing'}"
        return f"{place}: {what} ({change}), since {self.first_day}. {self.action}"

    def as_dict(self) -> dict[str, Any]:
        """For JSON and tables."""
        return {
            "severity": self.severity,
            "kind": self.kind,
            "table": self.dmo,
            "object": self.object_name,
            "column": self.column,
            "old": self.old,
            "new": self.new,
            "first_day": self.first_day,
            "action": self.action,
        }
