"""Change a day in one step: the old folder or the new one, never a mixture.

Belongs here: which held windows a new one replaces, and the order of operations. Does not: locks
and the org (`store.py`), the operations themselves (`files.py`).

Order, each step on the disk before the next:
  1. the content of the new files (`StagedWindow.seal`), and the rows kept aside of them
  2. the names in the new folder, built in `exchange/`: links of what stays, then the new files
  3. the exchange of the two folders; for a new day a plain rename
  4. the name of the day in `lake/<name>/`, and what is left in `exchange/`
Then the old folder is removed, and the rows kept aside of windows that went; snapshots hold links of their own. A crash before 3 leaves the old
day, one after 3 the new day; the rest in `exchange/` goes at the next change of that day.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from pathlib import Path

from stdm_platform.errors import LakeError, OverlapError
from stdm_platform.lake import files
from stdm_platform.lake.folders import Folders
from stdm_platform.lake.names import WindowFile, day_folder
from stdm_platform.lake.quarantine import keep_aside, remove_strangers
from stdm_platform.lake.staging import StagedWindow

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Succession:
    """A new window, the number of its reading, and the held windows whose readings it carries.

    A held window that is re-read as several hands its readings to the first of them, so that
    the cost of a reading is counted once.
    """

    staged: StagedWindow
    number: int
    carries: tuple[WindowFile, ...]


@dataclass(frozen=True)
class Plan:
    """What a publication does to a day."""

    kept: tuple[WindowFile, ...]
    successions: tuple[Succession, ...]


def plan_day(held: Sequence[WindowFile], staged: Sequence[StagedWindow]) -> Plan:
    """Which held windows stay and which are replaced.

    Raises:
        OverlapError: new windows overlap each other, or cover a held one only partly.
    """
    ordered = sorted(staged, key=lambda one: one.window)
    for first, second in pairwise(ordered):
        if first.window.overlaps(second.window):
            raise OverlapError(
                f"The new windows {first.window} and {second.window} overlap.",
                action="Publish windows that do not overlap.",
            ).during(first.place)
    replaced = [file for file in held if _is_replaced(file, ordered)]
    successions = []
    for one in ordered:
        overlapped = [file for file in replaced if file.window.overlaps(one.window)]
        carries = [file for file in overlapped if file.window.start >= one.window.start]
        # The start of a held window lies in exactly one of the windows that cover it.
        number = 1 + max((file.reading for file in overlapped), default=0)
        successions.append(Succession(one, number, tuple(carries)))
    kept = tuple(file for file in held if file not in replaced)
    return Plan(kept, tuple(successions))


def change_day(
    folders: Folders,
    name: str,
    day: date,
    kept: Sequence[WindowFile],
    added: Mapping[str, Path],
    aside_of: Mapping[str, Path] | None = None,
) -> None:
    """Exchange the folder of a day for one with the kept files and the added ones.

    The caller holds the lock of the day. `added` gives each new name its present path, `aside_of`
    the file with the rows that are kept aside of it.
    """
    target = folders.day(name, day)
    keep_aside(folders, name, day, aside_of or {})
    remove_leftovers(folders, name, day)
    aside = folders.exchange / f"{name}.{day_folder(day)}.{uuid.uuid4().hex[:12]}"
    try:
        if kept or added:
            _build(aside, target, kept, added)
            _swap_in(aside, target)
        elif target.is_dir():
            files.make_folder(folders.exchange)
            files.move(target, aside)
            files.sync_folder(target.parent)
    finally:
        _remove(aside)
    remove_strangers(folders, name, day, {*(file.path.name for file in kept), *added})


def remove_leftovers(folders: Folders, name: str, day: date) -> None:
    """Remove what killed publications of this day left. The caller holds the lock of the day."""
    for aside in folders.exchange.glob(f"{name}.{day_folder(day)}.*"):
        files.remove_tree(aside)


def _build(
    aside: Path, target: Path, kept: Sequence[WindowFile], added: Mapping[str, Path]
) -> None:
    files.make_folder(aside)
    if kept:
        with files.opened_folder(target) as descriptor:
            for file in kept:
                files.link(file.path.name, descriptor, aside / file.path.name)
    for new, path in added.items():
        if (target / new).exists():
            raise LakeError(f"The name {new} was used before.", action="Run again.")
        files.move(path, aside / new)
    files.sync_folder(aside)


def _swap_in(aside: Path, target: Path) -> None:
    if target.is_dir():
        files.exchange(aside, target)
        files.sync_folder(target.parent)
        files.sync_folder(aside.parent)
    else:
        files.make_folder(target.parent)
        files.move(aside, target)
        files.sync_folder(target.parent)
        files.sync_folder(aside.parent)  # else a stale name of the day could be swept


def _remove(aside: Path) -> None:
    """Remove the old folder, or after a failure the half-built one."""
    try:
        files.remove_tree(aside)
    except OSError as error:  # the publication itself stands or fell before
        logger.warning("%s was not removed and will be at the next change: %s", aside, error)


def _is_replaced(file: WindowFile, ordered: Sequence[StagedWindow]) -> bool:
    covered_to = file.window.start
    overlapping = [one for one in ordered if one.window.overlaps(file.window)]
    for one in overlapping:
        if one.window.start > covered_to:
            break
        covered_to = one.window.end
    if overlapping and covered_to < file.window.end:
        new = overlapping[0]
        start = min(new.window.start, file.window.start)
        end = max(overlapping[-1].window.end, file.window.end)
        raise OverlapError(
            f"The window {new.window} would cover the held window {file.window} only partly.",
            action=f"Read whole windows again: from {start:%Y-%m-%dT%H:%M:%S.%fZ} "
            f"to {end:%Y-%m-%dT%H:%M:%S.%fZ}.",
        ).during(new.place)
    return bool(overlapping)
