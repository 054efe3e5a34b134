"""Run a range of days in this process, on the instance of a data directory.

Belongs here: launching `stdm_daily` without a daemon, for the command. Does not: showing anything.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import dagster as dg
from dagster import DagsterEventType

from stdm_platform.orchestration.ticks import RANGE_END, RANGE_START

QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}


@dataclass(frozen=True)
class RunReport:
    """How a run ended: its id, whether it succeeded, and why not."""

    run_id: str
    success: bool
    reasons: tuple[str, ...]


def run_range(job: dg.JobDefinition, first: date, last: date) -> RunReport:
    """Run a job for the days `first` to `last`, both included, as one run.

    The instance is that of `DAGSTER_HOME`. The days have to be partitions (`STDM_START_DATE`).
    """
    with dg.DagsterInstance.get() as instance:
        result = job.execute_in_process(
            instance=instance,
            tags={RANGE_START: first.isoformat(), RANGE_END: last.isoformat()},
            run_config=QUIET,
            raise_on_error=False,
        )
        reasons = [
            _reason(event)
            for event in result.all_events
            if event.event_type is DagsterEventType.STEP_FAILURE
        ]
    return RunReport(result.run_id, result.success, tuple(reasons))


def _reason(event: dg.DagsterEvent) -> str:
    data = event.step_failure_data
    described = data.user_failure_data.description if data.user_failure_data else None
    return (
        f"{event.step_key}: {described or (data.error.message.strip() if data.error else 'failed')}"
    )
