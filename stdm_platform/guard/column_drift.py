"""What differs in the columns of an object: missing, new, renamed, of another type, otherwise empty.

Belongs here: one look against the catalog and what was seen before, column by column. Pure. Does
not: objects, and since when it is so (`schema_drift.py`).
"""

from __future__ import annotations

from collections.abc import Collection
from functools import partial

from stdm_platform.catalog import Column, Dmo
from stdm_platform.guard import catalog_edits as edits
from stdm_platform.guard.drift import Drift
from stdm_platform.guard.kinds import is_readable, kind_of
from stdm_platform.guard.schema_snapshot import SchemaSnapshot, SeenColumn
from stdm_platform.guard.seen_before import Before, known_columns, unknown_columns

ITSELF = "Nothing has to be done: names of both families and any letters are understood."
Make = partial[Drift]


def column_drifts(dmo: Dmo, look: SchemaSnapshot, before: Before, make: Make) -> list[Drift]:
    """All drifts of columns; `make` has what they share."""
    known = known_columns(dmo, look)
    found = []
    for column in dmo.columns:
        seen = known.get(column.name)
        if seen is None:
            found.append(_missing(dmo, column, look, before, make))
        else:
            found += _of_column(dmo, column, seen, look, before, make)
    # What a required column is called now is told with it: as a new column nothing would be lost.
    renamed = {each.new for each in found if each.kind == "missing_required_column"}
    return found + _new_columns(dmo, look, make, renamed)


def _missing(dmo: Dmo, column: Column, look: SchemaSnapshot, before: Before, make: Make) -> Drift:
    """A column that is gone; one that this org never had is news and nothing more."""
    wanted = before.names[column.name].name if column.name in before.names else column.source
    like = _look_alike(dmo, column, wanted, look, before)
    action = edits.missing_column(dmo, column, like)
    make = partial(make, column=wanted, old=wanted, new=like or "", action=action)
    if column.required:
        return make("missing_required_column", "block")
    if column.name.startswith("kq_") or not before.ever(column):
        return make("missing_optional_column", "news")
    return make("missing_optional_column", "warn")


def _look_alike(
    dmo: Dmo, column: Column, wanted: str, look: SchemaSnapshot, before: Before
) -> str | None:
    """The unknown column that may be the missing one under a new name; never more than a hint.

    One of a near name; else the only new one that can hold the same.
    """
    fitting = [each for each in unknown_columns(dmo, look) if is_readable(column, each.type)]
    near = edits.nearest(wanted, [each.name for each in fitting])
    if near is not None:
        return near
    same = kind_of(before.columns[wanted.lower()].type) if wanted.lower() in before.columns else ""
    new = [
        each.name
        for each in fitting
        if before.looks and each.name.lower() not in before.columns and kind_of(each.type) == same
    ]
    return new[0] if len(new) == 1 else None


def _of_column(
    dmo: Dmo, column: Column, seen: SeenColumn, look: SchemaSnapshot, before: Before, make: Make
) -> list[Drift]:
    make = partial(make, column=seen.name)
    found = _of_type(dmo, column, seen, look, before, make)
    first = before.by_via.get((look.via, seen.name.lower()))
    if first is not None and first.name != seen.name:
        found.append(make("column_casing", "news", old=first.name, new=seen.name, action=ITSELF))
    if first is not None and None not in (first.nullable, seen.nullable):
        found += _of_nulls(column, first, seen, make)
    known = before.names.get(column.name)
    same_object = before.object_name.lower() == look.object_name.lower()
    if known is not None and same_object and known.name.lower() != seen.name.lower():
        found.append(make("column_renamed", "news", old=known.name, new=seen.name, action=ITSELF))
    return found


def _of_type(
    dmo: Dmo, column: Column, seen: SeenColumn, look: SchemaSnapshot, before: Before, make: Make
) -> list[Drift]:
    known = before.names.get(column.name)
    kind = kind_of(seen.type)
    readable = is_readable(column, seen.type)
    action = edits.accept_type(dmo, column, kind, readable=readable)
    make = partial(make, "type_changed", new=seen.type, action=action)
    if not readable:
        old = known.type if known and is_readable(column, known.type) else column.type
        return [make(severity="block", old=old)]
    if known is None or not kind or kind_of(known.type) in ("", kind):
        first = before.by_via.get((look.via, seen.name.lower()))
        if first is not None and first.type != seen.type and kind and kind_of(first.type) == kind:
            return [make(severity="news", old=first.type)]
        return []
    # Back from a type that nobody could read, or as the catalog has it: nothing is left to tell.
    if kind == column.type or not is_readable(column, known.type):
        return []
    return [make(severity="warn", old=known.type)]


def _of_nulls(column: Column, first: SeenColumn, seen: SeenColumn, make: Make) -> list[Drift]:
    if first.nullable == seen.nullable:
        return []
    said = {True: "may be empty", False: "never empty"}
    loosened = column.required and seen.nullable
    return [
        make(
            "nullability_changed",
            "warn" if loosened else "news",
            old=said[bool(first.nullable)],
            new=said[bool(seen.nullable)],
            action=f"Rows without {seen.name} would break their contract: ask the org's admin why."
            if loosened
            else "Nothing has to be done.",
        )
    ]


def _new_columns(
    dmo: Dmo, look: SchemaSnapshot, make: Make, renamed: Collection[str]
) -> list[Drift]:
    return [
        make(
            "new_column",
            "news",
            column=each.name,
            old="",
            new=each.type,
            action=edits.accept_column(dmo, each.name, kind_of(each.type)),
        )
        for each in unknown_columns(dmo, look)
        if each.name not in renamed
    ]
