"""Which DMOs a command is about.

Belongs here: reading `--table` and STDM_TABLES. Does not: the catalog.
"""

from __future__ import annotations

from stdm_platform.catalog import Dmo, chosen_dmos
from stdm_platform.settings import Settings

WAY = ("sessions", "interactions", "steps")


def dmos_of(settings: Settings, names: list[str] | None = None) -> tuple[Dmo, ...]:
    """The DMOs that `--table` names, else those of STDM_TABLES, else all; in the catalog's order.

    Raises:
        ArgumentError: a name is not in the catalog.
    """
    if names:
        return chosen_dmos(names, of="--table")
    return chosen_dmos(settings.table_names(), of="STDM_TABLES:")


def tree_dmos(settings: Settings) -> tuple[Dmo, ...]:
    """The DMOs of whole sessions: those of STDM_TABLES and what the way to them leads over, else all.

    Raises:
        ArgumentError: a name is not in the catalog.
    """
    names = settings.table_names()
    return chosen_dmos([*names, *WAY] if names else [], of="STDM_TABLES:")
