"""Sensors and schedules that are on, as a daemon would have noted it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import dagster as dg
from dagster._core.definitions.run_request import InstigatorType
from dagster._core.remote_origin import (
    InProcessCodeLocationOrigin,
    RemoteInstigatorOrigin,
    RemoteRepositoryOrigin,
)
from dagster._core.scheduler.instigation import (
    InstigatorState,
    InstigatorStatus,
    ScheduleInstigatorData,
    SensorInstigatorData,
)
from dagster._core.types.loadable_target_origin import LoadableTargetOrigin

SINCE = datetime(2026, 1, 20, 10, 20, tzinfo=UTC)


def turn_on(instance: dg.DagsterInstance, kind: InstigatorType, name: str) -> InstigatorState:
    location = InProcessCodeLocationOrigin(LoadableTargetOrigin(python_file=__file__))
    origin = RemoteInstigatorOrigin(RemoteRepositoryOrigin(location, "repository"), name)
    data: Any = SensorInstigatorData(last_sensor_start_timestamp=SINCE.timestamp())
    if kind is InstigatorType.SCHEDULE:
        data = ScheduleInstigatorData("0 2 * * *", SINCE.timestamp())
    return instance.add_instigator_state(
        InstigatorState(origin, kind, InstigatorStatus.RUNNING, data)
    )
