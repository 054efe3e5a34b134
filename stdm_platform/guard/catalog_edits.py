"""The next action of a drift; for accepting something, the exact edit of the catalog.

Belongs here: sentences. Does not: deciding which drift it is (`schema_drift.py`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from difflib import SequenceMatcher

from stdm_platform.catalog import Column, Dmo
from stdm_platform.catalog.entries.audit import audit_columns, feature, occurred
from stdm_platform.catalog.entries.system import owner_columns, system_columns
from stdm_platform.catalog.model import LEGACY_PREFIX, NEWER_PREFIX

ENTRIES = "stdm_platform/catalog/entries"
THEN = "then run `python -m stdm_platform.catalog.sync`"
CATALOG_TYPES = ("text", "timestamp", "number", "boolean")
NEAR = 0.72
"""Likeness of two names from which on one may be the other; `StartTime` and `StartTimestamp` have 0.78."""

_SHARED = {
    **{each.source: "system" for each in (*system_columns(), *owner_columns())},
    **{each.source: "audit" for each in (feature(), occurred(""), *audit_columns())},
    **{each.source: "audit" for each in audit_columns(org="salesforceOrgId")},
}
"""The modules of columns that several entries share, by source name."""


def file_of(dmo: Dmo, column: Column | None = None) -> str:
    """The file in which the entry, or the column that several entries share, is written."""
    own = dmo.written_in or dmo.name
    return f"{ENTRIES}/{own if column is None else _SHARED.get(column.source, own)}.py"


def accept_name(dmo: Dmo, column: Column, name: str) -> str:
    """The edit after which this name is known as that column."""
    if column.name.startswith("kq_"):
        return f"nothing has to be done: no mart reads {column.name}"
    if not dmo.objects[0].startswith(LEGACY_PREFIX):
        field = name.removeprefix(NEWER_PREFIX).removesuffix("__c")
        return f'add "{field}" to the fields of "{column.name}" in {file_of(dmo, column)}'
    others = (*column.other_sources, name)
    said = ", ".join(f'"{each}"' for each in others) + ("," if len(others) == 1 else "")
    verb = "write" if column.other_sources else "add"
    edit = f'{verb} other_sources=({said}) in Column("{column.name}", …)'
    return f"{edit} in {file_of(dmo, column)}"


def missing_column(dmo: Dmo, column: Column, like: str | None) -> str:
    """What to do when a known column is not there."""
    if like is not None:
        edit = accept_name(dmo, column, like)
        return f'It looks like "{like}" now: if that is the same column, {edit}; else {_admin()}.'
    edit = accept_name(dmo, column, "NEW_NAME")
    lost = "" if column.required else " Until then it is null in the lake."
    return f"{_sentence(_admin())}; if it was renamed, {edit}.{lost}"


def accept_column(dmo: Dmo, name: str, kind: str) -> str:
    """The edit after which a new column is extracted."""
    taken = set(dmo.column_names)
    lake = _snake(name)
    lake = f"{lake}_2" if lake in taken else lake
    kind = kind if kind in CATALOG_TYPES else "text"
    edit = f'add Column("{lake}", "{name}", "{kind}", "…") to columns in {file_of(dmo)}'
    return f"Nothing is lost. To extract it, {edit}, {THEN}."


def accept_type(dmo: Dmo, column: Column, kind: str, *, readable: bool) -> str:
    """What to do when a column comes as another type."""
    if readable:
        return f'It is still read as "{column.type}"; look whether its values still mean the same.'
    if column.name == dmo.clock:
        return (
            f"Ask the org's admin to change it back: {dmo.name} has no other clock to be placed by."
        )
    if kind in CATALOG_TYPES:
        edit = f'write "{kind}" for "{column.type}" in Column("{column.name}", …)'
        where = f"{file_of(dmo, column)} and raise CATALOG_VERSION in stdm_platform/catalog"
        return f"{_sentence(_admin('changed'))}; if it is meant, {edit} in {where}/__init__.py."
    return f"{_sentence(_admin('changed'))}: no type of the catalog can hold {kind or 'it'}."


def accept_object(dmo: Dmo, near: Iterable[str]) -> str:
    """What to do when none of the object's names is there any more."""
    like = nearest(dmo.objects[0], near)
    name = like or "NEW_NAME"
    edit = f'add "{name}" to objects=(…) of Dmo(name="{dmo.name}") in {file_of(dmo)}'
    for_good = f" If it is gone for good, move lake/{dmo.name} and schemas/{dmo.name} away."
    if like is not None:
        said = f'It looks like "{like}" now: if that is the same object, {edit}; else {_admin()}.'
    else:
        said = (
            "Check that the user may still see it; if it was renamed (Data Model in Data 360 lists "
            f"the names), {edit}."
        )
    return said + for_good


def accept_value(dmo: Dmo, column: Column, value: str, seen: str) -> str:
    """The edit after which a value of a vocabulary is no news."""
    said = value.replace("\\", "\\\\").replace('"', '\\"')
    edit = f'add Value("{said}", "{seen}") to vocabulary of Column("{column.name}", …)'
    return f"If the value is meant, {edit} in {file_of(dmo, column)}."


def nearest(name: str, others: Iterable[str], *, least: float = NEAR) -> str | None:
    """The name most like this one, if any is near; prefixes, suffixes and case do not count."""
    wanted = _core(name)
    scored = [(SequenceMatcher(None, wanted, _core(each)).ratio(), each) for each in others]
    best = max(scored, default=(0.0, ""))
    return best[1] if best[0] >= least else None


def _core(name: str) -> str:
    text = name.lower()
    for prefix in (LEGACY_PREFIX, NEWER_PREFIX):
        text = text.removeprefix(prefix)
    return text.removesuffix("__c").removesuffix("__dlm").removesuffix("dmo").replace("_", "")


def _snake(name: str) -> str:
    for prefix in (LEGACY_PREFIX, NEWER_PREFIX):
        name = name.removeprefix(prefix)
    name = name.removesuffix("__c")
    return re.sub(r"\W+", "_", re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name)).lower().strip("_")


def _admin(what: str = "gone") -> str:
    return f"ask the org's admin why it is {what}"


def _sentence(text: str) -> str:
    return text[0].upper() + text[1:]
