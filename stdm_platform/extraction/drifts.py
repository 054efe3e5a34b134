"""Everything that is known of changes at the source, from what is kept; asks nobody.

Belongs here: putting looks and windows together, per DMO. Does not: finding differences (`guard`),
asking an org (`probe.py`).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from stdm_platform.catalog import DMOS, Dmo
from stdm_platform.errors import NotExtractedError
from stdm_platform.extraction.schemas import looks_of
from stdm_platform.guard import (
    Drift,
    SchemaSnapshot,
    mixed_families,
    profile_findings,
    schema_drifts,
)
from stdm_platform.guard.seen_before import known_columns
from stdm_platform.guard.value_drift import HeldColumns, null_day_drifts, value_drifts
from stdm_platform.lake import Evidence, Lake


def drifts_of(lake: Lake, dmos: Iterable[Dmo] = DMOS) -> list[Drift]:
    """All drifts that stand, blocking ones first.

    Raises:
        NotExtractedError: neither a look nor a window of these DMOs was ever kept.
    """
    found: list[Drift] = []
    latest: dict[str, SchemaSnapshot] = {}
    known, wanted = False, list(dmos)
    for dmo in wanted:
        looks, held = looks_of(lake, dmo.name), _evidence(lake, dmo)
        known = known or bool(looks or held)
        found += _of_dmo(dmo, looks, held)
        if looks and looks[-1].objects:
            latest[dmo.name] = looks[-1]
    found += profile_findings(lake, wanted)
    if not known:
        raise NotExtractedError(
            f"{lake.data_dir} knows nothing of the source yet.",
            action="Run `stdm drift --probe` to look at the org, or `stdm extract --days 7`.",
        )
    mixed = [each for each in mixed_families(latest) if each.key not in {one.key for one in found}]
    return sorted([*found, *mixed], key=lambda each: each.rank)


def blocked_objects(lake: Lake, dmos: Iterable[Dmo] = DMOS) -> set[str]:
    """The DMOs that cannot be read as the org was seen last: gone, or without what every row needs."""
    return {
        dmo.name
        for dmo in dmos
        if any(each.severity == "block" for each in schema_drifts(dmo, looks_of(lake, dmo.name)))
    }


def _of_dmo(dmo: Dmo, looks: Sequence[SchemaSnapshot], held: Sequence[Evidence]) -> list[Drift]:
    columns = HeldColumns.of(dmo, held)
    last = looks[-1] if looks else None
    name = last.object_name if last else _object_of(held)
    present = known_columns(dmo, last) if last else None
    return [
        *schema_drifts(dmo, looks, held=columns.with_values),
        *null_day_drifts(dmo, columns, present=present, object_name=name or dmo.objects[0]),
        *value_drifts(dmo, held),
    ]


def _evidence(lake: Lake, dmo: Dmo) -> list[Evidence]:
    return [said for day in lake.days(dmo.name) for _, said in lake.evidence_of_day(dmo.name, day)]


def _object_of(held: Sequence[Evidence]) -> str:
    return next((str(each.profile["object"]) for each in held if each.profile.get("object")), "")
