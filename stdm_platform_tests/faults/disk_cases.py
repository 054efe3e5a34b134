"""Cases about single operations of the disk that no loss of power on this machine can show."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest

from stdm_platform.extraction.continuation import Request
from stdm_platform.lake import Lake, Window, files
from stdm_platform.marts import MartStore, publication
from stdm_platform_tests.extraction.world import DAY, NOW, SESSIONS, extract
from stdm_platform_tests.faults.actions import in_two_windows, nothing, org_of, publish_a_tree
from stdm_platform_tests.marts.standins import publish_quickly


def synced_without_syncfs(folder: Path) -> list[str]:
    """What below a folder is not synced where there is no call for a whole file system."""
    (folder / "a" / "b").mkdir(parents=True)
    (folder / "a" / "b" / "file").write_bytes(b"x")
    wanted = {str(folder / part) for part in ("a", "a/b", "a/b/file")}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(files, "_libc", SimpleNamespace())
        synced = _synced(patch)
        files.sync_tree(folder / "a")
    return sorted(wanted - synced)


def synced_on_macos(folder: Path) -> list[str]:
    """Whether the drive's own cache is passed, too, where fsync alone stops at it."""
    asked = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(files, "sys", SimpleNamespace(platform="darwin"))
        given = SimpleNamespace(fcntl=lambda *call: asked.append(call), F_FULLFSYNC=51)
        patch.setattr(files, "fcntl", given)
        files.sync_folder(folder)
    return [] if [call[1] for call in asked] == [51] else ["no full sync"]


def superseded_trees_go(folder: Path) -> list[str]:
    """A reading of which all was read again goes, and goes whole."""
    data_dir = folder / "data"
    nothing(data_dir)
    publish_a_tree(data_dir)
    publish_a_tree(data_dir)
    lake = Lake(data_dir)
    with pytest.MonkeyPatch.context() as patch:
        removed = _removed_under_their_names(patch)
        lake.remove_superseded_trees(NOW + timedelta(days=3))
    held = len(list(lake.folders.trees.glob("r*")))
    wrong = [] if held == 1 else [f"{held} readings are held"]
    return wrong + [
        f"half of it had its name: {name}" for name in removed if name.startswith("trees/")
    ]


def old_generations_go(folder: Path) -> list[str]:
    """A generation that was replaced a day ago goes, and never has its name while it goes."""
    data_dir = folder / "data"
    in_two_windows(data_dir)
    store = MartStore(data_dir)
    for _ in range(2):
        publish_quickly(Lake(data_dir), store, [DAY], value=1, now=NOW)
    publication.remove_old_generations(store, NOW + timedelta(days=2))
    held = [generation.number for generation in store.generations()]
    return [] if held == [2] else [f"generations {held} are held"]


def interrupted_request_goes_on(folder: Path) -> list[str]:
    """What a request had finished is known to the same request."""
    data_dir = folder / "data"
    nothing(data_dir)
    lake, windows = Lake(data_dir), [Window.of_day(DAY)]
    (outcome,) = extract(org_of("new", 2), lake, SESSIONS, workers=1)

    def opened() -> Request:
        return Request.open(lake, [SESSIONS], windows, now=NOW, text="keep", again=False)

    for file in outcome.files:
        opened().finish(SESSIONS, file)
    found = opened().files_of(SESSIONS, DAY)
    return [] if found == {each.path.name for each in outcome.files} else ["it begins anew"]


def _synced(patch: pytest.MonkeyPatch) -> set[str]:
    found: set[str] = set()
    patch.setattr(os, "fsync", lambda fd: found.add(str(Path(f"/proc/self/fd/{fd}").readlink())))
    return found


def _removed_under_their_names(patch: pytest.MonkeyPatch) -> list[str]:
    removed: list[str] = []
    remove = files.remove_tree

    def noting(path: Path) -> None:
        removed.append("/".join(path.parts[-2:]))
        remove(path)

    patch.setattr(files, "remove_tree", noting)
    return removed


DISK_CASES: dict[str, Callable[[Path], list[str]]] = {
    "a tree synced without syncfs": synced_without_syncfs,
    "a sync on macOS": synced_on_macos,
    "superseded trees go whole": superseded_trees_go,
    "old generations go whole": old_generations_go,
    "an interrupted request goes on": interrupted_request_goes_on,
}
