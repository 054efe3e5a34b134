"""Generations: readers keep agreeing answers, crashes leave the last good state."""

from __future__ import annotations

import multiprocessing
import random
import shutil
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path

import duckdb
import pyarrow.parquet as pq
import pytest

from stdm_platform.errors import MartError, NotExtractedError
from stdm_platform.lake import Lake
from stdm_platform.marts import MartStore, mend, publication
from stdm_platform_tests.marts.lakes import DAY, NEXT, at, hold
from stdm_platform_tests.marts.standins import (
    MADE,
    NOW,
    publish_forever,
    publish_quickly,
    values_seen,
)

KILLS = 20


@pytest.fixture
def two_days(lake: Lake) -> Lake:
    for day in (DAY, NEXT):
        rows = [{"session_id": f"{day}-{n}", "started_at": at("10:00", day)} for n in range(3)]
        hold(lake, "sessions", rows, day=day)
    return lake


def ask_in_new_process(store: MartStore, cwd: Path, sql: str) -> str:
    code = "import duckdb, sys; c = duckdb.connect(sys.argv[1], read_only=True); print(c.execute(sys.argv[2]).fetchall())"
    return subprocess.run(
        [sys.executable, "-c", code, str(store.marts_db), sql],
        cwd=cwd,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.strip()


def test_an_open_reader_keeps_old_agreeing_answers_and_a_new_one_sees_the_new(
    two_days: Lake, store: MartStore, tmp_path: Path
) -> None:
    publish_quickly(two_days, store, [DAY, NEXT], value=1)
    with store.connect() as reader:
        publish_quickly(two_days, store, [DAY, NEXT], value=2)
        assert values_seen(reader) == ({1}, {1})
        sql = "select distinct turn_count from session_summary"
        assert ask_in_new_process(store, tmp_path, sql) == "[(2,)]"


def test_untouched_days_are_hard_links_of_the_generation_before(
    two_days: Lake, store: MartStore
) -> None:
    first = publish_quickly(two_days, store, [DAY, NEXT], value=1)
    second = publish_quickly(two_days, store, [NEXT], value=2)
    before, after = first.files("session_summary"), second.files("session_summary")
    assert [file.day for file in after] == [DAY, NEXT]
    assert after[0].path.samefile(before[0].path)
    assert not after[1].path.samefile(before[1].path)
    assert second.path == store.current_link.resolve()


def test_a_lost_or_damaged_warehouse_loses_no_published_day(
    two_days: Lake, store: MartStore
) -> None:
    publish_quickly(two_days, store, [DAY, NEXT], value=1)
    store.warehouse_path.write_bytes(b"not a database")
    store.warehouse_path.with_name("warehouse.duckdb.wal").write_bytes(b"nor a log")
    publish_quickly(two_days, store, [NEXT], value=2)
    with store.connect() as reader:
        assert values_seen(reader) == ({1, 2}, {1, 2})


def test_a_day_without_rows_is_an_empty_file_and_not_a_missing_one(
    two_days: Lake, store: MartStore
) -> None:
    hold(two_days, "sessions", [], day=DAY)
    generation = publish_quickly(two_days, store, [DAY])
    (file,) = generation.files("session_summary")
    assert (file.day, pq.read_metadata(file.path).num_rows) == (DAY, 0)
    with store.connect() as reader:
        assert reader.execute("select count(*) from session_summary").fetchall() == [(0,)]


def test_a_failure_inside_the_build_publishes_nothing(two_days: Lake, store: MartStore) -> None:
    first = publish_quickly(two_days, store, [DAY, NEXT], value=1)
    with pytest.raises(duckdb.Error):
        publish_quickly(two_days, store, [DAY], made="select * from nowhere")
    assert store.current() == first.__class__(first.number, first.path)
    with store.connect() as reader:
        assert values_seen(reader) == ({1}, {1})


def test_a_build_that_makes_no_mart_is_an_error(two_days: Lake, store: MartStore) -> None:
    with pytest.raises(MartError, match="no mart"):
        publish_quickly(two_days, store, [DAY], made="select 1")


def test_a_mart_that_was_not_built_keeps_its_files(two_days: Lake, store: MartStore) -> None:
    publish_quickly(two_days, store, [DAY, NEXT], value=1)
    only_one = MADE.split("create table topic_summary")[0]
    publish_quickly(two_days, store, [DAY, NEXT], value=2, made=only_one)
    with store.connect() as reader:
        assert values_seen(reader) == ({2}, {1})


def test_columns_added_later_are_null_in_days_of_older_models(
    two_days: Lake, store: MartStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish_quickly(two_days, store, [DAY, NEXT], value=1)
    wider = MADE.replace("session_id, date", "session_id, 'x' as added, date")
    for module in ("preparation", "publication", "digests"):
        monkeypatch.setattr(f"stdm_platform.marts.{module}.models_digest", lambda: "0" * 8)
    publish_quickly(two_days, store, [NEXT], value=1, made=wider)
    with store.connect() as reader:
        rows = reader.execute(
            "select distinct session_date, added from session_summary order by 1"
        ).fetchall()
    assert rows == [(DAY, None), (NEXT, "x")]


def test_a_generation_lives_a_day_after_it_was_replaced(two_days: Lake, store: MartStore) -> None:
    first = publish_quickly(two_days, store, [DAY], now=NOW)
    second = publish_quickly(two_days, store, [DAY], now=NOW + timedelta(hours=1))
    publish_quickly(two_days, store, [DAY], now=NOW + timedelta(hours=25))
    assert first.path.exists()  # replaced exactly 24 hours ago
    publish_quickly(two_days, store, [DAY], now=NOW + timedelta(hours=26))
    assert not first.path.exists()
    assert second.path.exists()
    publish_quickly(two_days, store, [DAY], now=NOW + timedelta(days=30))
    assert [generation.number for generation in store.generations()] == [4, 5]


def test_mart_files_say_what_they_were_built_from(two_days: Lake, store: MartStore) -> None:
    generation = publish_quickly(two_days, store, [DAY])
    (file,) = generation.files("session_summary")
    footer = pq.read_metadata(file.path).metadata
    assert footer[b"stdm.digest"].decode() == file.digest
    assert footer[b"stdm.session_date"].decode() == "2026-01-14"
    assert footer[b"stdm.built_at"].decode() == NOW.isoformat()


def test_a_moved_directory_is_mended_once(two_days: Lake, store: MartStore, tmp_path: Path) -> None:
    publish_quickly(two_days, store, [DAY], value=7)
    assert not mend(store)
    moved = MartStore(tmp_path / "it's moved")
    shutil.copytree(store.data_dir, moved.data_dir, symlinks=True)
    with pytest.raises(MartError, match="was moved or copied"):  # the other one still stands
        moved.connect()
    shutil.rmtree(store.folder)
    with pytest.raises(MartError, match="stdm doctor"):
        moved.connect()
    assert mend(moved)
    assert not mend(moved)
    with moved.connect() as reader:
        assert values_seen(reader) == ({7}, {7})
    moved.marts_db.write_bytes(b"damaged")
    with pytest.raises(MartError, match="cannot be opened"):
        moved.connect()
    assert mend(moved)


def test_nothing_published_is_said_with_the_next_action(store: MartStore) -> None:
    assert not mend(store)
    with pytest.raises(NotExtractedError, match="stdm extract"):
        store.connect()


def test_the_view_file_is_written_for_older_clients(two_days: Lake, store: MartStore) -> None:
    publish_quickly(two_days, store, [DAY])
    with store.connect() as reader:
        tags = reader.execute(
            "select tags from duckdb_databases() where not internal and path is not null"
        ).fetchall()
    assert publication.READABLE_STORAGE in str(tags)


def test_killed_at_any_moment_the_marts_are_one_good_state(
    two_days: Lake, store: MartStore
) -> None:
    publish_quickly(two_days, store, [DAY, NEXT], value=0)
    started = time.monotonic()
    publish_quickly(two_days, store, [DAY, NEXT], value=0)
    seconds = time.monotonic() - started
    chance = random.Random(4)
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([publish_forever.__module__])
    seen = set()
    for value in range(1, KILLS + 1):
        ready = context.Event()
        body = (ready, store.data_dir, [DAY, NEXT], value)
        process = context.Process(target=publish_forever, args=body)
        process.start()
        assert ready.wait(30)
        time.sleep(chance.uniform(0, 3 * seconds))
        process.kill()
        process.join()
        with store.connect() as reader:
            summary, topics = values_seen(reader)
        assert summary == topics
        assert len(summary) == 1
        seen |= summary
        current = store.current()
        assert current is not None
        assert {file.day for file in current.files("session_summary")} == {DAY, NEXT}
    assert len(seen) > 2  # some kills came after a publication, as they should
    publish_quickly(two_days, store, [DAY, NEXT], value=99)
    with store.connect() as reader:
        assert values_seen(reader) == ({99}, {99})
    assert not list(store.folder.glob(".*"))
    assert not list(store.data_dir.glob(".marts.duckdb*"))
