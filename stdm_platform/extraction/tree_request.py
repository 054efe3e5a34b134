"""Which sessions an interrupted request for whole sessions had finished.

Belongs here: the small record of a running request, as `continuation.py` has one for days. Does
not: evidence; without the record a request merely reads everything again.
"""

from __future__ import annotations

import hashlib
import json
import logging
import threading
from collections.abc import Iterable, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from stdm_platform.catalog.ids import canonical
from stdm_platform.extraction.continuation import CONTINUED_WITHIN
from stdm_platform.lake import Lake, files

logger = logging.getLogger(__name__)


class TreeRequest:
    """One request for whole sessions, and which of them are finished. Safe for many threads."""

    def __init__(self, path: Path, lake: Lake, finished: Iterable[str]) -> None:
        self._path = path
        self._lake = lake
        self._finished = dict.fromkeys(finished)
        self._lock = threading.Lock()

    @classmethod
    def open(
        cls,
        lake: Lake,
        said: Sequence[str],
        *,
        again: bool = False,
        wall_clock: datetime | None = None,
    ) -> TreeRequest:
        """The request, going on where the same one was interrupted less than a day ago.

        Args:
            lake: whose directory keeps the record.
            said: what makes the request this one: agent, range, text setting.
            again: forget what was finished.
            wall_clock: the real time, which file times are of.
        """
        digest = hashlib.sha256(json.dumps(list(said)).encode()).hexdigest()[:16]
        path = lake.folders.staging / f"request-trees-{digest}.json"
        since = (wall_clock or datetime.now(UTC)) - CONTINUED_WITHIN
        finished: list[str] = []
        with suppress(OSError, ValueError):
            if not again and path.stat().st_mtime >= since.timestamp():
                finished = [str(each) for each in json.loads(path.read_text())]
        return cls(path, lake, finished)

    def finished_of(self, sessions: Iterable[str]) -> list[str]:
        """Those of the sessions that were read, and that the overlay holds still."""
        if not self._finished:
            return []
        held = self._lake.sessions_with_trees().intersection(self._finished)
        return [each for each in sessions if canonical(each) in held]

    def finish(self, sessions: Iterable[str]) -> None:
        """Note that these sessions are read."""
        with self._lock:
            self._finished.update(dict.fromkeys(canonical(each) for each in sessions))
            try:
                files.make_folder(self._path.parent)
                files.write_file(self._path, json.dumps(list(self._finished)).encode())
            except OSError as error:
                logger.warning("What this request finished cannot be noted: %s", error)

    def end(self) -> None:
        """Forget the request: it was read to its end."""
        with suppress(OSError):
            self._path.unlink(missing_ok=True)
