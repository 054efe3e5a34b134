"""The failure sensor: a run that failed becomes notices.

Belongs here: which notices a failed run is worth. Does not: sending them (`notify`), retrying.

One notice per failed step: a DMO's step is one asset; the marts are built and published together, so
their step is one notice that names them all. Steps that only waited for a failed one say nothing. A
run that failed outside of its steps (its process died, it never started) is one notice.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import dagster as dg
from dagster import DagsterEventType

from stdm_platform.notify import Notice, senders_of
from stdm_platform.orchestration.resources import Platform
from stdm_platform.orchestration.ticks import days_of_run

SEE_THE_RUN = "The run's page has the details."


@dg.run_failure_sensor(
    name="stdm_failure_sensor",
    minimum_interval_seconds=30,
    default_status=dg.DefaultSensorStatus.RUNNING,  # it asks the org nothing and costs nothing
    description="Tells of each asset that failed, with its days and the reason: in the log, to "
    "STDM_WEBHOOK_URL and to STDM_NOTIFIER, where they are set.",
)
def failure_sensor(context: dg.RunFailureSensorContext, platform: Platform) -> None:
    """Send the notices of one failed run. A receiver that is down is a line in the tick's log."""
    notices = notices_of(
        context.instance,
        context.dagster_run,
        context.failure_event,
        context.get_step_failure_events(),
        platform.now(),
    )
    for problem in senders_of(platform.settings()).send(notices):
        context.log.warning(problem)


def notices_of(
    instance: dg.DagsterInstance,
    run: dg.DagsterRun,
    failure: dg.DagsterEvent,
    steps: Sequence[dg.DagsterEvent],
    now: datetime,
) -> list[Notice]:
    """The notices of a failed run, as of its failure where the event log knows when that was."""
    planned = _planned(instance, run.run_id)
    record = instance.get_run_record_by_id(run.run_id)
    at = datetime.fromtimestamp(record.end_time, UTC) if record and record.end_time else now
    days = tuple(day.isoformat() for day in days_of_run(run.tags))
    found = [
        Notice(
            event="run_failed",
            severity="error",
            at=at,
            reason=_reason_of_step(step),
            assets=planned.get(step.step_key or "", (step.step_key or "",)),
            partitions=_failed_days(step) or days,
            run_id=run.run_id,
        )
        for step in steps
    ]
    if found:
        return found
    assets = tuple(dict.fromkeys(key for keys in planned.values() for key in keys))
    return [
        Notice("run_failed", "error", at, _reason_of_run(failure), assets, days, run.run_id),
    ]


def _planned(instance: dg.DagsterInstance, run_id: str) -> Mapping[str, tuple[str, ...]]:
    """The assets of each step of a run, as Dagster planned them."""
    found: dict[str, dict[str, None]] = {}
    kind = {DagsterEventType.ASSET_MATERIALIZATION_PLANNED}
    for entry in instance.all_logs(run_id, of_type=kind):
        if entry.dagster_event is not None and entry.dagster_event.asset_key is not None:
            key = entry.dagster_event.asset_key.to_user_string()
            found.setdefault(entry.step_key or "", {})[key] = None
    return {step: tuple(keys) for step, keys in found.items()}


def _reason_of_step(event: dg.DagsterEvent) -> str:
    """What our own failure says; of any other exception its class, as its text may hold a row."""
    data = event.step_failure_data
    if data.user_failure_data is not None and data.user_failure_data.description:
        return data.user_failure_data.description
    return f"the step failed with {_class_of(data.error) or 'an unknown error'}. {SEE_THE_RUN}"


def _reason_of_run(event: dg.DagsterEvent) -> str:
    """Dagster's own words, which name no row, and the class of what was raised."""
    error = event.job_failure_data.error if event.event_specific_data is not None else None
    name = _class_of(error)
    said = (event.message or "the run failed.").strip()
    return " ".join([said, *([f"({name})"] if name else []), SEE_THE_RUN])


def _class_of(error: Any) -> str | None:
    """The class of what was raised first, inside of all that Dagster wraps around it."""
    while error is not None and error.cause is not None:
        error = error.cause
    return None if error is None else error.cls_name


def _failed_days(event: dg.DagsterEvent) -> tuple[str, ...]:
    """The days that a failure names, where it concerns some of the run's only."""
    data = event.step_failure_data.user_failure_data
    return tuple(_strings(data.metadata.get("failed_days"))) if data is not None else ()


def _strings(entry: Any) -> Iterator[str]:
    value = getattr(entry, "value", None)
    yield from (str(each) for each in value) if isinstance(value, list) else ()
