"""What people see of drifts in the UI, and telling them once.

Belongs here: metadata, the verdict of a check, notices of drifts. Does not: finding drifts (`guard`),
asking the org (`schema_asset.py`), when to look (`drift_sensor.py`).
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import dagster as dg

from stdm_platform.extraction.schemas import FOLDER
from stdm_platform.guard import Drift
from stdm_platform.lake import Lake, files
from stdm_platform.marts.lineage import marts_of_dmos
from stdm_platform.notify import Notice, senders_of
from stdm_platform.orchestration.tables import markdown_table
from stdm_platform.settings import Settings

logger = logging.getLogger(__name__)

MOST_ROWS = 100
TOLD = "told.json"


def passes(found: Iterable[Drift]) -> bool:
    """Whether a check passes: news is no failure."""
    return all(each.severity == "news" for each in found)


def severity_of(found: Iterable[Drift]) -> dg.AssetCheckSeverity:
    """ERROR when days are refused until it is settled, else WARN."""
    blocks = any(each.severity == "block" for each in found)
    return dg.AssetCheckSeverity.ERROR if blocks else dg.AssetCheckSeverity.WARN


def metadata_of(found: Sequence[Drift], lake: Lake) -> dict[str, Any]:
    """Counts and a table of drifts, worst first, with the marts that they touch."""
    counts = {
        name: sum(each.severity == name for each in found) for name in ("block", "warn", "news")
    }
    metadata: dict[str, Any] = {**counts}
    if not found:
        return metadata | {"summary": "The source is as the catalog and the looks before say."}
    marts = marts_of_dmos(lake.data_dir)
    rows = [_row(each, marts) for each in found[:MOST_ROWS]]
    return metadata | {
        "summary": found[0].describe(),
        "drifts": dg.MetadataValue.md(markdown_table(rows)),
    }


def _row(each: Drift, marts: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    return {
        "severity": each.severity,
        "table": each.dmo,
        "what": each.kind.replace("_", " "),
        "column": each.column or each.object_name,
        "old": each.old,
        "new": each.new,
        "first seen": each.first_day.isoformat(),
        "touches": ", ".join(
            [f"stdm/{each.dmo}", *(f"marts/{m}" for m in marts.get(each.dmo, ()))]
        ),
        "what to do": each.action,
    }


def tell(settings: Settings, lake: Lake, found: Iterable[Drift], at: datetime) -> None:
    """Send a notice of each drift that blocks or warns and was not told yet; of news never.

    What was told stands in `schemas/told.json`; deleting it repeats a message and loses none.
    """
    worth = {each.identity: each for each in found if each.severity != "news"}
    path = lake.data_dir / FOLDER / TOLD
    try:
        told = set(json.loads(path.read_bytes()))
    except (OSError, ValueError, TypeError):
        told = set()
    if worth.keys() == told:
        return
    notices = [_notice(worth[new], at) for new in worth if new not in told]
    for problem in senders_of(settings).send(notices):
        logger.warning("%s", problem)
    try:
        files.make_folder(path.parent)
        files.write_file(path, json.dumps(sorted(worth), indent=1).encode())
    except OSError as error:
        logger.warning("That drifts were told cannot be kept: %s", error)


def _notice(drift: Drift, at: datetime) -> Notice:
    return Notice(
        event="drift",
        severity="error" if drift.severity == "block" else "warning",
        at=at,
        reason=drift.describe(),
        assets=(f"stdm/{drift.dmo}",),
    )
