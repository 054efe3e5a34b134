"""Hold the windows of the lake against the source, whatever the clock.

Belongs here: which windows to ask for, several days side by side. Does not: one day
(`day_verification.py`), what was verified (`verified.py`), marts.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date, datetime

from stdm_platform.catalog import Dmo
from stdm_platform.errors import ArgumentError, AuthenticationError, StdmError
from stdm_platform.extraction.backfill import WORKERS
from stdm_platform.extraction.catalogues import days_that_count
from stdm_platform.extraction.counting import count_rows_without_clock
from stdm_platform.extraction.day_verification import DayCheck, meeting, verify_day
from stdm_platform.extraction.interruption import as_they_end, waits_ended_by_interruption
from stdm_platform.extraction.shape import SourceShape, look
from stdm_platform.extraction.source import Source
from stdm_platform.extraction.verified import Verified
from stdm_platform.lake import Lake, Window

logger = logging.getLogger(__name__)

ENDS_ALL = (AuthenticationError, ArgumentError)
"""Errors that every other day would meet too: the rest is not asked for."""


@dataclass(frozen=True)
class Span:
    """A range `[since, until)` without a bound where None stands."""

    since: datetime | None = None
    until: datetime | None = None

    @property
    def is_all(self) -> bool:
        """Whether no bound was given."""
        return self.since is None and self.until is None

    def touches(self, window: Window) -> bool:
        """Whether some instant of the window lies in it."""
        starts_before = self.until is None or window.start < self.until
        return starts_before and (self.since is None or window.end > self.since)


@dataclass(frozen=True)
class DayToVerify:
    """One DMO and day, and its windows to ask for."""

    dmo: Dmo
    day: date
    windows: tuple[Window, ...]

    def stretches(self) -> list[list[Window]]:
        """The windows in order, those that meet put together: one query each."""
        return meeting(self.windows)


def days_to_verify(
    lake: Lake, dmos: Iterable[Dmo], span: Span, verified: Verified
) -> list[DayToVerify]:
    """The held windows to ask for, oldest day first: those of the range, else those not verified."""
    found = []
    for dmo in dmos:
        for day in days_that_count(dmo, lake.days(dmo.name)):
            if not span.touches(Window.of_day(day)):
                continue
            windows = tuple(
                file.window
                for file in lake.windows(dmo.name, day)
                if (
                    not verified.holds(dmo.name, day, file.path)
                    if span.is_all
                    else span.touches(file.window)
                )
            )
            if windows:
                found.append(DayToVerify(dmo, day, windows))
    return sorted(found, key=lambda each: each.day)


def verify_days(
    client: Source,
    lake: Lake,
    wanted: Sequence[DayToVerify],
    verified: Verified,
    *,
    text: str = "keep",
    workers: int = WORKERS,
) -> Iterator[DayCheck]:
    """Ask for these days, some side by side, and note which windows are equal, as they come.

    A day that fails does not stop the others; its check says why. After an error that every other day
    would meet too, the rest is not asked for.

    Raises:
        WrongOrgError: the lake holds another org; nothing was asked.
        AuthenticationError: no token.
    """
    lake.claim(client.org_id)
    run = _Run(client, lake, text, threading.Event())
    dmos = {each.dmo.name: each.dmo for each in wanted}
    with ThreadPoolExecutor(max_workers=workers, thread_name_prefix="verify") as pool:
        try:
            with waits_ended_by_interruption(client):
                looks = {name: pool.submit(look, client, dmo) for name, dmo in dmos.items()}
                jobs = [pool.submit(run.day, each, looks[each.dmo.name]) for each in wanted]
                for job in as_they_end(jobs):
                    check = job.result()
                    if check is not None:
                        _note(lake, verified, check)
                        yield check
        finally:
            run.stop.set()
            pool.shutdown(wait=True, cancel_futures=True)


def rows_without_clock(client: Source, dmos: Iterable[Dmo]) -> dict[Dmo, int]:
    """Per DMO that the org has, its rows without a clock: no window asks for them, so none holds them.

    One query per DMO, billed by what the org scans for it. A DMO that cannot be asked is left out: the
    checks of its days say why. A catalogue is read whatever its clock says.
    """
    found = {}
    for dmo in (each for each in dmos if not each.is_catalogue):
        try:
            shape = look(client, dmo)
            if shape is not None:
                found[dmo] = count_rows_without_clock(client, shape)
        except StdmError as error:
            logger.warning("%s: rows without a clock were not counted: %s", dmo.name, error)
    return found


@dataclass(frozen=True)
class _Run:
    client: Source
    lake: Lake
    text: str
    stop: threading.Event

    def day(self, wanted: DayToVerify, looked: Future[SourceShape | None]) -> DayCheck | None:
        """The check of one day; None once another day met an error that ends all."""
        if self.stop.is_set():
            return None
        try:
            shape = looked.result()
            if shape is None:
                return DayCheck(wanted.dmo, wanted.day, is_absent=True)
            return verify_day(self.client, self.lake, shape, wanted.windows, text=self.text)
        except StdmError as error:
            if isinstance(error, ENDS_ALL):
                self.stop.set()
            return DayCheck(wanted.dmo, wanted.day, error=error)


def _note(lake: Lake, verified: Verified, check: DayCheck) -> None:
    """Note the equal windows; one that differs now is no longer verified, whatever it was."""
    if check.error is not None or check.is_absent:
        return
    equal = [each.file.path for each in check.windows if each.kind == "equal"]
    held = {file.path.name for file in lake.windows(check.dmo.name, check.day)}
    differing = {each.file.path.name for each in check.differing}
    verified.keep(check.dmo.name, check.day, equal, held - differing)
