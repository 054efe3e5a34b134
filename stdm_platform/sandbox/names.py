"""What objects and columns of the org can be called in options and settings, and by the newer family.

Belongs here: names. Does not: views (`exposure.py`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

from stdm_platform.catalog import Column, Dmo
from stdm_platform.catalog.model import LEGACY_PREFIX, NEWER_PREFIX

T = TypeVar("T")


def given_for(given: Mapping[str, T], names: set[str]) -> T | None:
    """What is given under any of these names."""
    return next((value for name, value in given.items() if name in names), None)


def references(dmo: Dmo, source: str, column: Column | None) -> set[str]:
    """Every way to name a column in the options."""
    names = {source} | ({column.name} if column else set())
    return {f"{owner}.{name}" for owner in (dmo.name, *dmo.objects) for name in names}


def newer_name(source: str, column: Column | None, object_name: str) -> str:
    """The field's name in an object of the newer family; some are not just the prefix exchanged."""
    others = column.other_sources if column else ()
    for name in others:
        if name.startswith(NEWER_PREFIX) == object_name.startswith(NEWER_PREFIX):
            return name
    if source.startswith(LEGACY_PREFIX):
        return NEWER_PREFIX + source.removeprefix(LEGACY_PREFIX)
    return source
