"""What the instance promises: who keeps the lake current, and how well.

Belongs here: whether sensor and schedule are on, and what follows. Does not: whether it is kept
(`extraction/freshness.py`).

Nobody is told that something is late which nobody promised: with the sensor off and the schedule on,
data is a day old every night, and that is as it should be; with both off nothing is promised unless
`STDM_FRESHNESS_HOURS` says so.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import dagster as dg
from dagster._core.definitions.run_request import InstigatorType
from dagster._core.scheduler.instigation import (
    InstigatorState,
    InstigatorStatus,
    SensorInstigatorData,
)

from stdm_platform.extraction import Promise
from stdm_platform.settings import Settings

WATERMARK_SENSOR, NIGHTLY_SCHEDULE = "stdm_watermark_sensor", "stdm_daily_schedule"
MISSED_TICKS = 3
"""Ticks that may fail, wait or be skipped before somebody is told."""
SHORTEST_LIMIT = timedelta(hours=2)
NIGHTLY_LIMIT = timedelta(hours=30)
"""At 02:00 the day before is 26 h old; four more for the run, and for one that is late."""


def promise_of(instance: dg.DagsterInstance, settings: Settings) -> Promise:
    """What this instance promises now."""
    sensor = running_sensor(instance)
    since = _since(sensor) if sensor else None
    if settings.freshness_hours is not None:
        limit = timedelta(hours=settings.freshness_hours)
        said = f"STDM_FRESHNESS_HOURS={settings.freshness_hours:g}"
        return Promise(limit, said, since, settles=sensor is not None, exact=True)
    if sensor is not None:
        limit = max(SHORTEST_LIMIT, MISSED_TICKS * timedelta(minutes=settings.tick_minutes))
        return Promise(limit, WATERMARK_SENSOR, since, settles=True)
    if _running(instance, InstigatorType.SCHEDULE, NIGHTLY_SCHEDULE) is not None:
        return Promise(NIGHTLY_LIMIT, NIGHTLY_SCHEDULE)
    return Promise(None, "Neither sensor nor schedule is on, and STDM_FRESHNESS_HOURS is not set")


def running_sensor(instance: dg.DagsterInstance) -> InstigatorState | None:
    """The state of the watermark sensor if it is on."""
    return _running(instance, InstigatorType.SENSOR, WATERMARK_SENSOR)


def _running(
    instance: dg.DagsterInstance, kind: InstigatorType, name: str
) -> InstigatorState | None:
    """The state of that sensor or schedule if it is on; both are off until somebody turns them on."""
    if instance.schedule_storage is None:  # an instance in memory has none, and no daemon
        return None
    for state in instance.all_instigator_state(instigator_type=kind):
        if state.instigator_name == name and state.status is not InstigatorStatus.STOPPED:
            return state
    return None


def _since(state: InstigatorState) -> datetime | None:
    data = state.instigator_data
    if not isinstance(data, SensorInstigatorData) or not data.last_sensor_start_timestamp:
        return None
    return datetime.fromtimestamp(data.last_sensor_start_timestamp, UTC)
