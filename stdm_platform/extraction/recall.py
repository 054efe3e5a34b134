"""Queries that were asked and whose rows are not in the lake yet, so that nobody pays for them twice.

Belongs here: the small record of a day that is being read. Does not: evidence (footers are the only
ledger; without the record the queries are merely asked again), asking (`question.py`).

The id of a query is noted before anyone waits for its rows, under the extraction lock of its day. Who
goes on after a crash asks for the rows of that id. A result is a snapshot of the org at the time of
the query (section 4.2 of the Data 360 page), so evidence tells that time, and the result is of use only
to who would have taken a reading of that time: the same request going on, or a tick for which no mark
of the schedule has passed since.
"""

from __future__ import annotations

import json
import logging
import os
import threading
import uuid
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from stdm_platform.catalog import Dmo
from stdm_platform.errors import StdmError
from stdm_platform.lake import Lake, Window
from stdm_platform.lake.window import as_text, from_text

logger = logging.getLogger(__name__)

KEPT_FOR = timedelta(hours=23)
"""Results live for up to 24 hours (section 2.7); one is to be read to its end."""

OF_TICKS = "ticks"
"""The owner of what ticks ask: any later tick may go on."""


@dataclass(frozen=True)
class Asked:
    """A query of one window. `question` is the same for each asking; `at` is the real time.

    `most` is how many rows it was to hold, None for any number; `has_more` says that it held more;
    `ends` are where the windows end that were asked for in its place.
    """

    query_id: str
    transport: str
    sql_sha256: str
    question: str
    org_id: str
    read_at: str
    at: str
    owner: str
    most: int | None
    has_more: bool = False
    ends: Sequence[str] = ()


class Recall:
    """What was asked of one DMO and day by one owner. Safe for many threads of one process."""

    def __init__(
        self,
        path: Path,
        owner: Callable[[], str],
        entries: dict[str, Asked],
        wall_clock: Callable[[], datetime],
    ) -> None:
        self._path = path
        self._owner = owner
        self._entries = entries
        self._wall_clock = wall_clock
        self._lock = threading.Lock()

    @classmethod
    def open(
        cls,
        lake: Lake,
        dmo: Dmo,
        day: date,
        owner: Callable[[], str],
        *,
        wall_clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> Recall:
        """The record of a day; the caller holds its extraction lock.

        Args:
            lake: whose directory keeps it.
            dmo: the object.
            day: the UTC day.
            owner: gives who may go on; asked when it has to be known.
            wall_clock: gives the real time, which results live by; the clock of a run can be any.
        """
        path = lake.folders.staging / f"asked-{dmo.name}.{day.isoformat()}.json"
        oldest = wall_clock() - KEPT_FOR
        found = _read(path)
        who = owner() if found else ""
        entries = {
            text: each
            for text, each in found.items()
            if each.owner == who and from_text(each.at) > oldest
        }
        return cls(path, owner, entries, wall_clock)

    def windows(self) -> dict[Window, Asked]:
        """What is noted, by window."""
        with self._lock:
            return {_window(text): asked for text, asked in self._entries.items()}

    def note(self, window: Window, **asked: Any) -> None:
        """Remember what was asked for the window; see `Asked`."""
        entry = Asked(owner=self._owner(), at=self._wall_clock().isoformat(), **asked)
        with self._lock:
            self._entries[str(window)] = entry
            self._write()

    def note_more(self, window: Window) -> None:
        """The window held more rows than it was to hold: it is not to be asked for as one again."""
        with self._lock:
            entry = self._entries.get(str(window))
            if entry is not None:
                self._entries[str(window)] = replace(entry, has_more=True)
                self._write()

    def note_cut(self, window: Window, pieces: Iterable[Window]) -> None:
        """These are asked for in the place of a window that held more rows than it was to hold."""
        ends = [as_text(piece.end) for piece in pieces]
        with self._lock:
            entry = self._entries.get(str(window))
            if entry is not None:
                self._entries[str(window)] = replace(entry, ends=ends)
                self._write()

    def forget(self, window: Window) -> None:
        """The window needs its query no more: it is in the lake, or refused."""
        with self._lock:
            if self._entries.pop(str(window), None) is not None:
                self._write()

    def end(self) -> None:
        """Forget all: the day was read to its end. Drafts of killed runs go with it."""
        with self._lock:
            self._entries.clear()
            self._write()
            with suppress(OSError):
                for draft in self._path.parent.glob(f".{self._path.name}.*"):
                    draft.unlink(missing_ok=True)

    def _write(self) -> None:
        # Not synced: a lost record costs a query, and nothing else.
        try:
            if not self._entries:
                self._path.unlink(missing_ok=True)
                return
            content = {text: asdict(asked) for text, asked in self._entries.items()}
            replace_text(self._path, json.dumps(content))
        except OSError as error:
            logger.warning("What was asked cannot be noted: %s", error)


def replace_text(path: Path, text: str) -> None:
    """Write a small record of which a reader sees the old text or the new one; not synced.

    Raises:
        OSError: the disk refuses.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}-{uuid.uuid4().hex[:8]}")
    draft.write_text(text)
    draft.replace(path)


def _read(path: Path) -> dict[str, Asked]:
    try:
        content = json.loads(path.read_text())
        found = {text: Asked(**fields) for text, fields in content.items()}
        for text, asked in found.items():
            _window(text)
            for instant in (asked.read_at, asked.at, *asked.ends):
                from_text(instant)
    except (OSError, ValueError, TypeError, AttributeError, StdmError):
        return {}
    return found


def _window(text: str) -> Window:
    start, _, end = text.partition("/")
    return Window(from_text(start), from_text(end))
