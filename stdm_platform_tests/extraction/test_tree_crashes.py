"""Whole sessions and crashes: at every file operation, and by SIGKILL between files."""

from __future__ import annotations

import multiprocessing
import os
import shutil
import signal
from pathlib import Path

import pytest

from stdm_platform.catalog import dmo
from stdm_platform.extraction import extract_trees
from stdm_platform.lake import Lake, files
from stdm_platform_tests.extraction.conversations import (
    NOW,
    conversation,
    keys_of,
    org_with,
    put,
    tree_keys,
)
from stdm_platform_tests.extraction.fake_org import FakeOrg, FakeResult
from stdm_platform_tests.lake.test_crashes import CrashError, Disk, watched_disk

OLD = conversation("one")
NEW = {**OLD, "interactions": OLD["interactions"][:2], "steps": OLD["steps"][:4]}
FEW = [dmo(name) for name in ("sessions", "interactions", "steps")]
OLD_KEYS = {entry.name: keys_of(OLD)[entry.name] for entry in FEW}
NEW_KEYS = {entry.name: keys_of(NEW)[entry.name] for entry in FEW}
LOOKS = sum(len(entry.objects) for entry in FEW)


def changed_org() -> FakeOrg:
    org = FakeOrg()
    put(org, NEW)
    return org


def read(lake: Lake, org: FakeOrg) -> None:
    extract_trees(org, lake, ["one"], now=NOW, dmos=FEW)


def test_a_crash_at_any_file_operation_leaves_the_old_tree_or_the_new(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = Lake(tmp_path / "model")
    read(model, org_with("one"))
    org = changed_org()
    shutil.copytree(model.data_dir, tmp_path / "counted")
    with watched_disk(monkeypatch, Disk()) as disk:
        read(Lake(tmp_path / "counted"), org)
    seen = []
    for index in range(len(disk.trace)):
        lake = Lake(tmp_path / f"crash{index}")
        shutil.copytree(model.data_dir, lake.data_dir)
        with watched_disk(monkeypatch, Disk(index)), pytest.raises(CrashError):
            read(lake, org)
        again = Lake(lake.data_dir)
        found = tree_keys(again, "one")
        assert found in (OLD_KEYS, NEW_KEYS), disk.trace[index]
        seen.append(found)
        if found == OLD_KEYS:
            read(again, org)
        assert tree_keys(again, "one") == NEW_KEYS
        shutil.rmtree(lake.data_dir)
    assert OLD_KEYS in seen
    assert NEW_KEYS in seen
    assert len(disk.trace) > 10


def test_a_reading_appears_only_when_all_of_it_is_on_the_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lake = Lake(tmp_path)
    with watched_disk(monkeypatch, Disk()) as disk:
        read(lake, org_with("one"))
    moved = next(
        place
        for place, (name, arguments) in enumerate(disk.trace)
        if name == "move" and arguments[1].parent == lake.folders.trees
    )
    source = disk.trace[moved][1][0]
    before = [(name, arguments[0]) for name, arguments in disk.trace[:moved]]
    for entry in FEW:
        assert ("sync_file", source / f"{entry.name}.parquet") in before
    assert ("sync_folder", source) in before
    later = [(name, arguments[0]) for name, arguments in disk.trace[moved:]]
    assert ("sync_folder", lake.folders.trees) in later


def read_until_killed(data_dir: Path, queries: int) -> None:
    """Read, and die with `queries` queries asked and so many files begun."""
    org = changed_org()

    def die(sql: str) -> FakeResult | None:
        if len(org.sql) > queries:
            os.kill(os.getpid(), signal.SIGKILL)
        return None

    org.before = die
    read(Lake(data_dir), org)


@pytest.mark.parametrize("queries", [LOOKS + 2])
def test_a_kill_between_files_leaves_no_half_tree(tmp_path: Path, queries: int) -> None:
    lake = Lake(tmp_path)
    read(lake, org_with("one"))
    life = multiprocessing.get_context("spawn").Process(
        target=read_until_killed, args=(tmp_path, queries)
    )
    life.start()
    life.join()
    assert life.exitcode == -signal.SIGKILL
    assert list(lake.folders.staging.glob("*/tree/*.parquet"))
    assert len(list(lake.folders.trees.iterdir())) == 1
    assert tree_keys(Lake(tmp_path), "one") == OLD_KEYS
    read(Lake(tmp_path), changed_org())
    assert tree_keys(Lake(tmp_path), "one") == NEW_KEYS
    assert not list(lake.folders.staging.iterdir())


def test_a_kill_while_a_superseded_reading_goes_leaves_no_half_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lake = Lake(tmp_path)
    read(lake, org_with("one"))
    (first,) = lake.folders.trees.iterdir()

    def crash(path: Path) -> None:
        next(path.glob("*.parquet")).unlink()
        raise CrashError

    with monkeypatch.context() as patch:
        read(lake, org_with("one"))
        patch.setattr(files, "remove_tree", crash)
        with pytest.raises(CrashError):
            lake.remove_superseded_trees(NOW.replace(month=2))
    assert not first.exists()
    assert [tree.name for tree in lake.folders.trees.iterdir()] != [first.name]
    assert tree_keys(lake, "one") == OLD_KEYS
