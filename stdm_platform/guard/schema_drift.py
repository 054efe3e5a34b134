"""What differs between a look at an org, the catalog, and the looks before.

Belongs here: comparing. Pure. Does not: taking and keeping looks (`extraction`), next actions
(`catalog_edits.py`), what rows say (`contract.py`, `value_drift.py`).

A look sees names as its way of looking shows them: transports spell types differently, V3 may
lower-case names, and the metadata resource leaves out columns that a query shows. So types are
compared by what they hold, and spelling, exact types and nullability only within one way of looking.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial

from stdm_platform.catalog import Dmo
from stdm_platform.guard import catalog_edits as edits
from stdm_platform.guard.column_drift import ITSELF, Make, column_drifts
from stdm_platform.guard.drift import Drift
from stdm_platform.guard.schema_snapshot import METADATA, SchemaSnapshot
from stdm_platform.guard.seen_before import Before, family_of, known_columns


def schema_drifts(
    dmo: Dmo, looks: Sequence[SchemaSnapshot], *, held: Iterable[str] = ()
) -> list[Drift]:
    """What stands at the last of these looks, oldest first given; worst first.

    Args:
        dmo: the catalog's entry as it is now: what it has accepted meanwhile is no drift.
        looks: of this DMO; none gives nothing.
        held: lake columns of which the lake holds values from before.
    """
    before = Before(frozenset(held))
    standing: dict[tuple[str, str, str, str], Drift] = {}
    for look in looks:
        found = {each.key: each for each in differences(dmo, look, before)}
        standing = {
            key: replace(each, first_day=standing[key].first_day) if key in standing else each
            for key, each in found.items()
        }
        before.add(dmo, look)
    return sorted(standing.values(), key=lambda each: each.rank)


def differences(dmo: Dmo, look: SchemaSnapshot, before: Before) -> list[Drift]:
    """What one look finds other than the catalog says and than it was before."""
    make = partial(
        Drift, dmo=dmo.name, object_name=look.object_name, first_day=look.at.date(), column=""
    )
    if not look.objects:
        return [_no_object(dmo, look, before, make)]
    return _of_object(dmo, look, before, make) + column_drifts(dmo, look, before, make)


def _no_object(dmo: Dmo, look: SchemaSnapshot, before: Before, make: Make) -> Drift:
    if not before.object_name and not before.held:
        action = f"Days of {dmo.name} are skipped; turn the feature on in Setup if it is wanted."
        old = " or ".join(dmo.objects)
        return make("object_absent", "news", old=old, new="", action=action)
    action = edits.accept_object(dmo, look.near)
    old = before.object_name or dmo.objects[0]
    like = edits.nearest(dmo.objects[0], look.near) or ""
    return make("object_gone", "block", object_name=old, old=old, new=like, action=action)


def _of_object(dmo: Dmo, look: SchemaSnapshot, before: Before, make: Make) -> list[Drift]:
    name, old, found = look.object_name, before.object_name, []
    if before.looks and not old:
        action = "Extract the days that you want of it; the sensor reads new ones by itself."
        found.append(make("object_come", "news", old="", new=name, action=action))
    elif old and old.lower() != name.lower():
        moved = family_of(old) != family_of(name)
        kind = "family_changed" if moved else "object_renamed"
        found.append(make(kind, "news", old=old, new=name, action=ITSELF))
    spelled = before.spellings.get(METADATA, "")
    if look.via == METADATA and spelled.lower() == name.lower() and spelled != name:
        found.append(make("object_casing", "news", old=spelled, new=name, action=ITSELF))
    if len(look.objects) > 1:
        both = " and ".join(look.objects)
        action = f"Rows are read from {name}, which holds some; look whether the other is empty."
        found.append(make("mixed_families", "news", old=name, new=both, action=action))
    others = [
        each.name
        for each in known_columns(dmo, look).values()
        if family_of(name) and family_of(each.name) not in ("", family_of(name))
    ]
    if others:
        new = f"{len(others)} columns like {others[0]}"
        found.append(make("mixed_families", "news", old=name, new=new, action=ITSELF))
    return found


def mixed_families(latest: Mapping[str, SchemaSnapshot]) -> list[Drift]:
    """The DMOs whose objects are of another family than most; the latest looks by DMO."""
    families = {name: family_of(look.object_name) for name, look in latest.items()}
    counted = sorted(filter(None, families.values()))
    if len(set(counted)) < 2:
        return []
    usual = max(dict.fromkeys(counted), key=counted.count)
    return [
        Drift("mixed_families", "news", name, latest[name].object_name, "",
              f"{usual}…", latest[name].object_name, latest[name].at.date(), ITSELF)
        for name, family in families.items()
        if family and family != usual
    ]  # fmt: skip
