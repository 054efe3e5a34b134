"""The watermark sensor: what is due becomes runs.

Belongs here: one tick of the sensor, its run requests and its reasons to skip. Does not: the plan
(`extraction`), carrying it out (`dmo_assets.py`, `mart_assets.py`).

A sensor and not an `AutomationCondition`: what is due follows from instants inside a day (frontier,
marks after a window's end, settle time), and conditions know of partitions, of what was materialized
and of cron only. A condition keeps a cursor of what it has asked for as well, which a lost run or a new
instance would make wrong. There is no cursor here: the plan is derived from the files, so a deleted
cursor, a new instance or a lost tick change nothing. Which mart days follow is derived likewise
(`marts/digests.py`); data versions show the same in the UI (`day_events.py`) and decide nothing.

A run that failed is asked for again at the next tick: its key has the number of attempts. One whose
process was killed is reported as failed first (`liveness.py`), so its days never wait for it.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import date

import dagster as dg

from stdm_platform.extraction import Plan
from stdm_platform.lake import Lake
from stdm_platform.marts import MartStore, session_days_to_build, touched_session_days
from stdm_platform.orchestration.jobs import DAILY_JOB
from stdm_platform.orchestration.lakes import lake_of
from stdm_platform.orchestration.liveness import end_runs_that_are_gone
from stdm_platform.orchestration.objects import ASSET_DMOS
from stdm_platform.orchestration.promises import WATERMARK_SENSOR
from stdm_platform.orchestration.resources import Platform
from stdm_platform.orchestration.ticks import (
    EVIDENCE,
    Stretch,
    days_of_run,
    evidence_digest,
    plan_at,
    span_of,
    stretches,
    tags_of,
)

MOST_RUNS = 8
"""Runs of one tick, the newest days first; what is left is due at the next tick."""

UNFINISHED = [
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
]


def watermark_sensor(
    first_partition: date, marts: Iterable[dg.AssetKey], *, minutes: int = 60
) -> dg.SensorDefinition:
    """The sensor `stdm_watermark_sensor`; it is off until somebody turns it on, as it costs credits."""
    mart_keys = sorted(marts)

    @dg.sensor(
        name=WATERMARK_SENSOR,
        job=DAILY_JOB,
        minimum_interval_seconds=minutes * 60,
        description="Reads what is due: new ground, holes, and held windows again 1 h, 24 h, 72 h "
        "and 7 days after their end; then the marts of the session days that changed. Asks the org "
        "nothing itself. `stdm extract-incremental --dry-run` shows the same plan.",
    )
    def stdm_watermark_sensor(
        context: dg.SensorEvaluationContext, platform: Platform
    ) -> dg.SensorResult | dg.SkipReason:
        now, settings = platform.now(), platform.settings()
        lake = lake_of(settings.absolute_data_dir())
        plan = plan_at(lake, settings, now, keep=True)
        ended = end_runs_that_are_gone(context.instance, lake.data_dir)
        for note in (*plan.notes, *ended):
            context.log.warning(note)
        wanted = _wanted(lake, plan)
        lake.footers.save()
        if not wanted:
            return dg.SkipReason(" ".join([_nothing_due(plan), *plan.notes]))
        tick = _Tick(context.instance, lake, plan, first_partition, mart_keys)
        requests = list(tick.requests(wanted))
        if not requests:
            return dg.SkipReason(" ".join(tick.reasons))
        return dg.SensorResult(run_requests=requests)

    return stdm_watermark_sensor


class _Tick:
    """One evaluation: the runs of what is wanted, and why some of it has to wait."""

    def __init__(
        self,
        instance: dg.DagsterInstance,
        lake: Lake,
        plan: Plan,
        first_partition: date,
        mart_keys: Sequence[dg.AssetKey],
    ) -> None:
        self.reasons: list[str] = []
        self._instance = instance
        self._lake = lake
        self._plan = plan
        self._first_partition = first_partition
        self._mart_keys = mart_keys

    def requests(self, wanted: dict[date, frozenset[str]]) -> Iterator[dg.RunRequest]:
        """A run for each stretch of the days that no run is at work on."""
        early = [day for day in wanted if day < self._first_partition]
        if early:
            self.reasons.append(
                f"{span_of(early)} is no partition: set STDM_START_DATE, or use the stdm command."
            )
        taken = {*early, *self._at_work(wanted)}
        free = {day: names for day, names in wanted.items() if day not in taken}
        for stretch in stretches(free)[-MOST_RUNS:]:
            yield self._request(stretch)

    def _at_work(self, wanted: Iterable[date]) -> set[date]:
        """The days of unfinished runs, whoever launched them."""
        found: set[date] = set()
        filters = dg.RunsFilter(job_name=DAILY_JOB.name, statuses=UNFINISHED)
        for run in self._instance.get_runs(filters):
            days = set(days_of_run(run.tags)).intersection(wanted)
            if days:
                found |= days
                self.reasons.append(f"Run {run.run_id[:8]} is at work on {span_of(days)}.")
        return found

    def _request(self, stretch: Stretch) -> dg.RunRequest:
        """The run key is of the evidence; where it was tried in vain, the attempt is part of it."""
        digest = evidence_digest(self._lake, self._plan, stretch)
        tried = self._instance.get_runs_count(dg.RunsFilter(tags={EVIDENCE: digest}))
        dmo_keys = [
            dg.AssetKey(["stdm", dmo.name]) for dmo in ASSET_DMOS if dmo.name in stretch.dmos
        ]
        single = stretch.first.isoformat() if stretch.first == stretch.last else None
        return dg.RunRequest(
            run_key=f"{digest}-{tried}",
            partition_key=single,
            tags=tags_of(stretch, self._plan.now, digest),
            asset_selection=[*dmo_keys, *self._mart_keys],
        )


def _wanted(lake: Lake, plan: Plan) -> dict[date, frozenset[str]]:
    """The days whose windows are due, and those of which only the marts are."""
    wanted = plan.days()
    along = set(touched_session_days(lake, wanted))
    store = MartStore(lake.data_dir)
    for day in session_days_to_build(lake, store):
        if day not in along:
            wanted.setdefault(day, frozenset())
    return wanted


def _nothing_due(plan: Plan) -> str:
    marks = [timing.frontier for timing in plan.timings.values() if timing.frontier is not None]
    held = f", and what is held reaches {min(marks):%Y-%m-%d %H:%M} UTC or later" if marks else ""
    return f"Nothing is due at {plan.now:%Y-%m-%d %H:%M} UTC: no window and no mart day{held}."
