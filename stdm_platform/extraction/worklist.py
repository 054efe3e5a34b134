"""The windows of one day that are still to be read, by as many threads as have time.

Belongs here: handing them out, parts in the place of one that holds too many rows, threads that help.
Does not: cutting by expected rows (`volume.py`), reading (`reading.py`).
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future, wait

from stdm_platform.extraction.volume import Size
from stdm_platform.lake import Window

GROWTH = 4
"""How much longer than a part that was read the next may be made of parts with few rows."""

HELPERS = 3
"""More threads than that never help one day."""

Submit = Callable[[Callable[[], None]], "Future[None]"]
"""Runs something on another thread, when one is free."""


class Worklist:
    """Windows to read, oldest first. Safe for many threads."""

    def __init__(self, windows: Iterable[Window], size: Size) -> None:
        self._waiting = deque(sorted(windows))
        self._parts: set[Window] = set()
        self._size = size
        self._density: float | None = None
        self._longest = 0.0
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._waiting)

    def take(self) -> Window | None:
        """The next window; None when no more waits. Parts that will hold few rows become one."""
        with self._lock:
            if not self._waiting:
                return None
            window = self._waiting.popleft()
            if window not in self._parts:
                return window
            while self._waiting and self._may_grow(window, self._waiting[0]):
                window = Window(window.start, self._waiting.popleft().end)
            return window

    def put(self, windows: Iterable[Window]) -> None:
        """More windows to read."""
        with self._lock:
            self._waiting = deque(sorted([*self._waiting, *windows]))

    def put_parts(self, parts: Sequence[Window]) -> None:
        """Parts of a window that held too many rows."""
        with self._lock:
            self._parts.update(parts)
            self._waiting = deque(sorted([*self._waiting, *parts]))
            self._density, self._longest = None, 0.0

    def learn(self, window: Window, rows: int) -> None:
        """A window was found to hold so many rows."""
        with self._lock:
            self._longest = _seconds(window)
            self._density = max(rows / self._longest, self._density or 0.0)

    def stop(self) -> None:
        """Nothing more is to be read."""
        with self._lock:
            self._waiting.clear()

    def _may_grow(self, window: Window, after: Window) -> bool:
        if self._density is None or after not in self._parts or window.end != after.start:
            return False
        seconds = _seconds(Window(window.start, after.end))
        is_small = seconds * self._density <= self._size.target
        return is_small and seconds <= GROWTH * self._longest


class SideBySide:
    """Reads a list in the thread of its day, and in others that have time for it."""

    def __init__(
        self, worklist: Worklist, read: Callable[[Window], None], submit: Submit | None
    ) -> None:
        self._worklist = worklist
        self._read = read
        self._submit = submit
        self._helpers: list[Future[None]] = []
        self._errors: list[BaseException] = []
        self._lock = threading.Lock()

    def run(self) -> None:
        """Read all of it. What is being read when an error comes is read to its end; it is raised then."""
        self._work()
        while running := [each for each in self._helpers if not (each.cancel() or each.done())]:
            wait(running)
        if self._errors:
            raise self._errors[0]

    def _work(self) -> None:
        try:
            self._call_helpers()
            while (window := self._worklist.take()) is not None:
                self._read(window)
                self._call_helpers()
        except BaseException as error:  # noqa: BLE001  # raised in the thread of the day
            self._errors.append(error)
            self._worklist.stop()

    def _call_helpers(self) -> None:
        """Helpers that find nothing left to do end at once, and those not begun are cancelled."""
        with self._lock:
            if self._submit is None:
                return
            while len(self._helpers) < min(HELPERS, len(self._worklist) - 1):
                try:
                    self._helpers.append(self._submit(self._work))
                except RuntimeError:  # the pool is being shut down
                    return


def _seconds(window: Window) -> float:
    return (window.end - window.start).total_seconds()
