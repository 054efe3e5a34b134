"""How many rows may be fetched and not yet visible at a time: what a kill makes us fetch again.

Belongs here: the count that the windows of one run share. Does not: which windows there are.

Queries run at the org while their windows wait here, and nothing is billed again after a kill, because
stored results are read again (`recall.py`); only the wire is spent. A window that is fetched keeps both
cores busy by itself (chunks in flight, decoding, writing), so windows wait for one another only where
they are large: days with few rows go side by side.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from stdm_platform.extraction.volume import ROWS_PER_WINDOW

LOOK_SECONDS = 0.2
"""Between two looks at whether the run was stopped."""


class InHand:
    """Rows in hand, at most `capacity`, or those of one larger window alone. First come, first in."""

    def __init__(self, capacity: int = ROWS_PER_WINDOW) -> None:
        self._capacity = capacity
        self._rows = 0
        self._queue: deque[object] = deque()
        self._changed = threading.Condition()

    @contextmanager
    def holding(self, rows: int, halted: Callable[[], None]) -> Iterator[None]:
        """Wait until so many more rows may be in hand; `halted` raises to end the wait."""
        ticket = object()
        with self._changed:
            self._queue.append(ticket)
            try:
                while self._queue[0] is not ticket or not self._has_room(rows):
                    self._changed.wait(LOOK_SECONDS)
                    halted()
                self._rows += rows
            finally:
                self._queue.remove(ticket)
                self._changed.notify_all()
        try:
            yield
        finally:
            with self._changed:
                self._rows -= rows
                self._changed.notify_all()

    def _has_room(self, rows: int) -> bool:
        return not self._rows or self._rows + rows <= self._capacity
