"""The org's own clock, which decides the rows that are visible.

Belongs here: an instant that stands, runs and is moved. Does not: what it decides (`landing.py`).
Tokens, retries, HTTP dates and the life of results keep the real clock.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from stdm_platform.errors import ArgumentError

WRITE_IT_LIKE = "Write it like 2026-01-14T00:00:00Z."
FIRST, LAST = datetime(1970, 1, 2, tzinfo=UTC), datetime(2999, 1, 1, tzinfo=UTC)


class OrgClock:
    """A clock in UTC that runs `speed` times as fast as the real one; 0 lets it stand.

    Without an instant the org has no clock: all its rows are visible. It stops in 2999. `elapsed`
    gives seconds that never go back. Safe to share by threads.
    """

    def __init__(
        self,
        start: datetime | None = None,
        speed: float = 0.0,
        *,
        elapsed: Callable[[], float] = time.monotonic,
    ) -> None:
        self._elapsed = elapsed
        self._lock = threading.Lock()
        self._at, self._speed, self._since = start, speed, elapsed()

    @property
    def is_set(self) -> bool:
        """Whether there is a clock at all."""
        return self._at is not None

    def now(self) -> datetime | None:
        """The instant, aware UTC; None without a clock."""
        with self._lock:
            return self._now()

    def change(self, given: dict[str, Any]) -> None:
        """Move the clock: `now` (ISO instant, None to have none), `advance_seconds`, `speed`.

        They act in this order. It may go back: what was visible is hidden again.

        Raises:
            ArgumentError: a field is unknown or cannot be meant; the clock is as it was.
        """
        unknown = set(given) - {"now", "advance_seconds", "speed"}
        if unknown:
            raise ArgumentError(
                f"clock fields {', '.join(sorted(unknown))} are unknown.",
                action="Give now, advance_seconds or speed.",
            )
        with self._lock:
            at = self._now()
            if "now" in given:
                at = None if given["now"] is None else read_instant("now", given["now"])
            if "advance_seconds" in given:
                at = _later(at, given["advance_seconds"])
            speed = read_speed("speed", given.get("speed", self._speed))
            self._at, self._speed, self._since = at, speed, self._elapsed()

    def report(self) -> dict[str, Any]:
        """`now` as ISO text or None, and `speed`."""
        now = self.now()
        return {"now": None if now is None else iso(now), "speed": self._speed}

    def _now(self) -> datetime | None:
        if self._at is None:
            return None
        run = (self._elapsed() - self._since) * self._speed
        return self._at + min(timedelta(seconds=run), LAST - self._at)


def iso(instant: datetime) -> str:
    """An aware instant as text that ends in Z, to the microsecond where it has any."""
    return instant.astimezone(UTC).isoformat().replace("+00:00", "Z")


def read_instant(name: str, text: object) -> datetime:
    """A UTC date or an ISO instant (UTC unless it says otherwise) as an aware instant.

    Raises:
        ArgumentError: it is neither; `name` says whose value it is.
    """
    try:
        found = datetime.fromisoformat(str(text))
        found = found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    except (ValueError, OverflowError):
        raise ArgumentError(f"{name} {text!r} is no ISO instant.", action=WRITE_IT_LIKE) from None
    return _in_bounds(name, found)


def read_speed(name: str, value: object) -> float:
    """A speed: clock seconds in a real second, 0 or more.

    Raises:
        ArgumentError: it is none; `name` says whose value it is.
    """
    speed = _number(name, value)
    if not 0 <= speed <= 1e7:
        raise ArgumentError(f"{name} {value} is no speed.", action="Use 0 (stands) to 10000000.")
    return speed


def _later(at: datetime | None, seconds: object) -> datetime:
    if at is None:
        raise ArgumentError("there is no clock to advance.", action="Set now first.")
    try:
        return _in_bounds("now", at + timedelta(seconds=_number("advance_seconds", seconds)))
    except OverflowError:
        raise ArgumentError(
            f"advance_seconds {seconds} is too far.", action="Use fewer seconds."
        ) from None


def _in_bounds(name: str, instant: datetime) -> datetime:
    if not FIRST <= instant < LAST:
        raise ArgumentError(f"{name} {iso(instant)} is too far.", action="Stay before 2999.")
    return instant


def _number(name: str, value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise ArgumentError(f"{name} {value!r} is no number.", action="Give a number.")
    return float(value)
