"""The whole platform on one screen: assets, checks, jobs, schedules, sensors, resources.

Belongs here: putting the parts together. Does not: parts.
"""

from __future__ import annotations

import dagster as dg

from stdm_platform.orchestration.dmo_assets import dmo_asset
from stdm_platform.orchestration.drift_sensor import drift_sensor
from stdm_platform.orchestration.failures import failure_sensor
from stdm_platform.orchestration.freshness import freshness_checks, freshness_sensor
from stdm_platform.orchestration.jobs import DAILY_JOB, daily_schedule
from stdm_platform.orchestration.mart_assets import mart_assets
from stdm_platform.orchestration.objects import ASSET_DMOS
from stdm_platform.orchestration.partitions import FIRST_DAY, daily_partitions
from stdm_platform.orchestration.resources import Platform, warehouse
from stdm_platform.orchestration.schema_asset import (
    SCHEMA_JOB,
    schema_checks,
    schema_schedule,
    source_schema,
)
from stdm_platform.orchestration.watermark import watermark_sensor
from stdm_platform.settings import load_settings

settings = load_settings()
first_day = settings.start_date or FIRST_DAY
partitions = daily_partitions(settings.start_date)
marts = mart_assets(settings.absolute_data_dir(), partitions)

defs = dg.Definitions(
    assets=dg.map_asset_specs(
        lambda spec: spec.replace_attributes(owners=[settings.asset_owner]),
        [*(dmo_asset(dmo, partitions) for dmo in ASSET_DMOS), marts, source_schema],
    ),
    asset_checks=[freshness_checks, schema_checks],
    jobs=[DAILY_JOB, SCHEMA_JOB],
    schedules=[daily_schedule, schema_schedule],
    sensors=[
        watermark_sensor(first_day, marts.keys, minutes=settings.tick_minutes),
        freshness_sensor(minutes=settings.tick_minutes),
        drift_sensor(minutes=settings.tick_minutes),
        failure_sensor,
    ],
    resources={"platform": Platform(), "warehouse": warehouse(settings)},
    executor=dg.in_process_executor,
)
