"""Looks at an org as the catalog has it, and with what differs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from stdm_platform.catalog import Dmo
from stdm_platform.extraction.shape import USUAL_TYPES
from stdm_platform.guard import Drift, SchemaSnapshot, SeenColumn, schema_drifts

FIRST = datetime(2026, 1, 14, 12, tzinfo=UTC)
DAY = timedelta(days=1)


def look(
    dmo: Dmo,
    *,
    day: int = 0,
    via: str = "arrow",
    without: Sequence[str] = (),
    types: Mapping[str, str] | None = None,
    names: Mapping[str, str] | None = None,
    more: Sequence[SeenColumn] = (),
    objects: Sequence[str] | None = None,
    near: Sequence[str] = (),
    never_empty: Sequence[str] = (),
) -> SchemaSnapshot:
    """A look on the n-th day; columns are named by their lake names."""
    columns = [
        SeenColumn(
            (names or {}).get(column.name, column.source),
            (types or {}).get(column.name, USUAL_TYPES[column.type]),
            column.name not in never_empty,
        )
        for column in dmo.columns
        if column.name not in without
    ]
    present = tuple(dmo.objects[:1] if objects is None else objects)
    return SchemaSnapshot(
        dmo.name, FIRST + day * DAY, via, present, (*columns, *more) if present else (),
        tuple(near),
    )  # fmt: skip


def in_newer_family(dmo: Dmo, day: int = 0) -> SchemaSnapshot:
    """All of it under the names of the other family."""
    names = {
        column.name: column.candidates[1] for column in dmo.columns if len(column.candidates) > 1
    }
    return look(dmo, day=day, names=names, objects=dmo.objects[1:])


def after(dmo: Dmo, changed: SchemaSnapshot) -> list[Drift]:
    """What stands when the org was as the catalog says on the first day, and then so."""
    return schema_drifts(dmo, [look(dmo, via=changed.via), replace(changed, at=FIRST + DAY)])
