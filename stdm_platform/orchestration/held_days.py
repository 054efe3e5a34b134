"""Tell a Dagster instance which days the data directory already holds.

Belongs here: materializations of days that `stdm extract` brought in without Dagster. Does not:
deciding what is held; that is read from the lake and the published marts.
"""

from __future__ import annotations

from datetime import date

import dagster as dg

from stdm_platform.catalog import DMOS
from stdm_platform.lake import Lake
from stdm_platform.marts import MartStore


def report_held_days(instance: dg.DagsterInstance, lake: Lake, store: MartStore) -> int:
    """Record a materialization for each held day that the instance does not know.

    The lake is the truth and the instance a view of it, so that the partitions page shows the same
    days whoever extracted them. Nothing is taken back.

    Returns:
        how many days of all assets were recorded.
    """
    held: dict[dg.AssetKey, set[date]] = {
        dg.AssetKey(["stdm", dmo.name]): set(lake.days(dmo.name)) for dmo in DMOS
    }
    generation = store.current()
    if generation is not None:
        for mart in generation.marts():
            held[dg.AssetKey(["marts", mart])] = {file.day for file in generation.files(mart)}
    return sum(_report(instance, key, days) for key, days in held.items())


def _report(instance: dg.DagsterInstance, key: dg.AssetKey, days: set[date]) -> int:
    known = instance.get_materialized_partitions(key)
    missing = sorted(day.isoformat() for day in days if day.isoformat() not in known)
    for day in missing:
        instance.report_runless_asset_event(
            dg.AssetMaterialization(
                key, partition=day, description="Extracted by the stdm command."
            )
        )
    return len(missing)
