"""Which files were found equal to what they were made from.

Belongs here: the record under `verified/`. Does not: comparing (`verification.py`, `marts`).

The record may be deleted at any time: then `stdm verify` asks again, and nothing else changes. Names
of window files and of mart files are never used again, so a name says which rows were compared; size
and modification time stand beside it, so that a file that was put back or damaged is asked for again.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Collection, Iterable
from datetime import date
from pathlib import Path

from stdm_platform.lake import files

logger = logging.getLogger(__name__)

Days = dict[str, dict[str, str]]


class Verified:
    """The record of one data directory: a small file per group (a DMO or mart) and month.

    For one thread; a process that writes at the same time can only make a file be asked for again.
    """

    def __init__(self, data_dir: Path) -> None:
        self._folder = data_dir / "verified"
        self._months: dict[tuple[str, str], Days] = {}

    def holds(self, group: str, day: date, path: Path) -> bool:
        """Whether this very file was found equal."""
        known = self._month(group, day).get(day.isoformat(), {}).get(path.name)
        return known is not None and known == _stamp(path)

    def keep(self, group: str, day: date, equal: Iterable[Path], held: Collection[str]) -> None:
        """Note files of a day that were found equal, and forget those not among the names `held`.

        A failure of the disk costs a question later and nothing else.
        """
        self._months.pop((group, _month_of(day)), None)
        month = self._month(group, day)
        stamps = {path.name: _stamp(path) for path in equal}
        merged = {**month.get(day.isoformat(), {}), **stamps}
        of_day = {name: stamp for name, stamp in merged.items() if name in held and stamp}
        if of_day == month.get(day.isoformat(), {}):
            return
        month[day.isoformat()] = of_day
        self._write(group, day, {key: named for key, named in sorted(month.items()) if named})

    def _write(self, group: str, day: date, month: Days) -> None:
        path = self._path(group, _month_of(day))
        try:
            files.make_folder(path.parent)
            files.write_file(path, json.dumps(month, indent=1).encode())
        except OSError as error:
            logger.warning("What was verified of %s cannot be noted: %s", group, error)

    def _month(self, group: str, day: date) -> Days:
        key = group, _month_of(day)
        if key not in self._months:
            self._months[key] = _loaded(self._path(*key))
        return self._months[key]

    def _path(self, group: str, month: str) -> Path:
        return self._folder / group / f"{month}.json"


def _loaded(path: Path) -> Days:
    try:
        loaded = json.loads(path.read_bytes())
        return {
            str(day): {str(name): str(stamp) for name, stamp in named.items()}
            for day, named in loaded.items()
        }
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, AttributeError) as error:
        logger.warning("%s cannot be read, so its days are verified again: %s", path, error)
        return {}


def _month_of(day: date) -> str:
    return f"{day:%Y-%m}"


def _stamp(path: Path) -> str:
    """Size and modification time; empty when the file is gone."""
    try:
        status = path.stat()
    except FileNotFoundError:
        return ""
    return f"{status.st_size} {status.st_mtime_ns}"
