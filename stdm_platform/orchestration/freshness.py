"""Freshness, shown honestly: a check per DMO, and a sensor that keeps it and tells who is late.

Belongs here: the check `freshness`, the sensor `stdm_freshness_sensor`, their words and metadata.
Does not: ages and limits (`extraction/freshness.py`), what is promised (`promises.py`).

An asset check of our own and not a `FreshnessPolicy`: Dagster's policies look at the newest
materialization of any partition, so reading an old day again would make a DMO look fresh, and a range
that ends a month ago would too. The check says up to where rows are held and final. It warns and
never blocks. The sensor records it, as ages grow while nothing runs; a run evaluates it once, at its
end, and it can be executed from the asset's page.

The sensor's cursor says who was late at the last tick. It is a convenience: deleting it repeats one
message for those that are late, and loses none.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import dagster as dg

from stdm_platform.extraction import Freshness, freshness_of
from stdm_platform.notify import Notice, senders_of
from stdm_platform.orchestration.lakes import lake_of
from stdm_platform.orchestration.liveness import end_runs_that_are_gone
from stdm_platform.orchestration.objects import ASSET_DMOS
from stdm_platform.orchestration.promises import promise_of
from stdm_platform.orchestration.resources import Platform
from stdm_platform.orchestration.ticks import plan_at

CHECK = "freshness"
RECORDED_EVERY = timedelta(minutes=55)
"""A check is recorded when its verdict changes, and about hourly, so that the log stays small."""

SPECS = [
    dg.AssetCheckSpec(
        CHECK,
        asset=dg.AssetKey(["stdm", dmo.name]),
        description="How far rows are held and final, against what sensor or schedule promise. "
        "When something was last read does not count.",
    )
    for dmo in ASSET_DMOS
]


@dg.multi_asset_check(specs=SPECS, can_subset=True, name="freshness")
def freshness_checks(
    context: dg.AssetCheckExecutionContext, platform: Platform
) -> Iterator[dg.AssetCheckResult]:
    """Evaluate the check now, for whoever asks by hand."""
    for each in _look(context.instance, platform):
        key = dg.AssetKey(["stdm", each.dmo])
        if dg.AssetCheckKey(key, CHECK) in context.selected_asset_check_keys:
            yield dg.AssetCheckResult(
                asset_key=key, check_name=CHECK, passed=not each.late, metadata=metadata_of(each),
                severity=dg.AssetCheckSeverity.WARN,
            )  # fmt: skip


def freshness_sensor(*, minutes: int = 60) -> dg.SensorDefinition:
    """The sensor `stdm_freshness_sensor`; on by default, as it asks the org nothing."""

    @dg.sensor(
        name="stdm_freshness_sensor",
        minimum_interval_seconds=min(minutes, 15) * 60,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Tells once when an object becomes later than sensor, schedule or "
        "STDM_FRESHNESS_HOURS promise, and once when it has recovered; records the freshness checks.",
    )
    def stdm_freshness_sensor(
        context: dg.SensorEvaluationContext, platform: Platform
    ) -> dg.SensorResult:
        data_dir = platform.settings().absolute_data_dir()
        for ended in end_runs_that_are_gone(context.instance, data_dir):
            context.log.warning(ended)
        found = _look(context.instance, platform)
        before = _Before.of(context.cursor)
        late = {each.dmo: each.late for each in found if each.late}
        for problem in senders_of(platform.settings()).send(_notices(found, late, before.late)):
            context.log.warning(problem)
        now = platform.now()
        fresh_record = before.recorded is not None and now - before.recorded < RECORDED_EVERY
        events = [] if fresh_record and set(late) == before.late else [*_evaluations(found)]
        recorded = now if events else before.recorded
        return dg.SensorResult(
            skip_reason=_summary(found, late),
            asset_events=events,
            cursor=json.dumps(
                {"late": sorted(late), "recorded": recorded.isoformat() if recorded else None}
            ),
        )

    return stdm_freshness_sensor


class _Before:
    """What the last tick left in the cursor; nothing, if it cannot be read."""

    def __init__(self, late: Iterable[str] = (), recorded: str | None = None) -> None:
        self.late = set(late)
        self.recorded = None if recorded is None else datetime.fromisoformat(recorded)

    @classmethod
    def of(cls, cursor: str | None) -> "_Before":
        try:
            return cls(**json.loads(cursor or "{}"))
        except (ValueError, TypeError):
            return cls()


def metadata_of(each: Freshness) -> dict[str, Any]:
    """What the check shows; instants are UTC."""
    found: dict[str, Any] = {
        "summary": f"Late: {each.late}." if each.late else each.describe(),
        "as_of": dg.MetadataValue.timestamp(each.at),
        "final_up_to": dg.MetadataValue.timestamp(each.settled_until),
        "final_share": round(each.settled_share, 4),
        "windows_due": each.due,
    }
    if each.frontier is not None and each.age is not None:
        found["held_up_to"] = dg.MetadataValue.timestamp(each.frontier)
        found["age_hours"] = _in_hours(each.age)
    if each.limit is not None:
        found["limit_hours"] = _in_hours(each.limit)
    return found


def _look(instance: dg.DagsterInstance, platform: Platform) -> list[Freshness]:
    settings = platform.settings()
    lake = lake_of(settings.absolute_data_dir())
    if not lake.names():  # a new data directory is not late, it is new
        return []
    return freshness_of(
        lake, plan_at(lake, settings, platform.now()), promise_of(instance, settings)
    )


def _evaluations(found: Iterable[Freshness]) -> Iterator[dg.AssetCheckEvaluation]:
    for each in found:
        yield dg.AssetCheckEvaluation(
            asset_key=dg.AssetKey(["stdm", each.dmo]),
            check_name=CHECK,
            passed=not each.late,
            metadata=metadata_of(each),
            severity=dg.AssetCheckSeverity.WARN,
        )


def _notices(
    found: Sequence[Freshness], late: Mapping[str, str], before: set[str]
) -> Iterator[Notice]:
    """One notice for all that have become late, and one for all that have recovered."""
    at = found[0].at if found else None
    new = {name: why for name, why in late.items() if name not in before}
    if new and at is not None:
        reason = "; ".join(f"{name}: {why}" for name, why in new.items())
        yield Notice("late", "warning", at, f"{reason}.", tuple(f"stdm/{name}" for name in new))
    back = [each for each in found if each.dmo in before and not each.late]
    if back and at is not None:
        reason = " ".join(f"{each.dmo}: {each.describe()}" for each in back)
        names = tuple(f"stdm/{each.dmo}" for each in back)
        yield Notice("recovered", "info", at, reason, names)


def _summary(found: Sequence[Freshness], late: Mapping[str, str]) -> str:
    if not found:
        return "Nothing is held yet, so nothing is late."
    if late:
        return "Late: " + "; ".join(f"{name}: {why}" for name, why in late.items()) + "."
    oldest = min(found, key=lambda each: each.frontier or each.settled_until)
    text = f"{len(found)} objects are in time; the oldest is {oldest.dmo}. {oldest.describe()}"
    if oldest.limit is None:
        text += " No age is promised: sensor and schedule are off, STDM_FRESHNESS_HOURS is not set."
    return text


def _in_hours(span: timedelta) -> float:
    return round(span / timedelta(hours=1), 2)
