"""Which days an interrupted request had finished.

Belongs here: the small record of a running request. Does not: evidence; footers are the only
ledger, and without the record a request merely reads everything again.

The record names files, not times, because the clock of the evidence can be set (`--now`). It is
removed when the request ends, so that asking again reads again.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import threading
import uuid
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

from stdm_platform.catalog import Dmo
from stdm_platform.lake import Lake, Window, WindowFile, cut_to_millisecond

logger = logging.getLogger(__name__)

CONTINUED_WITHIN = timedelta(days=1)
FORGOTTEN_AFTER = timedelta(days=7)


class Request:
    """One request for DMOs and windows, and what of it is finished. Safe for many threads."""

    def __init__(self, path: Path, finished: dict[str, list[str]]) -> None:
        self._path = path
        self._finished = finished
        self._lock = threading.Lock()

    @classmethod
    def open(
        cls,
        lake: Lake,
        dmos: Sequence[Dmo],
        windows: Sequence[Window],
        *,
        now: datetime,
        text: str,
        again: bool,
        continued: bool = False,
        wall_clock: datetime | None = None,
    ) -> Request:
        """The request, going on where the same one was interrupted less than a day ago.

        Args:
            lake: whose directory keeps the record.
            dmos: the objects asked for.
            windows: the windows asked for, oldest first.
            text: the text setting; another one is another request.
            now: the clock of the plan; a range that ends there is the same one a minute later.
            again: forget what was finished.
            continued: go on however long ago it was interrupted (a retry of the same run).
            wall_clock: the real time; `now` can be any.
        """
        asked = [(window.start, window.end) for window in windows]
        ends = ["now" if end == cut_to_millisecond(now) else str(end) for _, end in asked]
        said = [[dmo.name for dmo in dmos], [str(start) for start, _ in asked], ends, text]
        digest = hashlib.sha256(json.dumps(said).encode()).hexdigest()[:16]
        path = lake.folders.staging / f"request-{digest}.json"
        today = wall_clock or datetime.now(UTC)
        _sweep(lake.folders.staging, today - FORGOTTEN_AFTER)
        since = None if continued else today - CONTINUED_WITHIN
        if again:  # also for whoever goes on after this request is killed
            with suppress(OSError):
                path.unlink(missing_ok=True)
        return cls(path, _finished(path, since))

    def files_of(self, dmo: Dmo, window: Window) -> list[str]:
        """The names of the files that this window was published as; none if it is not finished."""
        return self._finished.get(_key(dmo, window), [])

    def finish(self, dmo: Dmo, windows: Sequence[Window], files: Sequence[WindowFile]) -> None:
        """Note that these windows are published as these files."""
        with self._lock:
            for window in windows:
                self._finished[_key(dmo, window)] = [file.path.name for file in files]
            # Not synced: a lost record costs a re-reading, and nothing else.
            draft = self._path.with_name(f".{self._path.name}.{os.getpid()}-{uuid.uuid4().hex[:8]}")
            try:
                self._path.parent.mkdir(parents=True, exist_ok=True)
                draft.write_text(json.dumps(self._finished))
                draft.replace(self._path)
            except OSError as error:
                logger.warning("What this request finished cannot be noted: %s", error)

    def end(self) -> None:
        """Forget the request: it was read to its end. Drafts of killed ones go with it."""
        with suppress(OSError):
            self._path.unlink(missing_ok=True)
            for draft in self._path.parent.glob(f".{self._path.name}.*"):
                draft.unlink(missing_ok=True)


def _finished(path: Path, since: datetime | None) -> dict[str, list[str]]:
    try:
        if since is not None and path.stat().st_mtime < since.timestamp():
            return {}
        content = json.loads(path.read_text())
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}


def _sweep(folder: Path, before: datetime) -> None:
    """Remove the records of requests that nobody came back to."""
    for path in (*folder.glob("request-*.json"), *folder.glob(".request-*")):
        with suppress(OSError):
            if path.stat().st_mtime < before.timestamp():
                path.unlink()


def _key(dmo: Dmo, window: Window) -> str:
    return f"{dmo.name} {window}"
