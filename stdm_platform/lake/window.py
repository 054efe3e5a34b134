"""Windows of time, and what can be told from a list of them. Pure: no I/O, no clock.

Belongs here: `Window`, and the questions that need nothing but windows and their settled flags
(frontier, holes, watermark). Does not: files (`names.py`), what a query asked (`extraction`).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Protocol

from stdm_platform.errors import ArgumentError

ONE_DAY = timedelta(days=1)
ZERO = timedelta(0)
LANDING = timedelta(days=7)


class HeldWindow(Protocol):
    """What the marks need to know of a held window; `WindowFile` is one."""

    @property
    def window(self) -> Window:
        """The ground that it covers."""

    @property
    def settled(self) -> bool:
        """Whether it was read after its settle time."""


@dataclass(frozen=True, order=True)
class Window:
    """A half-open span `[start, end)` of one UTC day, in whole milliseconds."""

    start: datetime
    end: datetime

    def __post_init__(self) -> None:
        """Refuse what cannot be one window of one day."""
        for instant in (self.start, self.end):
            if instant.utcoffset() != ZERO:
                raise ArgumentError(f"{instant} is not in UTC.", action="Give a UTC instant.")
            if instant.microsecond % 1000:
                raise ArgumentError(
                    f"{instant} is finer than a millisecond.", action="Cut it to milliseconds."
                )
        if self.start >= self.end:
            raise ArgumentError(f"The window {self} is empty.", action="Its end must follow.")
        if self.end > _midnight(self.day) + ONE_DAY:
            raise ArgumentError(
                f"The window {self} crosses midnight.", action="Split it by UTC days."
            )

    @classmethod
    def of_day(cls, day: date) -> Window:
        """The whole UTC day."""
        start = _midnight(day)
        return cls(start, start + ONE_DAY)

    @property
    def day(self) -> date:
        """The UTC day that it belongs to."""
        return self.start.date()

    def overlaps(self, other: Window) -> bool:
        """Whether some instant lies in both."""
        return self.start < other.end and other.start < self.end

    def __str__(self) -> str:
        return f"{as_text(self.start)}/{as_text(self.end)}"


def cut_to_millisecond(instant: datetime) -> datetime:
    """The instant without what is finer than a millisecond, as both transports serve it."""
    return instant.replace(microsecond=instant.microsecond // 1000 * 1000)


def as_text(instant: datetime) -> str:
    """ISO 8601 with milliseconds and `Z`."""
    return instant.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z"


def from_text(text: str) -> datetime:
    """The aware UTC instant of an ISO 8601 text."""
    return datetime.fromisoformat(text).astimezone(UTC)


def reading_that_counts(held: Collection[date], day: date) -> date | None:
    """The day under which the catalogue was read that counts for rows of another day.

    The newest of its first week, in which rows of the day still land; else the first after it. A
    week later it stays the same, so what was built from it stays right.
    """
    known = [each for each in held if each <= day + LANDING]
    return max(known) if known else min(held, default=None)


def late_days(held: Collection[date], day: date, within_days: int) -> list[date]:
    """The held days after the next one on which rows about a day were still written, oldest first.

    None before a later day is held than all of them: what is built from them changes once, not daily.
    """
    last = day + timedelta(days=within_days)
    if max(held, default=day) <= last:
        return []
    later = (day + timedelta(days=number) for number in range(2, within_days + 1))
    return [each for each in later if each in held]


def is_settled(window: Window, read_at: datetime, settle_time: timedelta) -> bool:
    """Whether a reading at that instant is final: made at or after the settle time."""
    return read_at >= window.end + settle_time


def frontier(held: Iterable[HeldWindow]) -> datetime | None:
    """The end of the newest held window: new ground starts here. None when nothing is held."""
    return max((file.window.end for file in held), default=None)


def holes(held: Iterable[HeldWindow], start: datetime, end: datetime) -> list[Window]:
    """The ground in `[start, end)` that no held window covers, split by UTC days."""
    missing: list[Window] = []
    position = start
    for window in sorted(file.window for file in held):
        if window.start >= end:
            break
        if window.start > position:
            missing += _by_day(position, window.start)
        position = max(position, window.end)
    return missing + _by_day(position, end)


def watermark(held: Iterable[HeldWindow], start: datetime) -> datetime:
    """The start of the oldest window from `start` on that is missing or unsettled.

    All before it is final. With all held ground settled and without a hole it is the frontier.
    """
    position = start
    for file in sorted(held, key=lambda held_file: held_file.window):
        if file.window.end <= position:
            continue
        if file.window.start > position:
            return position
        if not file.settled:
            return file.window.start
        position = file.window.end
    return position


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)


def _by_day(start: datetime, end: datetime) -> list[Window]:
    pieces: list[Window] = []
    while start < end:
        stop = min(end, _midnight(start.date()) + ONE_DAY)
        pieces.append(Window(start, stop))
        start = stop
    return pieces
