"""Which windows an interrupted request had finished.

Belongs here: the small record of a running request. Does not: evidence (footers are the only ledger;
without the record a request merely reads everything again), queries whose rows are not in the lake yet
(`recall.py`).

The record names files, not times, because the clock of the evidence can be set (`--now`). It is
removed when the request ends, so that asking again reads again.
"""

from __future__ import annotations

import hashlib
import json
import logging
import threading
import uuid
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from stdm_platform.catalog import Dmo
from stdm_platform.extraction.recall import replace_text
from stdm_platform.lake import Lake, Window, WindowFile, cut_to_millisecond

logger = logging.getLogger(__name__)

CONTINUED_WITHIN = timedelta(days=1)
FORGOTTEN_AFTER = timedelta(days=7)


class Request:
    """One request for DMOs and windows, and what of it is finished. Safe for many threads."""

    def __init__(self, path: Path, name: str, finished: dict[str, list[str]]) -> None:
        self._path = path
        self._name = name
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
        return cls(path, *_noted(path, since))

    def name(self) -> str:
        """A name that only this request has, and whoever goes on with it."""
        with self._lock:
            if not self._path.exists():
                self._write()
            return self._name

    def files_of(self, dmo: Dmo, day: date) -> set[str]:
        """The names of the files that it published of a day."""
        with self._lock:
            return set(self._finished.get(_key(dmo, day), ()))

    def finish(self, dmo: Dmo, file: WindowFile) -> None:
        """Note that it published this file."""
        with self._lock:
            self._finished.setdefault(_key(dmo, file.day), []).append(file.path.name)
            self._write()

    def _write(self) -> None:
        # Not synced: a lost record costs a re-reading, and nothing else.
        try:
            replace_text(self._path, json.dumps({"name": self._name, "finished": self._finished}))
        except OSError as error:
            logger.warning("What this request finished cannot be noted: %s", error)

    def end(self) -> None:
        """Forget the request: it was read to its end. Drafts of killed ones go with it."""
        with suppress(OSError):
            self._path.unlink(missing_ok=True)
            for draft in self._path.parent.glob(f".{self._path.name}.*"):
                draft.unlink(missing_ok=True)


def _noted(path: Path, since: datetime | None) -> tuple[str, dict[str, list[str]]]:
    """The name and the finished files of the record; a new name and none where there is no record."""
    new: tuple[str, dict[str, list[str]]] = uuid.uuid4().hex[:12], {}
    try:
        if since is not None and path.stat().st_mtime < since.timestamp():
            return new
        content = json.loads(path.read_text())
        name, finished = content["name"], content["finished"]
    except (OSError, ValueError, LookupError, TypeError):
        return new
    return (name, finished) if isinstance(finished, dict) else new


def _sweep(folder: Path, before: datetime) -> None:
    """Remove the records that nobody came back to."""
    kinds = ("request-*.json", ".request-*", "asked-*.json", ".asked-*")
    for path in (each for kind in kinds for each in folder.glob(kind)):
        with suppress(OSError):
            if path.stat().st_mtime < before.timestamp():
                path.unlink()


def _key(dmo: Dmo, day: date) -> str:
    return f"{dmo.name} {day.isoformat()}"
