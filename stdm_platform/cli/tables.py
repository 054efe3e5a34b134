"""Which DMOs a command is about.

Belongs here: reading `--table`. Does not: the catalog.
"""

from __future__ import annotations

from stdm_platform.catalog import DMOS, Dmo
from stdm_platform.errors import ArgumentError


def chosen_dmos(names: list[str] | None) -> list[Dmo]:
    """The DMOs that `--table` names, or all of them, in the catalog's order.

    Raises:
        ArgumentError: a name is not in the catalog.
    """
    known = {dmo.name: dmo for dmo in DMOS}
    unknown = [name for name in names or [] if name not in known]
    if unknown:
        raise ArgumentError(
            f"--table {unknown[0]!r} is not in the catalog.",
            action=f"Choose from {', '.join(known)}.",
        )
    return [dmo for name, dmo in known.items() if not names or name in names]
