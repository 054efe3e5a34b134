"""What the lake holds: days, windows, evidence, and what can be told from them.

Belongs here: the reading side of the lake, and moving damaged files out of its way. Does not:
adding windows (`store.py`).
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from datetime import date, datetime
from pathlib import Path
from typing import TypeVar

from stdm_platform.errors import DamagedFileError, LakeError
from stdm_platform.lake.evidence import Evidence
from stdm_platform.lake.folders import Folders, days_wanted, list_once, windows_in
from stdm_platform.lake.footers import FooterCache
from stdm_platform.lake.locking import Locks
from stdm_platform.lake.names import WindowFile, day_folder
from stdm_platform.lake.publishing import change_day
from stdm_platform.lake.refusals import keep_damaged
from stdm_platform.lake.telling import telling
from stdm_platform.lake.window import Window, as_text, frontier, holes, watermark

logger = logging.getLogger(__name__)

LOCK_FREE_ATTEMPTS = 50
LOCKED_ATTEMPTS = 3
T = TypeVar("T")


class HeldLake:
    """The reading side of a lake. Nothing here asks for a lock unless a file is damaged."""

    def __init__(self, data_dir: Path) -> None:
        self.folders = Folders(data_dir)
        self.data_dir = self.folders.data_dir
        self._locks = Locks(self.folders.locks)
        self.footers = FooterCache(self.folders.cache)

    def names(self) -> list[str]:
        """The DMOs of which something is held."""
        return self.folders.names()

    def days(self, name: str) -> list[date]:
        """The days of a DMO that hold a window, oldest first."""
        return self.folders.days(name)

    def windows(self, name: str, day: date, *, check: bool = False) -> list[WindowFile]:
        """The held windows of a day, oldest first, from file names only.

        With `check` every footer is read, and a damaged file is moved to `refused/` and missing.
        """
        if check:
            return [file for file, _ in self.evidence_of_day(name, day)]
        folder = self.folders.day(name, day)
        names = self.whole(name, day, lambda: list_once(folder))
        held, foreign = windows_in(folder, names)
        if foreign:
            logger.warning("%s holds files that are no windows, ignored: %s", folder, foreign)
        return held

    def held(self, name: str) -> list[WindowFile]:
        """All held windows of a DMO, oldest first."""
        return [file for day in self.days(name) for file in self.windows(name, day)]

    def evidence(self, file: WindowFile) -> Evidence:
        """What the footer of a held file says; cached. Raises as `WindowFile.evidence`."""
        return self.footers.evidence(file)

    def evidence_of_day(self, name: str, day: date) -> list[tuple[WindowFile, Evidence]]:
        """The held windows of a day with their evidence; damaged files are moved to `refused/`.

        Raises:
            LakeError: the disk refuses to read.
        """

        def read() -> list[tuple[WindowFile, Evidence]] | None:
            held = self.windows(name, day)
            try:
                found = [(file, self.footers.evidence(file)) for file in held]
            except FileNotFoundError:  # the day was exchanged after it was listed
                return None
            except DamagedFileError:
                self.mend(name, day)
                return None
            self.footers.keep_only(name, day.isoformat(), held)
            return found

        with telling(f"{name} of {day}"):
            return self.whole(name, day, read)

    def day_checksums(self, name: str, days: Iterable[date] | None = None) -> dict[date, str]:
        """The digest of each held day, see `day_checksum`; days without a window are left out."""
        wanted = days_wanted(self.days(name), days)
        digests = {day: self.day_checksum(name, day) for day in wanted}
        self.footers.save()
        return {day: digest for day, digest in digests.items() if digest is not None}

    def day_checksum(self, name: str, day: date) -> str | None:
        """A digest of the content of a day; None when nothing of it is held.

        It takes in start, end, settled flag and checksum of each window, so a re-reading that
        found the same gives the same digest.
        """
        facts = [
            f"{as_text(said.window.start)} {as_text(said.window.end)} {said.settled} {said.checksum}"
            for _, said in self.evidence_of_day(name, day)
        ]
        return hashlib.sha256("\n".join(facts).encode()).hexdigest() if facts else None

    def quarantine_file(self, file: WindowFile) -> Path:
        """Where the rows kept aside of a held window are; nothing is there when there are none."""
        return self.folders.quarantine_day(file.dmo, file.day) / file.path.name

    def frontier(self, name: str) -> datetime | None:
        """The end of the newest held window; None when nothing is held."""
        return frontier(self.held(name))

    def holes(self, name: str, start: datetime, end: datetime) -> list[Window]:
        """The ground in `[start, end)` that is not held."""
        return holes(self.held(name), start, end)

    def watermark(self, name: str, start: datetime) -> datetime:
        """The start of the oldest window from `start` on that is missing or unsettled."""
        return watermark(self.held(name), start)

    def lock(self, name: str, day: date) -> AbstractContextManager[bool]:
        """The lock under which a day is exchanged; short. A thread may take it twice."""
        self.folders.prepare()
        return self._locks.hold(f"{name}.{day_folder(day)}")

    def mend(self, name: str, day: date) -> list[Path]:
        """Move the damaged files of a day to `refused/`; their windows are then missing."""
        moved: list[Path] = []
        with telling(f"{name} of {day}"), self.lock(name, day):
            kept = []
            for file in self.windows(name, day):
                try:
                    self.footers.footer(file)
                    kept.append(file)
                except DamagedFileError as error:
                    moved.append(keep_damaged(self.folders, file, error.message))
                    logger.warning("%s of %s: %s Its window is missing.", name, day, error.message)
            if moved:
                change_day(self.folders, name, day, kept, {})
        return moved

    def whole(self, name: str, day: date, attempt: Callable[[], T | None]) -> T:
        """What the attempt gives, tried again while it gives None because the day changed.

        A day that changes all the time is read under its lock in the end.
        """
        for _ in range(LOCK_FREE_ATTEMPTS):
            result = attempt()
            if result is not None:
                return result
        with self.lock(name, day):
            for _ in range(LOCKED_ATTEMPTS):
                result = attempt()
                if result is not None:
                    return result
        raise LakeError(
            f"The files of {name} of {day} change without our lock.",
            action="Stop what else changes them, then run again.",
        )
