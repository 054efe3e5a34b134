"""The names of window files: `<start>_<end>_r<reading>_<settled|open>_<hash>.parquet`.

Belongs here: `WindowFile`, writing and parsing names. Does not: moving files (`publishing.py`).

A name carries what a tick needs (window, reading number, settled or not), so that no footer has to
be opened. It is never used again: the reading number grows and the hash takes in a random part.
"""

from __future__ import annotations

import hashlib
import json
import re
import uuid
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

from stdm_platform.errors import ArgumentError, DamagedFileError
from stdm_platform.lake.evidence import Evidence, evidence_of, read_footer
from stdm_platform.lake.window import Window

DAY_PREFIX = "date="
INSTANT = r"\d{8}T\d{9}Z"
NAME = re.compile(
    rf"({INSTANT})_({INSTANT})_r(\d{{3,}})_(settled|open)_([0-9a-f]{{8}})\.parquet", re.ASCII
)


@dataclass(frozen=True)
class WindowFile:
    """One held window, as its name tells it."""

    path: Path
    window: Window
    reading: int
    settled: bool
    digest: str

    @property
    def dmo(self) -> str:
        """The DMO, which is the folder above the day."""
        return self.path.parent.parent.name

    @property
    def day(self) -> date:
        """The UTC day of the window."""
        return self.window.day

    def evidence(self) -> Evidence:
        """What the footer says.

        Raises:
            OSError: the file cannot be opened; it may have been replaced meanwhile.
            DamagedFileError: it cannot be read, or contradicts the name or the folder.
        """
        return self.evidence_in(read_footer(self.path))

    def evidence_in(self, footer: dict[str, str]) -> Evidence:
        """The evidence in these key-values of this file; raises as `evidence` does."""
        evidence = evidence_of(self.path, footer)
        said = (evidence.dmo, evidence.window, evidence.settled)
        if said != (self.dmo, self.window, self.settled):
            raise DamagedFileError(f"{self.path} holds {evidence.dmo} {evidence.window}.")
        return evidence


def new_name(evidence: Evidence, reading: int) -> str:
    """A name that no file has had or will have."""
    material = json.dumps(evidence.as_footer(), sort_keys=True) + uuid.uuid4().hex
    digest = hashlib.sha256(material.encode()).hexdigest()[:8]
    state = "settled" if evidence.settled else "open"
    return f"{stem_of(evidence.window)}_r{reading:03d}_{state}_{digest}.parquet"


def stem_of(window: Window) -> str:
    """The part of a name that is the window."""
    return f"{_compact(window.start)}_{_compact(window.end)}"


def parse(path: Path) -> WindowFile | None:
    """The window file of that path; None when the name is not exactly one of ours."""
    said = _parsed(path.name)
    if said is None or path.parent.name != day_folder(said[0].day):
        return None
    return WindowFile(path, *said)


def _parsed(name: str) -> tuple[Window, int, bool, str] | None:
    match = NAME.fullmatch(name)
    if match is None:
        return None
    start, end, reading, state, digest = match.groups()
    try:
        window = Window(_instant(start), _instant(end))
    except (ValueError, ArgumentError):
        return None
    return window, int(reading), state == "settled", digest


def day_folder(day: date) -> str:
    """The name of a day's folder."""
    return f"{DAY_PREFIX}{day.isoformat()}"


def parse_day(folder: str) -> date | None:
    """The day of a folder name; None when it is not exactly one of ours."""
    try:
        day = date.fromisoformat(folder.removeprefix(DAY_PREFIX))
    except ValueError:
        return None
    return day if folder == day_folder(day) else None


def _compact(instant: datetime) -> str:
    return f"{instant:%Y%m%dT%H%M%S}{instant.microsecond // 1000:03d}Z"


def _instant(text: str) -> datetime:
    parts = (text[0:4], text[4:6], text[6:8], text[9:11], text[11:13], text[13:15])
    year, month, day, hour, minute, second = map(int, parts)
    return datetime(year, month, day, hour, minute, second, int(text[15:18]) * 1000, tzinfo=UTC)
