"""The job and the schedule of the platform.

Belongs here: what runs together and when. Does not: assets.
"""

from __future__ import annotations

from datetime import UTC, timedelta

import dagster as dg

from stdm_platform.marts import MartStore, session_days_to_build, touched_session_days
from stdm_platform.orchestration.lakes import lake_of
from stdm_platform.orchestration.promises import NIGHTLY_SCHEDULE, running_sensor
from stdm_platform.orchestration.ticks import TICK, plan_at
from stdm_platform.settings import load_settings

DAILY_JOB = dg.define_asset_job(
    "stdm_daily",
    selection=dg.AssetSelection.groups("stdm", "marts"),
    description="All DMOs of the selected UTC days, checked into the lake, and the marts of their session days.",
    tags={"dagster/max_retries": "0"},  # steps retry themselves and keep what they have finished
)


@dg.schedule(
    name=NIGHTLY_SCHEDULE,
    job=DAILY_JOB,
    cron_schedule="0 2 * * *",
    execution_timezone="UTC",
    description="Every night at 02:00 UTC: the UTC day that has just ended. With stdm_watermark_sensor "
    "on it reads only what is due of that day and nobody has read yet. Late rows of older days come "
    "with the sensor only.",
)
def daily_schedule(context: dg.ScheduleEvaluationContext) -> dg.RunRequest | dg.SkipReason:
    """Request the previous UTC day; the clock is the tick's own.

    Beside the sensor the run carries the tick's clock, as the sensor's runs do, so that no row is paid
    for twice. Alone it reads the whole day, though the lag of some objects is not over at 02:00: what
    a tick would leave to the next one, nobody else would read.
    """
    tick = context.scheduled_execution_time.astimezone(UTC)
    day = tick.date() - timedelta(days=1)
    settings = load_settings()
    lake = lake_of(settings.absolute_data_dir())
    plan = plan_at(lake, settings, tick)
    if day < plan.start:
        return dg.SkipReason(f"{day} is before the first day to hold, {plan.start}.")
    tags = {}
    if sensor_is_on(context):
        marts = set(touched_session_days(lake, [day]))
        if not plan.days().get(day) and not marts.intersection(
            session_days_to_build(lake, MartStore(lake.data_dir))
        ):
            said = f"Nothing of {day} is due at {tick:%Y-%m-%d %H:%M} UTC: the sensor has read it."
            return dg.SkipReason(" ".join([said, *plan.notes]))
        tags = {TICK: tick.isoformat()}
    return dg.RunRequest(run_key=day.isoformat(), partition_key=day.isoformat(), tags=tags)


def sensor_is_on(context: dg.ScheduleEvaluationContext) -> bool:
    """Whether the watermark sensor is on; a context without an instance has none."""
    try:
        return running_sensor(context.instance) is not None
    except dg.DagsterInvariantViolationError:
        return False
