"""Requests at the same time: fewer after a 429, slowly more again.

Belongs here: the shared cap of requests in flight. Does not: how long a refused request waits
(`requester.py`).

An org tells its limit only by refusing. So each refusal halves the cap and each answer raises it a
little, to the most that is allowed at once: additive increase, multiplicative decrease, as TCP does.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager


class Slots:
    """The cap of one client, over all its threads, whatever they read."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._cap = float(most)
        self._cuts = 0
        self._in_use = 0
        self._changed = threading.Condition()

    @property
    def cap(self) -> int:
        """Requests that may be in flight now; never less than one."""
        return int(self._cap)

    @contextmanager
    def taken(self) -> Iterator[int]:
        """A slot while the block runs, waited for; gives what `refused` wants to know of it."""
        with self._changed:
            self._changed.wait_for(lambda: self._in_use < self.cap)
            self._in_use += 1
            cuts = self._cuts
        try:
            yield cuts
        finally:
            with self._changed:
                self._in_use -= 1
                self._changed.notify_all()

    def refused(self, cuts: int) -> None:
        """The org had too many requests.

        Requests that were in flight together are often refused together; that is one refusal.
        """
        with self._changed:
            if cuts == self._cuts:
                self._cap = max(1.0, self._cap / 2)
                self._cuts += 1

    def answered(self) -> None:
        """The org took a request: after as many of them as the cap, one more may be in flight."""
        with self._changed:
            self._cap = min(float(self._most), self._cap + 1 / self._cap)
            self._changed.notify_all()
