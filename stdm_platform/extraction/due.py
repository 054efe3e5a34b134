"""Which ground of one DMO and one day is to be read now. Pure: no I/O, no clock.

Belongs here: new ground, holes, the widening schedule, the settle pass. Does not: finding what is
held (`holdings.py`), several days and DMOs, cost (`plan.py`).

    new ground   from the frontier to the shortest lag before now, cut at midnight
    hole         ground before the frontier that nothing covers
    again +24 h  a held window whose last reading was made before that mark after its end
    settle       all ground of a day that is unsettled its settle time after the day's end, as one

A catalogue is read whole, once a day: nothing of it is new while anything is held of the day.

Small windows that begin in the same span (an hour) are read again together, when the last of it is
due, so that each row is read once for each mark. The settle pass reads the whole day: its small windows
become one, or as few as its rows allow (`volume.py` cuts what is due here).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import pairwise

from stdm_platform.catalog import Dmo
from stdm_platform.lake import Window, holes

CLOCK_DOUBT = timedelta(days=1)
"""A reading further in the future than that was made by a wrong clock: what it called final is not."""

REFUSED_AGAIN_AFTER = timedelta(hours=24)
"""Ground that broke its contract is asked for again once a day: each attempt is billed."""


@dataclass(frozen=True)
class HeldGround:
    """A held window. What stands in footers is given for unsettled windows only."""

    window: Window
    settled: bool
    read_at: datetime | None = None
    rows: int | None = None
    rows_processed: int | None = None


@dataclass(frozen=True)
class RefusedGround:
    """A reading that broke its contract."""

    window: Window
    at: datetime
    settled: bool = False


@dataclass(frozen=True)
class Cadence:
    """How finely ground is read.

    New ground smaller than `smallest` waits, unless it ends its day. Held windows that begin in the
    same `span` of a day are read again together, at each of the marks `again_after` their end.
    """

    smallest: timedelta
    span: timedelta
    again_after: tuple[timedelta, ...]


@dataclass(frozen=True)
class Ground:
    """A piece of a day that is to be read, and why."""

    window: Window
    reason: str


@dataclass(frozen=True)
class Timing:
    """What decides whether ground of a DMO is due, alike on all its days.

    `frontier` tells new ground from holes; `edge` is how near to now ground may be read.
    """

    dmo: Dmo
    start: datetime
    edge: datetime
    frontier: datetime | None
    cadence: Cadence
    now: datetime


def due_of_day(
    timing: Timing,
    day: Window,
    held: Sequence[HeldGround],
    refused: Iterable[RefusedGround] = (),
) -> list[Ground]:
    """The windows of a day to read now, oldest first; they never overlap each other.

    Args:
        timing: of the DMO.
        day: the whole day.
        held: what is held of it.
        refused: readings of it that were refused; the younger ones keep their ground waiting.
    """
    held = [_believed(timing, each) for each in held]
    young = [each for each in refused if timing.now < each.at + REFUSED_AGAIN_AFTER]
    if timing.dmo.is_catalogue:
        end = min(day.end, timing.edge)
        is_due = not held and not young and end > day.start
        return [Ground(Window(day.start, end), "new")] if is_due else []
    missing = _missing(timing, day, held, young)
    open_held = [
        each
        for each in sorted(held, key=lambda ground: ground.window)
        if not each.settled and each.window.end <= timing.now and not _is_waiting(each, young)
    ]
    if timing.now >= day.end + timing.dmo.settle_time:
        return list(_settling(missing, [each.window for each in open_held]))
    # What would be settled one by one waits for the settle pass of its day, which is near.
    again = _again(
        timing, day, [e for e in open_held if timing.now < e.window.end + timing.dmo.settle_time]
    )
    return sorted([*missing, *again], key=lambda ground: ground.window)


def is_final(dmo: Dmo, held: HeldGround, now: datetime) -> bool:
    """Whether it is settled, and can be: nothing is before its settle time has passed."""
    return held.settled and held.window.end + dmo.settle_time <= now + CLOCK_DOUBT


def _believed(timing: Timing, held: HeldGround) -> HeldGround:
    """What a clock far ahead read counts as read at no known time."""
    is_of_future = held.read_at is not None and held.read_at > timing.now + CLOCK_DOUBT
    if held.settled == is_final(timing.dmo, held, timing.now) and not is_of_future:
        return held
    return replace(held, settled=is_final(timing.dmo, held, timing.now), read_at=None)


def _missing(
    timing: Timing, day: Window, held: Sequence[HeldGround], young: Sequence[RefusedGround]
) -> list[Ground]:
    """What nothing covers, between the start date and the edge."""
    start, end = max(day.start, timing.start), min(day.end, timing.edge)
    found = []
    for window in holes([*held, *young], start, end):
        if window.end < day.end and window.end == end and _length(window) < timing.cadence.smallest:
            continue
        is_new = timing.frontier is None or window.start >= timing.frontier
        found.append(Ground(window, "new" if is_new else "hole"))
    return found


def _is_waiting(held: HeldGround, young: Iterable[RefusedGround]) -> bool:
    """Whether a newer reading of it was refused a short while ago."""
    return any(
        each.window.overlaps(held.window) and (held.read_at is None or each.at >= held.read_at)
        for each in young
    )


def _settling(missing: Sequence[Ground], unsettled: Sequence[Window]) -> Iterator[Ground]:
    """Each stretch of unsettled and missing ground as one window; settled ground parts them."""
    reasons = {ground.window: ground.reason for ground in missing}
    for stretch in stretches_of([*reasons, *unsettled]):
        found = {reasons.get(window, "settle") for window in stretch}
        whole = Window(stretch[0].start, stretch[-1].end)
        yield Ground(whole, found.pop() if len(found) == 1 else "settle")


def _again(timing: Timing, day: Window, unsettled: Sequence[HeldGround]) -> Iterator[Ground]:
    spans: dict[int, list[HeldGround]] = {}
    for each in unsettled:
        place = (each.window.start - day.start) // timing.cadence.span
        spans.setdefault(place, []).append(each)
    for place, group in spans.items():
        # The whole span, though the rest may not be held yet: else its first part is read twice.
        end = max(group[-1].window.end, day.start + (place + 1) * timing.cadence.span)
        passed = [mark for mark in _marks(timing) if end + mark <= timing.now]
        if not passed:
            continue
        mark = max(passed)
        due = [each.window for each in group if each.read_at is None or each.read_at < end + mark]
        for stretch in stretches_of(due):
            yield Ground(Window(stretch[0].start, stretch[-1].end), f"again +{_said(mark)}")


def _marks(timing: Timing) -> Iterator[timedelta]:
    return (mark for mark in timing.cadence.again_after if mark < timing.dmo.settle_time)


def stretches_of(windows: Iterable[Window]) -> list[list[Window]]:
    """The windows in order, those that meet put together."""
    ordered = sorted(windows)
    parts = [ordered[:1]] if ordered else []
    for before, window in pairwise(ordered):
        if before.end == window.start:
            parts[-1].append(window)
        else:
            parts.append([window])
    return parts


def _length(window: Window) -> timedelta:
    return window.end - window.start


def _said(mark: timedelta) -> str:
    hours = mark / timedelta(hours=1)
    return f"{hours:g} h"
