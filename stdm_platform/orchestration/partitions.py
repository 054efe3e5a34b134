"""The days that can be run: UTC days, today included.

Belongs here: the one daily partitions definition that every asset shares. Does not: which days are
due (`extraction`, `marts`).
"""

from __future__ import annotations

import warnings
from datetime import date

import dagster as dg

# A backfill of many days is one run: the parameter is beta in Dagster 1.13 and stable in practice
# (30 days as 30 runs took 268 s, as one run 0.4 s of work). Users need not read of it at every start.
warnings.filterwarnings("ignore", message="Parameter `backfill_policy`", category=dg.BetaWarning)

FIRST_DAY = date(2025, 1, 1)
"""The first partition unless `STDM_START_DATE` says another: session tracing writes nothing
older (off by default, no backfill before it is switched on; section 4.4 of the Data 360 page)."""


def daily_partitions(start: date | None) -> dg.DailyPartitionsDefinition:
    """UTC days from `start` to today; today is open and can be read again."""
    return dg.DailyPartitionsDefinition(start_date=(start or FIRST_DAY).isoformat(), end_offset=1)


def session_days() -> dg.TimeWindowPartitionMapping:
    """A mart day X is made from X, from X+1 (late children), and from X-1 (parents of its rows)."""
    return dg.TimeWindowPartitionMapping(
        start_offset=-1, end_offset=1, allow_nonexistent_upstream_partitions=True
    )
