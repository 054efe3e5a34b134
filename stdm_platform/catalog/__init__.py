"""What each DMO is: name, source name, key, clock, settle time, columns. Data, no I/O.

Belongs here: entries (one module each in `entries/`), the model they are written in, and pure
renderings of them (`derive.py`: Arrow schema, dbt sources, README table). Does not: anything that
asks an org, opens a file or imports another room; the Pandera form is in `guard`, the SQL form in
`extraction`.

Adding a DMO is one entry in `entries/` and its name in `DMOS`: assets, extraction, dbt source and staging
model, README and the sandbox org's table follow (`python -m stdm_platform.catalog.sync`).
"""

from __future__ import annotations

from collections.abc import Collection

from stdm_platform.catalog.derive import arrow_schema
from stdm_platform.catalog.entries import DMOS
from stdm_platform.catalog.model import Column, Dmo, Value
from stdm_platform.errors import ArgumentError

CATALOG_VERSION = "1"
"""Stands in every window footer. Raised when a lake column changes its meaning or type."""


def dmo(name: str) -> Dmo:
    """The entry of this name.

    Raises:
        KeyError: there is no such entry; the caller names the choices.
    """
    return {entry.name: entry for entry in DMOS}[name]


def chosen_dmos(names: Collection[str], *, of: str) -> tuple[Dmo, ...]:
    """The entries of these names, in the catalog's order; all of them where none is named.

    Args:
        names: plurals like `sessions`.
        of: what gave the names, for the message.

    Raises:
        ArgumentError: a name is not in the catalog.
    """
    known = {entry.name: entry for entry in DMOS}
    for name in names:
        if name not in known:
            raise ArgumentError(
                f"{of} {name!r} is not in the catalog.", action=f"Choose from {', '.join(known)}."
            )
    return tuple(entry for entry in DMOS if not names or entry.name in names)


__all__ = [
    "CATALOG_VERSION",
    "DMOS",
    "Column",
    "Dmo",
    "Value",
    "arrow_schema",
    "chosen_dmos",
    "dmo",
]
