"""One tick: read what the plan says is due, whoever asked for it.

Belongs here: carrying a plan out. Does not: making it (`plan.py`), marts.

Nobody reads what another run has read meanwhile: whoever has the lock of a day makes the plan of that
day anew, from what is held then.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from datetime import date

from stdm_platform.catalog import DMOS, Dmo
from stdm_platform.extraction.backfill import WORKERS, Job, Run, run_jobs
from stdm_platform.extraction.holdings import held_of_day, refused_of_day
from stdm_platform.extraction.outcome import DayOutcome
from stdm_platform.extraction.plan import Plan, still_due
from stdm_platform.extraction.source import Source
from stdm_platform.lake import Lake, Window
from stdm_platform.settings import QUARANTINE_LIMIT


def extract_plan(
    client: Source,
    lake: Lake,
    plan: Plan,
    *,
    text: str = "keep",
    limit: float = QUARANTINE_LIMIT,
    days: Collection[date] | None = None,
    dmos: Iterable[Dmo] = DMOS,
    workers: int = WORKERS,
    progress: Callable[[DayOutcome], None] | None = None,
) -> list[DayOutcome]:
    """Read the windows of a plan; one outcome per DMO and day that is due.

    Args:
        client: the org.
        lake: where the windows go.
        plan: its clock is the clock of the evidence.
        text: `none` never asks for columns that hold text of conversations.
        limit: share of a window's rows that may be kept aside; see `guard.quarantine.tolerated`.
        days: only these days of the plan.
        dmos: only these DMOs of the plan.
        workers: days read at the same time.
        progress: told each outcome, in this thread.

    Raises:
        WrongOrgError: the lake holds another org; nothing was written.
        AuthenticationError, PermissionDeniedError, ArgumentError: every day would meet it.
    """
    wanted = list(dmos)
    jobs = [
        _job(lake, plan, dmo, day)
        for day, names in plan.days().items()
        for dmo in wanted
        if dmo.name in names and (days is None or day in days)
    ]
    if not jobs:
        return []
    lake.claim(client.org_id)
    run = Run(client, lake, plan.now, text, limit=limit)
    return run_jobs(run, jobs, workers=workers, progress=progress)


def _job(lake: Lake, plan: Plan, dmo: Dmo, day: date) -> Job:
    asked = plan.windows(dmo.name, day)

    def due_now() -> Sequence[Window]:
        held, refused = held_of_day(lake, dmo, day), refused_of_day(lake, dmo, day)
        return still_due(plan.timings[dmo.name], asked, held, refused)

    return Job(dmo, day, asked, due_now)
