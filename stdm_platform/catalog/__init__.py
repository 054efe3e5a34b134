"""What each DMO is: name, source name, key, clock, settle time, columns. Data, no I/O.

Belongs here: entries (one module each in `entries/`), the model they are written in, and pure
renderings of them (`derive.py`: Arrow schema, dbt sources, README table). Does not: anything that
asks an org, opens a file or imports another room; the Pandera form is in `guard`, the SQL form in
`extraction`.

Adding a DMO is one module in `entries/` and its name in `DMOS`.
"""

from __future__ import annotations

from stdm_platform.catalog.derive import arrow_schema
from stdm_platform.catalog.entries import DMOS
from stdm_platform.catalog.model import Column, Dmo, Value

CATALOG_VERSION = "1"
"""Stands in every window footer. Raised when a lake column changes its meaning or type."""


def dmo(name: str) -> Dmo:
    """The entry of this name.

    Raises:
        KeyError: there is no such entry; the caller names the choices.
    """
    return {entry.name: entry for entry in DMOS}[name]


__all__ = ["CATALOG_VERSION", "DMOS", "Column", "Dmo", "Value", "arrow_schema", "dmo"]
