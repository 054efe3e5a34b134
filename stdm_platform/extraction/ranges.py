"""What a request for a range of time means: windows, one per UTC day.

Belongs here: reading `--since`, `--until`, `--days`, cutting at now, fitting a window to held ones.
Does not: reading the clock (it is given), choosing what is due (`plan`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, date, datetime, time, timedelta

from stdm_platform.errors import ArgumentError
from stdm_platform.lake import Window, cut_to_millisecond

DEFAULT_DAYS = 7
"""Whole days before today when nothing is said; a sandbox org holds as many."""
MOST_DAYS = 10_000


def _silent(note: str) -> None:
    """For callers that show no notes."""


def windows_for_range(
    since: str | None,
    until: str | None,
    days: int | None,
    now: datetime,
    *,
    start_date: date | None = None,
    note: Callable[[str], None] = _silent,
) -> list[Window]:
    """The windows of `[since, until)`, or of the last `days` UTC days with today.

    Args:
        since: UTC date or ISO instant; without it `start_date`, or 7 days before today.
        until: likewise; without it now.
        days: instead of both.
        now: the clock; nothing after it is asked for.
        start_date: the first day to hold.
        note: told what the user should know, such as a range that is cut to now.

    Raises:
        ArgumentError: not a date, a reversed range, or flags that exclude each other.
    """
    now = cut_to_millisecond(now.astimezone(UTC))
    today = datetime.combine(now.date(), time(), UTC)
    if days is not None:
        if since is not None or until is not None:
            raise ArgumentError(
                "--days cannot be used together with --since or --until.",
                action="Give one of them.",
            )
        if not 1 <= days <= MOST_DAYS:
            raise ArgumentError(
                f"--days {days} is no number of days.", action=f"Give 1 to {MOST_DAYS}."
            )
        return _by_day(today - timedelta(days=days - 1), now)
    first = start_date or (today - timedelta(days=DEFAULT_DAYS)).date()
    start = datetime.combine(first, time(), UTC) if since is None else _instant("--since", since)
    end = now if until is None else _instant("--until", until)
    if start > end and until is not None:
        raise _reversed(start, end)
    if end > now:
        note(f"The range is cut to now, {_said(now)}: nothing after it can be held yet.")
    return _by_day(start, min(end, now))


def bounds(since: str | None, until: str | None) -> tuple[datetime | None, datetime | None]:
    """The instants of a range `[since, until)` of held ground, whatever the clock; None: no bound.

    Raises:
        ArgumentError: not a date, or a reversed range.
    """
    start = None if since is None else _instant("--since", since)
    end = None if until is None else _instant("--until", until)
    if start is not None and end is not None and start > end:
        raise _reversed(start, end)
    return start, end


def windows_of_days(days: Iterable[date], now: datetime) -> list[Window]:
    """The window of each UTC day, oldest first; today's ends now, a day to come has none."""
    now = cut_to_millisecond(now.astimezone(UTC))
    windows = []
    for day in sorted(set(days)):
        start = datetime.combine(day, time(), UTC)
        windows += _by_day(start, min(start + timedelta(days=1), now))
    return windows


def hull(window: Window, held: Iterable[Window], now: datetime) -> Window:
    """The smallest window that covers this one and wholly every held one that it touches.

    A held window is only ever replaced whole, so a request for a part of it reads all of it.

    Raises:
        ArgumentError: a held window ends after now, so it cannot be read again whole.
    """
    touched = [each for each in held if each.overlaps(window)]
    start = min([window.start, *(each.start for each in touched)])
    end = max([window.end, *(each.end for each in touched)])
    if end > now:
        raise ArgumentError(
            f"{_said(start)} to {_said(end)} has to be read whole, and it ends after the clock of "
            f"this run, {_said(now)}.",
            action="Another run has read further meanwhile: run it again. With --now, give a later one.",
        )
    return Window(start, end)


def not_read_later(
    windows: Iterable[Window], held: Sequence[Window], now: datetime
) -> list[Window]:
    """What is left of windows where held ones end after now: a run that began later has read the rest.

    A request and a tick, or two requests, meet so on the day that is not over: whoever comes second to a day
    would else have to read it with a clock that the first one's rows are newer than.
    """
    later = [each for each in held if each.end > now]
    found = []
    for window in windows:
        end = min([window.end, *(each.start for each in later if each.overlaps(window))])
        if window.start < end:
            found.append(Window(window.start, end))
    return found


def fitted(windows: Iterable[Window], held: Sequence[Window], now: datetime) -> list[Window]:
    """The asked windows of a day, each as `hull` fits it; those that meet a common one become one.

    Raises: as `hull`.
    """
    found: list[Window] = []
    for window in sorted(hull(window, held, now) for window in windows):
        if found and found[-1].overlaps(window):
            before = found.pop()
            found.append(Window(before.start, max(before.end, window.end)))
        else:
            found.append(window)
    return found


def _by_day(start: datetime, end: datetime) -> list[Window]:
    windows = []
    while start < end:
        midnight = datetime.combine(start.date() + timedelta(days=1), time(), UTC)
        windows.append(Window(start, min(midnight, end)))
        start = midnight
    return windows


def _reversed(start: datetime, end: datetime) -> ArgumentError:
    return ArgumentError(
        f"the range from {_said(start)} to {_said(end)} ends before it begins.",
        action="Give a --since before --until.",
    )


def _instant(flag: str, said: str) -> datetime:
    """A date is its first instant; an instant without zone is UTC, like everything here."""
    try:
        instant = datetime.fromisoformat(said.strip())
        in_utc = instant.astimezone(UTC) if instant.tzinfo else instant.replace(tzinfo=UTC)
        return cut_to_millisecond(in_utc)
    except (ValueError, OverflowError):
        raise ArgumentError(
            f"{flag} {said!r} is neither a date nor an instant.",
            action="Write it like 2026-01-14 or 2026-01-14T06:30:00Z.",
        ) from None


def _said(instant: datetime) -> str:
    return instant.isoformat(timespec="seconds").replace("+00:00", "Z")
