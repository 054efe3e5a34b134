"""Extract several DMOs and days side by side.

Belongs here: the order, the bound, what one failure means for the others. Does not: reading one day
(`days.py`), remembering what is finished (`continuation.py`).
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from datetime import date, datetime

from stdm_platform.catalog import Dmo
from stdm_platform.errors import (
    ArgumentError,
    AuthenticationError,
    PermissionDeniedError,
    StdmError,
)
from stdm_platform.extraction.continuation import Request
from stdm_platform.extraction.days import extract_day
from stdm_platform.extraction.outcome import DayOutcome
from stdm_platform.extraction.shape import SourceShape, look
from stdm_platform.extraction.source import Source
from stdm_platform.lake import Lake, Window

WORKERS = 4
"""Days read at the same time: two cores stay busy while others wait for the org."""

ENDS_ALL = (AuthenticationError, PermissionDeniedError, ArgumentError)
"""Errors that every other day would meet too: the rest is not asked for."""


class _HaltedError(Exception):
    """A reading was stopped because another one met an error that ends all."""


@dataclass(frozen=True)
class _Run:
    client: Source
    lake: Lake
    request: Request
    now: datetime
    text: str
    stop: threading.Event

    def halted(self) -> None:
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
        again: read also what an interrupted request had finished.
        continued: this is a retry of the same run, however old.
        workers: days read at the same time.
        progress: told each outcome, in this thread.

    Returns:
        one outcome per DMO and day, by day, then in the order of the DMOs.

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
    run = _Run(client, lake, request, now, text, threading.Event())
    outcomes = []
    for outcome in _side_by_side(run, dmos, windows, workers):
        outcomes.append(outcome)
        if progress is not None:
            progress(outcome)
    if all(outcome.error is None for outcome in outcomes):
        request.end()
    order = {dmo.name: place for place, dmo in enumerate(dmos)}
    return sorted(outcomes, key=lambda outcome: (outcome.day, order[outcome.dmo.name]))


def _side_by_side(
    run: _Run, dmos: Sequence[Dmo], windows: Sequence[Window], workers: int
) -> Iterator[DayOutcome]:
    """Outcomes as they come. Leaving early, by whatever error, stops what is still being read."""
    by_day: dict[date, list[Window]] = {}
    for window in sorted(windows):
        by_day.setdefault(window.day, []).append(window)
    span = f"{min(by_day)}" if len(by_day) == 1 else f"{min(by_day)} to {max(by_day)}"
    with ThreadPoolExecutor(max_workers=workers, thread_name_prefix="extract") as pool:
        try:
            looks = {dmo.name: pool.submit(look, run.client, dmo, of=span) for dmo in dmos}
            waiting = {
                pool.submit(_day, run, dmo, day, asked, looks[dmo.name])
                for day, asked in by_day.items()
                for dmo in dmos
            }
            while waiting:
                done, waiting = wait(waiting, return_when=FIRST_COMPLETED)
                yield from _results(done)
        finally:
            run.stop.set()
            pool.shutdown(wait=True, cancel_futures=True)


def _results(done: Iterable[Future[DayOutcome]]) -> Iterator[DayOutcome]:
    """The outcomes; an error that ends all is raised before any of them is told."""
    for future in done:
        error = future.exception()
        if error is not None and not isinstance(error, _HaltedError):
            raise error
    for future in done:
        yield future.result()


def _day(
    run: _Run, dmo: Dmo, day: date, windows: Sequence[Window], looked: Future[SourceShape | None]
) -> DayOutcome:
    try:
        run.halted()
        shape = looked.result()
        if shape is None:
            return DayOutcome(dmo, day, "absent", tuple(windows))
        kept = _kept(run, dmo, day, windows)
        if kept is not None:
            return kept
        outcome = extract_day(
            run.client,
            run.lake,
            shape,
            windows,
            now=run.now,
            text=run.text,
            halted=run.halted,
        )
    except ENDS_ALL:
        run.stop.set()
        raise
    except StdmError as error:
        return DayOutcome(dmo, day, "failed", tuple(windows), error=error)
    if outcome.status == "published":
        run.request.finish(dmo, windows, outcome.files)
    return outcome


def _kept(run: _Run, dmo: Dmo, day: date, windows: Sequence[Window]) -> DayOutcome | None:
    """What the same request published before it was interrupted, if the lake still holds it."""
    names = [set(run.request.files_of(dmo, window)) for window in windows]
    if not all(names):
        return None
    wanted = set().union(*names)
    held = run.lake.evidence_of_day(dmo.name, day)
    files = tuple(file for file, _ in held if file.path.name in wanted)
    if {file.path.name for file in files} != wanted:
        return None
    evidence = [said for file, said in held if file.path.name in wanted]
    billed = [said.readings[-1].rows_processed for said in evidence]
    return DayOutcome(
        dmo=dmo,
        day=day,
        status="kept",
        windows=tuple(windows),
        files=files,
        rows=sum(said.rows for said in evidence),
        bytes=sum(file.path.stat().st_size for file in files),
        rows_processed=sum(each or 0 for each in billed),
        absent_columns=evidence[0].absent_columns,
    )
