"""The windows of one day that are still to be read, by as many threads as have time.

Belongs here: handing them out, threads that help. Does not: cutting (`volume.py`), reading
(`reading.py`).
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterable
from concurrent.futures import Future, wait

from stdm_platform.lake import Window

HELPERS = 3
"""More threads than that never help one day."""

Submit = Callable[[Callable[[], None]], "Future[None]"]
"""Runs something on another thread, when one is free."""


class Worklist:
    """Windows to read, oldest first. Safe for many threads."""

    def __init__(self) -> None:
        self._waiting: deque[Window] = deque()
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._waiting)

    def take(self) -> Window | None:
        """The next window; None when no more waits."""
        with self._lock:
            return self._waiting.popleft() if self._waiting else None

    def put(self, windows: Iterable[Window]) -> None:
        """More windows to read."""
        with self._lock:
            self._waiting = deque(sorted([*self._waiting, *windows]))

    def stop(self) -> None:
        """Nothing more is to be read."""
        with self._lock:
            self._waiting.clear()


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
