"""What the processes of a session cost while they are watched: how many came, their CPU seconds.

Belongs here: reading /proc of a session of its own (Linux). Does not: starting or ending processes.
A process that lives shorter than the pause between two looks may be missed; its CPU time is in its
parent's all the same, as soon as the parent has waited for it.
"""

from __future__ import annotations

import os
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from stdm_platform_tests.orchestration.processes import members

PAUSE_SECONDS = 0.1
TICKS = os.sysconf("SC_CLK_TCK")
Process = tuple[int, int]
"""A process by its id and the tick at which it started, as ids are used again."""


@dataclass(frozen=True)
class Look:
    """One process: who started it, and the CPU seconds of it and of those it has waited for."""

    parent: int
    cpu_seconds: float
    command: str


class ProcessWatch:
    """Looks at a session from `__enter__` to `__exit__`.

    With `whole`, what is there at the beginning counts as started while we watch.
    """

    def __init__(self, session: int, *, whole: bool = False) -> None:
        self._session = session
        self._whole = whole
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._before: dict[Process, Look] = {}
        self._last: dict[Process, Look] = {}

    def __enter__(self) -> Self:
        self._before = {} if self._whole else _looks(self._session)
        self._begun = time.monotonic()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()
        self._last |= _looks(self._session)
        self.seconds = time.monotonic() - self._begun

    def started(self) -> dict[Process, Look]:
        """The processes that came while we watched."""
        return {each: look for each, look in self._last.items() if each not in self._before}

    def cpu_seconds(self) -> float:
        """Of the started ones, each counted once: a child's time is in its parent's when it is gone."""
        started = self.started()
        pids = {pid for pid, _ in started}
        return sum(look.cpu_seconds for look in started.values() if look.parent not in pids)

    def _watch(self) -> None:
        while not self._stop.wait(PAUSE_SECONDS):
            self._last |= _looks(self._session)


def _looks(session: int) -> dict[Process, Look]:
    found = {}
    for pid in members(session):
        folder = Path(f"/proc/{pid}")
        try:
            fields = (folder / "stat").read_text().rpartition(")")[2].split()
            command = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode()
        except OSError:
            continue
        spent = sum(int(each) for each in fields[11:15]) / TICKS
        found[pid, int(fields[19])] = Look(int(fields[1]), spent, command)
    return found
