"""Extract several DMOs and days side by side.

Belongs here: the order, the bound, what one failure means for the others. Does not: reading one day
(`days.py`), remembering what is finished (`continuation.py`).
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from functools import cached_property

from stdm_platform.catalog import Dmo
from stdm_platform.errors import (
    ArgumentError,
    AuthenticationError,
    PermissionDeniedError,
    StdmError,
)
from stdm_platform.extraction.absence import look_and_note
from stdm_platform.extraction.catalogues import windows_of
from stdm_platform.extraction.continuation import Request
from stdm_platform.extraction.day_reading import Shared
from stdm_platform.extraction.days import StillDue, extract_day, refuse_older_clock
from stdm_platform.extraction.in_hand import InHand
from stdm_platform.extraction.interruption import as_they_end, waits_ended_by_interruption
from stdm_platform.extraction.kept import kept_of
from stdm_platform.extraction.outcome import DayOutcome
from stdm_platform.extraction.recall import OF_TICKS
from stdm_platform.extraction.second_look import Looks
from stdm_platform.extraction.shape import SourceShape
from stdm_platform.extraction.source import Source
from stdm_platform.extraction.worklist import Submit
from stdm_platform.lake import Lake, Window
from stdm_platform.settings import QUARANTINE_LIMIT

WORKERS = 4
"""Days read at the same time: two cores stay busy while others wait for the org."""

ENDS_ALL = (AuthenticationError, PermissionDeniedError, ArgumentError)
"""Errors that every other day would meet too: the rest is not asked for."""


class _HaltedError(Exception):
    """A reading was stopped because another one met an error that ends all."""


@dataclass(frozen=True)
class Job:
    """One DMO and day, and its windows. `still_due` is asked when the day is ours to read."""

    dmo: Dmo
    day: date
    windows: Sequence[Window]
    still_due: StillDue | None = None


@dataclass(frozen=True)
class Run:
    """What all days of one extraction share; `request` only where it can be continued."""

    client: Source
    lake: Lake
    now: datetime
    text: str
    request: Request | None = None
    limit: float = QUARANTINE_LIMIT
    stop: threading.Event = field(default_factory=threading.Event)
    in_hand: InHand = field(default_factory=InHand)

    @cached_property
    def looks(self) -> Looks:
        """What is newer than the looks at the start."""
        return Looks(self.client, self.lake, self.now)

    def halted(self) -> None:
        """Raise once another day met an error that ends all."""
        if self.stop.is_set():
            raise _HaltedError


def extract_range(
    client: Source,
    lake: Lake,
    dmos: Sequence[Dmo],
    windows: Sequence[Window],
    *,
    now: datetime,
    text: str = "keep",
    limit: float = QUARANTINE_LIMIT,
    again: bool = False,
    continued: bool = False,
    workers: int = WORKERS,
    progress: Callable[[DayOutcome], None] | None = None,
) -> list[DayOutcome]:
    """Read these windows of these DMOs, oldest days first, some of them side by side.

    A day that fails or is refused does not stop the others; its outcome says why. A request that
    was interrupted less than a day ago goes on where it stopped.

    Args:
        client: the org.
        lake: where the windows go.
        dmos: the objects wanted; one that the org lacks is skipped, and its outcome says so.
        windows: any windows not after now, such as `windows_for_range` gives.
        now: the clock of the evidence.
        text: `none` never asks for columns that hold text of conversations.
        limit: share of a window's rows that may be kept aside; see `guard.quarantine.tolerated`.
        again: read also what an interrupted request had finished.
        continued: this is a retry of the same run, however old.
        workers: days read at the same time.
        progress: told each outcome, in this thread.

    Returns:
        one outcome per DMO and day, by day, then in the order of the DMOs; of a catalogue one.

    Raises:
        WrongOrgError: the lake holds another org; nothing was written.
        AuthenticationError, PermissionDeniedError, ArgumentError: every day would meet it.
    """
    if not windows or not dmos:
        return []
    lake.claim(client.org_id)
    request = Request.open(
        lake, dmos, windows, now=now, text=text, again=again, continued=continued
    )
    jobs = _jobs(dmos, windows, now)
    for job in jobs:
        refuse_older_clock(lake, job.dmo, job.windows, now)
    run = Run(client, lake, now, text, request, limit)
    outcomes = run_jobs(run, jobs, workers=workers, progress=progress)
    if all(outcome.error is None for outcome in outcomes):
        request.end()
    return outcomes


def _jobs(dmos: Sequence[Dmo], windows: Sequence[Window], now: datetime) -> list[Job]:
    by_day: dict[date, list[Job]] = {window.day: [] for window in sorted(windows)}
    for dmo in dmos:
        asked: dict[date, list[Window]] = {}
        for window in sorted(windows_of(dmo, windows, now)):
            asked.setdefault(window.day, []).append(window)
        for day, of_day in asked.items():
            by_day[day].append(Job(dmo, day, of_day))
    return [job for jobs in by_day.values() for job in jobs]


def run_jobs(
    run: Run,
    jobs: Sequence[Job],
    *,
    workers: int = WORKERS,
    progress: Callable[[DayOutcome], None] | None = None,
) -> list[DayOutcome]:
    """Extract these days, some side by side; one outcome each, by day, then as the jobs came.

    Raises: as `extract_range`.
    """
    outcomes = []
    try:
        for outcome in _side_by_side(run, jobs, workers):
            outcomes.append(outcome)
            if progress is not None:
                progress(outcome)
    finally:
        run.lake.footers.save()
    order = {name: place for place, name in enumerate(dict.fromkeys(job.dmo.name for job in jobs))}
    return sorted(outcomes, key=lambda outcome: (outcome.day, order[outcome.dmo.name]))


def _side_by_side(run: Run, jobs: Sequence[Job], workers: int) -> Iterator[DayOutcome]:
    """Outcomes as they come. Leaving early, by whatever error, stops what is still being read."""
    first, last = min(job.day for job in jobs), max(job.day for job in jobs)
    span = f"{first}" if first == last else f"{first} to {last}"
    dmos = {job.dmo.name: job.dmo for job in jobs}
    with ThreadPoolExecutor(max_workers=workers, thread_name_prefix="extract") as pool:
        try:
            with waits_ended_by_interruption(run.client):
                looks = {
                    name: pool.submit(look_and_note, run.client, run.lake, dmo, run.now, span)
                    for name, dmo in dmos.items()
                }
                days = [
                    pool.submit(_day, run, job, looks[job.dmo.name], pool.submit) for job in jobs
                ]
                for ended in as_they_end(days):
                    yield from _result(ended)
        finally:
            run.stop.set()
            pool.shutdown(wait=True, cancel_futures=True)


def _result(ended: Future[DayOutcome]) -> Iterator[DayOutcome]:
    """The outcome; an error that ends all is raised.

    A day that was stopped has none: what stopped it may end after it, and is waited for.
    """
    error = ended.exception()
    if error is None:
        yield ended.result()
    elif not isinstance(error, _HaltedError):
        raise error


def _day(run: Run, job: Job, looked: Future[SourceShape | None], submit: Submit) -> DayOutcome:
    dmo, day, windows = job.dmo, job.day, tuple(job.windows)
    try:
        run.halted()
        shape = looked.result()
        if shape is None:
            return DayOutcome(dmo, day, "absent", windows)
        kept = kept_of(run.request, run.lake, dmo, day, windows)
        if kept is not None and not kept.left:
            return kept.outcome
        outcome = run.looks.reading(shape, day, lambda seen: _extracted(run, job, seen, submit))
    except ENDS_ALL:
        run.stop.set()
        raise
    except StdmError as error:
        return DayOutcome(dmo, day, "failed", windows, error=error)
    return outcome


def _extracted(run: Run, job: Job, shape: SourceShape, submit: Submit) -> DayOutcome:
    """What the request has not finished yet of the day, and what it has, as one outcome."""
    request, dmo = run.request, job.dmo
    kept = kept_of(request, run.lake, dmo, job.day, job.windows)
    shared = Shared(run.in_hand, submit, (lambda: OF_TICKS) if request is None else request.name)
    if request is not None:
        shared = replace(shared, published=lambda file: request.finish(dmo, file))
    outcome = extract_day(
        run.client,
        run.lake,
        shape,
        job.windows if kept is None else kept.left,
        now=run.now,
        text=run.text,
        limit=run.limit,
        halted=run.halted,
        still_due=job.still_due,
        shared=shared,
    )
    return outcome if kept is None else kept.with_rest(outcome)
