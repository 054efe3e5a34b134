"""Crashes: at every file operation in turn, and by SIGKILL at random moments."""

from __future__ import annotations

import multiprocessing
import os
import shutil
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest

from stdm_platform.lake import Lake, files
from stdm_platform_tests.lake.days import (
    DAY,
    READ_AT,
    content,
    hours,
    published,
    reading,
    rows,
    staged,
)

CHANGES = (
    "make_folder",
    "move",
    "link",
    "exchange",
    "sync_file",
    "sync_folder",
    "write_file",
    "remove_tree",
    "remove_file",
)
KILLS = 24


class CrashError(BaseException):
    """The process is gone: not an Exception, so nothing in the code can catch it."""


@dataclass
class Disk:
    """Counts file operations; from `crash_at` on, none takes place any more."""

    crash_at: int | None = None
    after: bool = False
    trace: list[tuple[str, tuple[Any, ...]]] = field(default_factory=list)

    def wrap(self, name: str, operation: Callable[..., Any]) -> Callable[..., Any]:
        def watched(*arguments: Any, **options: Any) -> Any:
            index = len(self.trace)
            self.trace.append((name, arguments))
            if self.crash_at is not None and index >= self.crash_at + self.after:
                raise CrashError
            result = operation(*arguments, **options)
            if index == self.crash_at and self.after:
                raise CrashError
            return result

        return watched


@contextmanager
def watched_disk(monkeypatch: pytest.MonkeyPatch, disk: Disk) -> Iterator[Disk]:
    with monkeypatch.context() as patch:
        for name in CHANGES:
            patch.setattr(files, name, disk.wrap(name, getattr(files, name)))
        yield disk


def old_day(lake: Lake) -> None:
    published(lake, hours(0, 6), [rows(2, "a")])
    published(lake, hours(6, 12), [rows(2, "b")])


def change(lake: Lake) -> None:
    """Read the second window again, as larger ones, and add new ground."""
    with (
        staged(lake, hours(6, 12), [rows(3, "B")]) as again,
        staged(lake, hours(12, 18), [rows(3, "C")]) as new,
    ):
        lake.publish("sessions", DAY, [again, new])


def first(lake: Lake) -> None:
    with staged(lake, hours(0, 6), [rows(2, "a")]) as one:
        lake.publish("sessions", DAY, [one])


OLD = ["a0", "a1", "b0", "b1"]
NEW = ["B0", "B1", "B2", "C0", "C1", "C2", "a0", "a1"]


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize(
    ("prepare", "act", "either"),
    [(old_day, change, (OLD, NEW)), (lambda lake: None, first, ([], ["a0", "a1"]))],
    ids=["a held day", "a new day"],
)
def test_a_crash_at_any_file_operation_leaves_the_old_day_or_the_new(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    prepare: Callable[[Lake], None],
    act: Callable[[Lake], None],
    either: tuple[list[str], list[str]],
    after: bool,
) -> None:
    model, counted = Lake(tmp_path / "model"), Lake(tmp_path / "counted")
    model.folders.prepare()
    prepare(model)
    shutil.copytree(model.data_dir, counted.data_dir)
    with watched_disk(monkeypatch, Disk()) as disk:
        act(counted)
    seen = []
    for index in range(len(disk.trace)):
        lake = Lake(tmp_path / f"crash{index}")
        shutil.copytree(model.data_dir, lake.data_dir)
        with watched_disk(monkeypatch, Disk(index, after)), pytest.raises(CrashError):
            act(lake)
        again = Lake(lake.data_dir)
        found = content(again)
        assert found in either, (index, disk.trace[index])
        seen.append(found)
        act(again)
        assert content(again) == either[1]
        assert no_leftovers(again)
    assert either[0] in seen
    assert either[1] in seen
    assert len(disk.trace) > 10


def no_leftovers(lake: Lake) -> bool:
    return not [*lake.folders.exchange.iterdir(), *lake.folders.staging.iterdir()]


def test_nothing_is_exchanged_before_it_is_on_the_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Power loss: what is written or named and not synced is dirty; an exchange finds none."""
    lake = Lake(tmp_path)
    old_day(lake)
    day = lake.folders.day("sessions", DAY)
    with watched_disk(monkeypatch, Disk()) as disk:
        change(lake)
    synced_files: set[Path] = set()
    dirty: set[Path] = set()
    exchanged = False
    for name, arguments in disk.trace:
        if name == "sync_file":
            synced_files.add(arguments[0])
        elif name == "link":
            dirty.add(arguments[2].parent)
        elif name == "move":
            assert arguments[0] in synced_files
            dirty.add(arguments[1].parent)
        elif name == "sync_folder":
            dirty.discard(arguments[0])
        elif name == "exchange":
            assert not dirty
            assert arguments[1] == day
            dirty |= {arguments[0].parent, arguments[1].parent}
            exchanged = True
        elif name == "remove_tree" and exchanged and arguments[0].parent == lake.folders.exchange:
            assert not dirty, "the old day may go only when the new one is sure to be there"
    assert exchanged
    assert not dirty


def test_a_new_day_is_on_the_disk_before_it_is_reported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lake = Lake(tmp_path)
    with watched_disk(monkeypatch, Disk()) as disk:
        first(lake)
    synced = [arguments[0] for name, arguments in disk.trace if name == "sync_folder"]
    renamed = next(
        i for i, (n, a) in enumerate(disk.trace) if n == "move" and a[1].name[:5] == "date="
    )
    later = [a[0] for n, a in disk.trace[renamed:] if n == "sync_folder"]
    assert lake.folders.lake / "sessions" in later
    assert {lake.folders.data_dir, lake.folders.lake} <= set(synced)


def publish_forever(data_dir: Path, life: int, started: Any) -> None:
    """Publish version after version of one day: two windows, then one, all of one version."""
    lake = Lake(data_dir)
    version = 0
    while True:
        version += 1
        said = reading(READ_AT + timedelta(seconds=version), f"q{version}")
        windows = [hours(0, 12), hours(12, 24)] if version % 2 else [hours(0, 24)]
        made = [
            staged(lake, w, [rows(40, f"{life}.{version}_{w.start.hour}_")], said=said)
            for w in windows
        ]
        lake.publish("sessions", DAY, made)
        for one in made:
            one.abort()
        started.set()


def versions(lake: Lake) -> set[str]:
    keys = content(lake)
    assert len(keys) in (40, 80)
    return {key.split("_")[0] for key in keys}


def test_twenty_kills_at_random_moments_leave_whole_days(tmp_path: Path) -> None:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["stdm_platform_tests.lake.test_crashes"])
    random = Random(20260114)
    for life in range(KILLS):
        started = context.Event()
        process = context.Process(target=publish_forever, args=(tmp_path, life, started))
        process.start()
        assert started.wait(30)
        time.sleep(random.random() * 0.1)
        assert process.pid is not None
        os.kill(process.pid, signal.SIGKILL)
        process.join()
        lake = Lake(tmp_path)
        found = versions(lake)
        assert len(found) == 1, "a mixture of two versions"
        assert found.pop().split(".")[0] == str(life), "a publication that had ended is lost"
        held = lake.windows("sessions", DAY, check=True)
        assert [file.window.start.hour for file in held] in ([0], [0, 12])
    published(lake, None, [rows(1)])
    assert no_leftovers(lake)
    assert lake.refusals("sessions", DAY) == []
