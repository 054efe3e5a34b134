"""Many at once: readers during exchanges, two publishers, two orgs, the living and the dead."""

from __future__ import annotations

import multiprocessing
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from stdm_platform.errors import LakeError, WrongOrgError
from stdm_platform.lake import Lake, files, held, store
from stdm_platform.lake.locking import Locks, OwnedFolder, sweep
from stdm_platform_tests.lake.days import (
    DAY,
    ORG,
    OTHER_ORG,
    READ_AT,
    content,
    hours,
    published,
    reading,
    rows,
    staged,
)

SECONDS = 2.0


def rewrite(lake: Lake, version: int) -> None:
    """One version of the day in three windows, with the same mark in each."""
    made = [staged(lake, hours(n * 8, n * 8 + 8), [rows(3, f"v{version}_{n}_")]) for n in range(3)]
    lake.publish("sessions", DAY, made)
    for one in made:
        one.abort()


def test_readers_see_one_whole_version_during_exchanges(tmp_path: Path) -> None:
    lake = Lake(tmp_path)
    rewrite(lake, 0)
    done = threading.Event()
    reads: list[int] = []

    def read(_: int) -> None:
        mine = Lake(tmp_path)
        while not done.is_set():
            keys = content(mine)
            assert len(keys) == 9
            assert len({key.split("_")[0] for key in keys}) == 1
            assert len(mine.windows("sessions", DAY)) == 3
            assert len(mine.evidence_of_day("sessions", DAY)) == 3
            assert len(mine.day_checksums("sessions")) == 1
            reads.append(1)

    with ThreadPoolExecutor(2) as pool:
        readers = [pool.submit(read, number) for number in range(2)]
        end, version = time.monotonic() + SECONDS, 0
        while time.monotonic() < end and not any(reader.done() for reader in readers):
            version += 1
            rewrite(lake, version)
        done.set()
        for reader in readers:
            reader.result()
    assert version > 5
    assert len(reads) > 5
    print(f"{version} exchanges, {len(reads)} reads")


def test_a_day_that_is_being_emptied_is_not_taken_for_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The trap of a pinned folder: it was exchanged, and half of its files are gone."""
    lake = Lake(tmp_path)
    rewrite(lake, 1)
    names_in = files.names_in
    lost = []

    def exchanged_and_half_empty(descriptor: int) -> list[str]:
        if not lost:
            lost.append(True)
            rewrite(Lake(tmp_path), 2)
            return []
        return names_in(descriptor)

    for look in (lambda: content(lake), lambda: lake.windows("sessions", DAY)):
        lost.clear()
        with monkeypatch.context() as patch:
            patch.setattr(files, "names_in", exchanged_and_half_empty)
            assert len(look()) in (3, 9)
            assert lost


def test_a_day_that_always_changes_is_read_under_its_lock(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lake = Lake(tmp_path)
    published(lake, None, [rows(2)])
    monkeypatch.setattr(held, "LOCK_FREE_ATTEMPTS", 3)
    answers = iter([False, False, False])
    is_named = files.is_named
    monkeypatch.setattr(files, "is_named", lambda *pair: next(answers, True) and is_named(*pair))
    assert len(lake.windows("sessions", DAY)) == 1
    monkeypatch.setattr(files, "is_named", lambda *_: False)
    with pytest.raises(LakeError, match="change without our lock"):
        lake.windows("sessions", DAY)


def publish_many(data_dir: Path, mark: str, start: Any, count: int) -> None:
    lake = Lake(data_dir)
    start.wait(30)
    for number in range(count):
        said = reading(READ_AT + timedelta(seconds=number), f"{mark}{number}")
        published(lake, None, [rows(5, f"{mark}{number}_")], said=said)


def publish_one(data_dir: Path, org: str, start: Any, answers: Any) -> None:
    lake = Lake(data_dir)
    lake.claim(org)
    with staged(lake, None, [rows(1)], org=org) as one:
        start.wait(30)
        try:
            lake.publish("sessions", DAY, [one])
            answers.put(org)
        except WrongOrgError:
            answers.put("refused")


def together(*tasks: Callable[[Any], Any]) -> None:
    for process in tasks:
        process.start()
    for process in tasks:
        process.join(60)
        assert process.exitcode == 0


def test_two_publishers_of_one_day_lose_no_reading(tmp_path: Path) -> None:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["stdm_platform_tests.lake.test_concurrency"])
    start = context.Barrier(2)
    together(*(context.Process(target=publish_many, args=(tmp_path, m, start, 15)) for m in "ab"))
    lake = Lake(tmp_path)
    (file,) = lake.windows("sessions", DAY, check=True)
    assert file.reading == 30
    queries = [said.query_id for said in file.evidence().readings]
    assert len(queries) == len(set(queries)) == 30
    assert len({key.split("_")[0] for key in content(lake)}) == 1


def test_two_orgs_never_both_get_into_an_empty_lake(tmp_path: Path) -> None:
    context = multiprocessing.get_context("forkserver")
    for attempt in range(5):
        start, answers = context.Barrier(2), context.SimpleQueue()
        data_dir = tmp_path / str(attempt)
        together(
            *(
                context.Process(target=publish_one, args=(data_dir, org, start, answers))
                for org in (ORG, OTHER_ORG)
            )
        )
        given = {answers.get(), answers.get()}
        assert given == {"refused", Lake(data_dir).org_id()}


def test_a_second_org_waits_for_the_first_publication_and_is_then_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    change_day = store.change_day
    second_ended = threading.Event()

    def second(*_: object) -> None:
        try:
            published(Lake(tmp_path), hours(0, 24, date(2026, 1, 15)), org=OTHER_ORG)
        finally:
            second_ended.set()

    def slow(*arguments: Any) -> None:
        monkeypatch.setattr(store, "change_day", change_day)
        attempts.append(pool.submit(second))
        assert not second_ended.wait(0.5), "the second one did not wait"
        change_day(*arguments)

    attempts: list[Future[None]] = []
    monkeypatch.setattr(store, "change_day", slow)
    with ThreadPoolExecutor(1) as pool:
        published(Lake(tmp_path), org=ORG)
        with pytest.raises(WrongOrgError):
            attempts[0].result(10)
    assert Lake(tmp_path).days("sessions") == [DAY]


def test_a_long_lived_process_sees_that_the_lake_went_to_another_org(tmp_path: Path) -> None:
    lake = Lake(tmp_path)
    published(lake, org=ORG)
    assert lake.org_id() == ORG
    files.remove_tree(lake.folders.lake)
    assert lake.org_id() is None
    published(Lake(tmp_path), org=OTHER_ORG)
    assert lake.org_id() == OTHER_ORG


def test_a_sweep_takes_the_dead_and_leaves_the_living(tmp_path: Path) -> None:
    locks = Locks(tmp_path / "locks")
    living = OwnedFolder(tmp_path / "staging", locks)
    dead = tmp_path / "staging" / "1-dead"
    dead.mkdir()
    (dead / "window.parquet").touch()
    assert sweep(tmp_path / "staging", locks) == [dead]
    assert living.path.is_dir()
    living.remove()
    living.remove()
    assert sweep(tmp_path / "staging", locks) == []


def test_a_sweep_passes_over_what_its_maker_removes_meanwhile(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    locks, parent = Locks(tmp_path / "locks"), tmp_path / "staging"
    owned, dead = OwnedFolder(parent, locks), parent / "0-dead"
    dead.mkdir()
    opened = files.opened_folder

    def removed_just_before(path: Path) -> Any:
        owned.remove()
        return opened(path)

    monkeypatch.setattr(files, "opened_folder", removed_just_before)
    assert sweep(parent, locks) == [dead]
    assert list(parent.iterdir()) == []


def test_a_lake_in_use_clears_only_what_the_dead_left(tmp_path: Path) -> None:
    with staged(Lake(tmp_path), None, [rows(1)]) as one:
        dead = one.path.parent.with_name("1-dead")
        dead.mkdir()
        with staged(Lake(tmp_path), hours(0, 1)):
            assert not dead.exists()
            assert one.path.exists()


def test_one_day_is_extracted_by_one_at_a_time(tmp_path: Path) -> None:
    one, other = Lake(tmp_path), Lake(tmp_path)
    with one.extraction_lock("sessions", DAY) as taken:
        assert taken
        with other.extraction_lock("sessions", DAY, wait=False) as second:
            assert not second
        with other.extraction_lock("sessions", date(2026, 1, 15), wait=False) as elsewhere:
            assert elsewhere
        published(other, None, [rows(1)])  # a publication does not wait for an extraction
    with other.extraction_lock("sessions", DAY, wait=False) as freed:
        assert freed


def test_a_thread_that_holds_a_day_may_publish_it(tmp_path: Path) -> None:
    lake = Lake(tmp_path)
    with lake.lock("sessions", DAY):
        published(lake, None, [rows(1)])
        with Lake(tmp_path)._locks.hold(f"sessions.date={DAY}", wait=False) as other:
            assert not other
    with Lake(tmp_path)._locks.hold(f"sessions.date={DAY}", wait=False) as freed:
        assert freed
