"""The job and the schedule of the platform.

Belongs here: what runs together and when. Does not: assets.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import dagster as dg

from stdm_platform.catalog import DMOS

_FRESHNESS = [dg.AssetCheckKey(dg.AssetKey(["stdm", dmo.name]), "freshness") for dmo in DMOS]

DAILY_JOB = dg.define_asset_job(
    "stdm_daily",
    # Freshness is recorded by its sensor: it is about now, not about the days of a run.
    selection=dg.AssetSelection.groups("stdm", "marts") - dg.AssetSelection.checks(*_FRESHNESS),
    description="All DMOs of the selected UTC days, checked into the lake, and the marts of their session days.",
    tags={"dagster/max_retries": "0"},  # steps retry themselves and keep what they have finished
)


@dg.schedule(
    name="stdm_daily_schedule",
    job=DAILY_JOB,
    cron_schedule="0 2 * * *",
    execution_timezone="UTC",
    description="Every night at 02:00 UTC: the UTC day that has just ended.",
)
def daily_schedule(context: dg.ScheduleEvaluationContext) -> Iterator[dg.RunRequest]:
    """Request the previous UTC day; the clock is the tick's own."""
    day = context.scheduled_execution_time.date() - timedelta(days=1)
    yield dg.RunRequest(run_key=day.isoformat(), partition_key=day.isoformat())
