"""Where everything stands inside one data directory, and how a day folder is listed.

Belongs here: paths, and reading names. Does not: changing anything but making the directory.

Nothing but `date=*` folders lives under `lake/<name>/`, because globs of readers match all else.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable
from datetime import date
from functools import lru_cache
from pathlib import Path

from stdm_platform.lake import files
from stdm_platform.lake.names import WindowFile, day_folder, parse, parse_day

logger = logging.getLogger(__name__)


class Folders:
    """The data directory: `lake/` and its siblings."""

    def __init__(self, data_dir: Path) -> None:
        self.data_dir = data_dir.expanduser().absolute()
        self.lake = self.data_dir / "lake"
        self.staging = self.data_dir / "staging"
        self.refused = self.data_dir / "refused"
        self.quarantine = self.data_dir / "quarantine"
        self.snapshots = self.data_dir / "snapshots"
        self.locks = self.data_dir / "locks"
        self.exchange = self.data_dir / "exchange"
        self.trees = self.data_dir / "trees"
        self.cache = self.data_dir / "cache"

    def prepare(self) -> None:
        """Make the data directory, readable by its owner only."""
        if not self.lake.is_dir():
            files.make_private_folder(self.data_dir)
            files.make_folder(self.lake)

    def day(self, name: str, day: date) -> Path:
        """The folder of a day of a DMO."""
        return _day_in(self.lake, name, day)

    def refused_day(self, name: str, day: date) -> Path:
        """The folder of the refused files of a day of a DMO."""
        return self.refused / name / day_folder(day)

    def quarantine_day(self, name: str, day: date) -> Path:
        """The folder of the rows of a day of a DMO that are kept aside."""
        return self.quarantine / name / day_folder(day)

    def names(self) -> list[str]:
        """The DMOs of which something is or was held."""
        return sorted(_folders_in(self.lake))

    def days(self, name: str) -> list[date]:
        """The days of a DMO that hold a window, oldest first."""
        return _days_in(self.lake / name)

    def refused_days(self, name: str) -> list[date]:
        """The days of a DMO of which a file was ever refused, oldest first."""
        return _days_in(self.refused / name)


def windows_in(folder: Path, names: list[str]) -> tuple[list[WindowFile], list[str]]:
    """The windows that these names mean, oldest first, and the foreign names.

    Names that begin with a dot (`.DS_Store`, `.nfs…`) are of the system and neither.
    """
    held, foreign = [], []
    for name in names:
        file = _file(folder, name)
        if file is not None:
            held.append(file)
        elif not name.startswith("."):
            foreign.append(name)
    return sorted(held, key=lambda file: file.window), foreign


@lru_cache(maxsize=1 << 16)
def _day_in(parent: Path, name: str, day: date) -> Path:
    """A path that was made before knows its text and its hash; a tick asks for thousands."""
    return parent / name / day_folder(day)


@lru_cache(maxsize=1 << 16)
def _file(folder: Path, name: str) -> WindowFile | None:
    """The window that this name means there; a tick lists the same folders many times."""
    return parse(folder / name)


def list_once(folder: Path) -> list[str] | None:
    """The names in a day folder; None when it was exchanged meanwhile, [] when there is none.

    A folder that was exchanged is being emptied: a list of it could silently lack windows.
    """
    try:
        with files.opened_folder(folder) as descriptor:
            names = files.names_in(descriptor)
            return names if files.is_named(folder, descriptor) else None
    except FileNotFoundError:
        return []


def days_wanted(held: list[date], days: Iterable[date] | None) -> list[date]:
    """The held days among those asked for; all when none are named."""
    return held if days is None else sorted(set(held).intersection(days))


def _days_in(parent: Path) -> list[date]:
    days = []
    for folder in _folders_in(parent):
        day = parse_day(folder)
        if day is None:
            logger.warning("%s is not a day folder and is ignored", parent / folder)
        else:
            days.append(day)
    return sorted(days)


def _folders_in(folder: Path) -> list[str]:
    try:
        with os.scandir(folder) as entries:
            return [entry.name for entry in entries if entry.is_dir()]
    except FileNotFoundError:
        return []
