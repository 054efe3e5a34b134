"""Materializations with data versions: days that turn stale and fresh in the UI.

Belongs here: the event of one asset and day, for runs and for days that the command brought in. Does
not: deciding what is stale; that is the digests' work (`marts/digests.py`), which decide as well what
a tick rebuilds, so that UI and plan never disagree.

The data version of a lake day is the digest of its checksums: a day that was read again and is the
same makes nothing stale. In a range run Dagster would give all days of an asset one version, so each
day is logged as an event of its own, and the step's output is told to log none (`SAID_ALREADY`).

Dagster takes a mart day for stale when one of its lake days has another version than at the event that
the mart's event points to. We point to the newest event when the mart was made from what is held now,
else to the beginning: what counts is the digest in the published file's name, not the order of events.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

import dagster as dg
from dagster._core.definitions.data_version import (
    CODE_VERSION_TAG,
    DATA_VERSION_IS_USER_PROVIDED_TAG,
    DATA_VERSION_TAG,
    get_input_data_version_tag,
    get_input_event_pointer_tag,
)
from dagster._core.definitions.source_asset import SYSTEM_METADATA_KEY_SOURCE_ASSET_OBSERVATION

from stdm_platform.catalog import CATALOG_VERSION
from stdm_platform.marts.digests import LakeDigests, models_digest

SAID_ALREADY: Mapping[str, Any] = {SYSTEM_METADATA_KEY_SOURCE_ASSET_OBSERVATION: True}
"""Metadata of a result whose materializations are logged one by one; Dagster then logs none."""

BEFORE_ALL = 1
"""An event that is older than any materialization: the first of an instance is a run's."""

Pointers = Mapping[dg.AssetKey, int]


def lake_day_event(
    key: dg.AssetKey, day: date, digests: LakeDigests, **given: Any
) -> dg.AssetMaterialization:
    """The materialization of one DMO and day; `given` are further fields of the event."""
    tags = _tags(digests.of_lake_day(key.path[-1], day), CATALOG_VERSION)
    return dg.AssetMaterialization(key, partition=day.isoformat(), tags=tags, **given)


def mart_day_event(
    key: dg.AssetKey,
    day: date,
    published: str | None,
    digests: LakeDigests,
    inputs: Pointers,
    **given: Any,
) -> dg.AssetMaterialization:
    """The materialization of one mart and day.

    Args:
        key: of the mart.
        day: session day.
        published: the digest that the published file names; None when nothing of the day is held.
        digests: of what the lake holds now.
        inputs: the newest event of each DMO that the mart reads.
        given: further fields of the event.
    """
    version = published or "nothing"
    is_current = published in (None, digests.of(day))
    tags = _tags(version, models_digest())
    for dmo, newest in inputs.items():
        tags[get_input_data_version_tag(dmo)] = version
        tags[get_input_event_pointer_tag(dmo)] = str(newest if is_current else BEFORE_ALL)
    return dg.AssetMaterialization(key, partition=day.isoformat(), tags=tags, **given)


def newest_events(instance: dg.DagsterInstance, keys: Iterable[dg.AssetKey]) -> Pointers:
    """The storage id of the newest materialization of each asset."""
    wanted = list(keys)
    found = dict.fromkeys(wanted, BEFORE_ALL)
    for record in instance.get_asset_records(wanted):
        newest = record.asset_entry.last_materialization_record
        if newest is not None:
            found[record.asset_entry.asset_key] = newest.storage_id
    return found


def recorded_versions(
    instance: dg.DagsterInstance, key: dg.AssetKey, days: Iterable[date]
) -> dict[date, str | None]:
    """The data version of the newest materialization of those days that have one."""
    found = instance.event_log_storage.get_latest_tags_by_partition(
        key,
        dg.DagsterEventType.ASSET_MATERIALIZATION,
        [DATA_VERSION_TAG],
        asset_partitions=[day.isoformat() for day in days],
    )
    return {date.fromisoformat(day): tags.get(DATA_VERSION_TAG) for day, tags in found.items()}


def version_of(event: dg.AssetMaterialization) -> str:
    """The data version that an event of ours carries."""
    return (event.tags or {})[DATA_VERSION_TAG]


def _tags(version: str, code: str) -> dict[str, str]:
    return {
        DATA_VERSION_TAG: version,
        DATA_VERSION_IS_USER_PROVIDED_TAG: "true",
        CODE_VERSION_TAG: code,
    }
