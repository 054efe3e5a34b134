"""How many answers may be read ahead: as many as the memory for all results together has room for.

Belongs here: the budget of bytes, and each result's share of it. Does not: the order of the answers
(`ranges.py`), requests at the same time (`slots.py`).
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from stdm_platform.data360.answers import SPILL_BYTES

BYTES_AHEAD = 256 * 1024 * 1024
"""For the answers of all results of one client that were asked for and not taken yet.

Beside them each result holds the answer that it gives away. A larger answer than `SPILL_BYTES` waits
in a file, so no answer takes more memory than that.
"""


class Ahead:
    """The budget of one client. Safe to use from many threads."""

    def __init__(self, most: int, budget: int = BYTES_AHEAD) -> None:
        self._most = most
        self._budget = budget
        self._readers = 0
        self._lock = threading.Lock()

    @contextmanager
    def reading(self) -> Iterator[Share]:
        """The share of one result while it is read."""
        with self._lock:
            self._readers += 1
        try:
            yield Share(self)
        finally:
            with self._lock:
                self._readers -= 1

    def allowed(self, size: int) -> int:
        """How many answers of this size each of the results that are read may ask for ahead.

        At least one, so that every result goes on.
        """
        with self._lock:
            share = self._budget // max(self._readers, 1)
        return max(1, min(self._most, share // max(size, 1)))


class Share:
    """What one result may read ahead: by the largest answer that it had, by the worst before that."""

    def __init__(self, ahead: Ahead) -> None:
        self._ahead = ahead
        self._largest = 0

    @property
    def allowed(self) -> int:
        """Answers that may be asked for before the next one is taken."""
        return self._ahead.allowed(self._largest or SPILL_BYTES)

    def took(self, size: int) -> None:
        """Note the bytes of an answer."""
        self._largest = max(self._largest, min(size, SPILL_BYTES))
