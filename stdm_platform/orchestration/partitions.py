"""The days that can be run: UTC days, today included.

Belongs here: the one daily partitions definition that every asset shares. Does not: which days are
due (`extraction`, `marts`).
"""

from __future__ import annotations

import warnings
from datetime import date

import dagster as dg

from stdm_platform.marts.digests import lake_days_of

# A backfill of many days is one run: the parameter is beta in Dagster 1.13 and stable in practice
# (30 days as 30 runs took 268 s, as one run 0.4 s of work). Users need not read of it at every start.
warnings.filterwarnings("ignore", message="Parameter `backfill_policy`", category=dg.BetaWarning)

FIRST_DAY = date(2025, 1, 1)
"""The first partition unless `STDM_START_DATE` says another: session tracing writes nothing
older (off by default, no backfill before it is switched on; section 4.4 of the Data 360 page)."""


def daily_partitions(start: date | None) -> dg.DailyPartitionsDefinition:
    """UTC days from `start` to today; today is open and can be read again."""
    return dg.DailyPartitionsDefinition(start_date=(start or FIRST_DAY).isoformat(), end_offset=1)


def lake_days_of_mart(dmo: dg.AssetKey) -> dg.TimeWindowPartitionMapping:
    """The days of a DMO that a mart day is made from, as the digests count them.

    Of a catalogue the day itself: which reading of it counts, no mapping can say.
    """
    day = FIRST_DAY
    steps = [(each - day).days for name, each in lake_days_of(day) if name == dmo.path[-1]] or [0]
    return dg.TimeWindowPartitionMapping(
        start_offset=min(steps), end_offset=max(steps), allow_nonexistent_upstream_partitions=True
    )
