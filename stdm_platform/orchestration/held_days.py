"""Tell a Dagster instance which days the data directory already holds.

Belongs here: materializations of days that `stdm extract` brought in without Dagster. Does not:
deciding what is held; that is read from the lake and the published marts.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import dagster as dg

from stdm_platform.lake import Lake
from stdm_platform.marts import MartStore
from stdm_platform.marts.digests import lake_digests, published_digests
from stdm_platform.orchestration.day_events import (
    lake_day_event,
    mart_day_event,
    newest_events,
    recorded_versions,
    version_of,
)
from stdm_platform.orchestration.objects import ASSET_DMOS

SAID = "Extracted by the stdm command."


def report_held_days(instance: dg.DagsterInstance, lake: Lake, store: MartStore) -> int:
    """Record a materialization for each held day that the instance does not know as it is held.

    The lake is the truth and the instance a view of it, so that the partitions page shows the same
    days whoever extracted them, and the same of them as stale. Nothing is taken back.

    Returns:
        how many days of all assets were recorded.
    """
    digests = lake_digests(lake)
    dmos = [dg.AssetKey(["stdm", dmo.name]) for dmo in ASSET_DMOS]
    count = 0
    for key in dmos:
        events = [
            lake_day_event(key, day, digests, description=SAID) for day in lake.days(key.path[-1])
        ]
        count += _report(instance, key, events)
    inputs, published = newest_events(instance, dmos), published_digests(store.current())
    for mart in sorted({mart for mart, _ in published}):
        key = dg.AssetKey(["marts", mart])
        events = [
            mart_day_event(key, day, digest, digests, inputs, description=SAID)
            for (name, day), digest in sorted(published.items())
            if name == mart
        ]
        count += _report(instance, key, events)
    return count


def _report(
    instance: dg.DagsterInstance, key: dg.AssetKey, events: Sequence[dg.AssetMaterialization]
) -> int:
    days = [date.fromisoformat(event.partition or "") for event in events]
    known = recorded_versions(instance, key, days)
    unknown = [
        event
        for day, event in zip(days, events, strict=True)
        if known.get(day) != version_of(event)
    ]
    for event in unknown:
        instance.report_runless_asset_event(event)
    return len(unknown)
