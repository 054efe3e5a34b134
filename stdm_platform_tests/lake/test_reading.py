"""Snapshots, digests, and files that are damaged."""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import duckdb
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from stdm_platform.catalog import Dmo
from stdm_platform.errors import DamagedFileError, LakeError
from stdm_platform.lake import Lake, WindowFile, files, footers
from stdm_platform.lake.names import stem_of
from stdm_platform_tests.lake.days import (
    DAY,
    READ_AT,
    SESSIONS,
    content,
    hours,
    published,
    reading,
    rows,
    staged,
)

NEXT = date(2026, 1, 15)


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(tmp_path / "data")


def test_a_snapshot_stays_while_the_lake_changes(lake: Lake) -> None:
    published(lake, None, [rows(2, "old")])
    with lake.snapshot(["sessions"], None, lake.folders.snapshots / "dbt") as snapshot:
        published(lake, None, [rows(3, "new")])
        keys = snapshot.scan("sessions").select("session_id").collect()["session_id"].to_list()
        assert sorted(keys) == ["old0", "old1"]
        (file,) = snapshot.of("sessions")
        assert snapshot.evidence(file).rows == 2
    assert not snapshot.target.exists()
    assert content(lake) == ["new0", "new1", "new2"]


def test_a_snapshot_shows_the_catalogs_schema_even_of_what_is_not_held(lake: Lake) -> None:
    published(lake, None, [rows(2)])
    with lake.temporary_snapshot(["sessions", "steps"]) as snapshot:
        for name, count in (("sessions", 2), ("steps", 0)):
            frame = snapshot.scan(name).collect()
            glob = snapshot.target / name / "date=*" / "*.parquet"
            table = duckdb.sql(
                f"from read_parquet('{glob}', hive_partitioning=true, union_by_name=true)"
            )
            assert frame.columns == table.columns
            assert frame.height == table.to_arrow_table().num_rows == count
            assert frame.schema["date"] == pl.Date
            assert str(table.types[-1]) == "DATE"
        assert snapshot.scan("sessions").select("date").collect()["date"].to_list() == [DAY, DAY]


def test_a_column_that_older_files_lack_is_null(tmp_path: Path) -> None:
    older = replace(SESSIONS, columns=SESSIONS.columns[:3])
    published(Lake(tmp_path, [older]), hours(0, 1), [rows(1, "a", entry=older)], entry=older)
    published(Lake(tmp_path), hours(1, 2), [rows(1, "b")])
    with Lake(tmp_path).temporary_snapshot(["sessions"]) as snapshot:
        frame = snapshot.scan("sessions").collect()
        assert frame.columns == [*SESSIONS.column_names, "date"]
        assert frame.filter(pl.col("session_id") == "a0")["channel_type"].to_list() == [None]


def test_a_snapshot_holds_the_days_asked_for_and_leaves_out_the_missing(lake: Lake) -> None:
    published(lake, None, [rows(1)])
    published(lake, hours(0, 24, NEXT), [rows(1)])
    target = lake.folders.snapshots / "dbt"
    wanted = [NEXT, date(2020, 1, 1)]
    snapshot = lake.snapshot(["sessions"], wanted, target)
    assert [file.day for file in snapshot.files] == [NEXT]
    assert all(file.path.exists() and target in file.path.parents for file in snapshot.files)
    again = lake.snapshot(["sessions"], None, target)
    assert [file.day for file in again.files] == [DAY, NEXT]
    assert [path.name for path in lake.folders.snapshots.iterdir()] == ["dbt"]


def test_a_draft_that_a_killed_snapshot_left_is_removed(lake: Lake) -> None:
    target = lake.folders.snapshots / "dbt"
    old = target.with_name("dbt.0123456789ab.new")
    other = target.with_name("dbt.more.0123456789ab.new")
    for path in (old, other):
        path.mkdir(parents=True)
    lake.snapshot(["sessions"], None, target)
    assert (old.exists(), other.exists()) == (False, True)


@pytest.mark.parametrize("number", [errno.EXDEV, errno.EPERM])
def test_where_hard_links_do_not_reach_files_are_copied(
    lake: Lake, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    held = published(lake, hours(0, 12), [rows(2, "a")])

    def refuse(*_: object, **__: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "link", refuse)
    published(lake, hours(12, 24), [rows(2, "b")])
    with lake.temporary_snapshot(["sessions"]) as snapshot:
        first = snapshot.of("sessions")[0]
        assert first.path.name == held.path.name
        assert first.path.stat().st_nlink == 1
    assert content(lake) == ["a0", "a1", "b0", "b1"]


def test_a_link_that_fails_for_another_reason_is_an_error(
    lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    published(lake, None, [rows(1)])

    def refuse(*_: object, **__: object) -> None:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(os, "link", refuse)
    with pytest.raises(LakeError, match="Input/output error"):
        lake.snapshot(["sessions"], None, lake.folders.snapshots / "dbt")


def test_a_new_process_reads_no_footer_of_days_that_were_linked_before(
    lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = published(lake, None, [rows(1)])
    for number in range(1, 40):
        fill(lake, model, DAY + timedelta(days=number))
    snapshot = lake.snapshot(["sessions"], None, lake.folders.snapshots / "dbt")
    assert len(snapshot.files) == 40
    assert len(lake.day_checksums("sessions")) == 40

    def refuse(path: Path) -> dict[str, str]:
        raise AssertionError(f"{path} is read again")

    monkeypatch.setattr(footers, "read_footer", refuse)
    assert len(Lake(lake.data_dir).day_checksums("sessions")) == 40


def fill(lake: Lake, model: WindowFile, day: date) -> None:
    """Put a sound file of another day there, quickly."""
    moved = hours(0, 24, day)
    said = replace(model.evidence(), window=moved)
    folder = lake.folders.day("sessions", day)
    folder.mkdir()
    name = stem_of(moved) + model.path.name.removeprefix(stem_of(model.window))
    table = pq.read_table(model.path)
    with pq.ParquetWriter(folder / name, table.schema) as writer:
        writer.write_table(table)
        writer.add_key_value_metadata(said.as_footer())


def test_the_digest_of_a_day_depends_on_its_content_only(lake: Lake) -> None:
    published(lake, hours(0, 12), [rows(3, "a")])
    before = lake.day_checksums("sessions")
    assert list(before) == [DAY]
    later = reading(READ_AT + timedelta(hours=1), "q2")
    published(lake, hours(0, 12), [rows(3, "a").slice(1), rows(1, "a")], said=later)
    assert lake.day_checksums("sessions", [DAY, NEXT]) == before
    published(lake, hours(0, 12), [rows(3, "a")], settled=True)
    settled = lake.day_checksums("sessions")
    published(lake, hours(0, 12), [rows(3, "b")], settled=True)
    changed = lake.day_checksums("sessions")
    published(lake, hours(12, 24), settled=True)
    longer = lake.day_checksums("sessions")
    assert len({tuple(each.values()) for each in (before, settled, changed, longer)}) == 4
    assert Lake(lake.data_dir).day_checksums("sessions") == longer


def test_the_marks_of_a_dmo_come_from_its_files(lake: Lake) -> None:
    published(lake, hours(0, 6), settled=True)
    published(lake, hours(6, 12))
    start = hours(0, 1).start
    assert lake.frontier("sessions") == hours(0, 12).end
    assert lake.watermark("sessions", start) == hours(6, 12).start
    assert lake.holes("sessions", start, hours(0, 18).end) == [hours(12, 18)]


def test_the_cache_of_footers_may_go_at_any_time(
    lake: Lake, caplog: pytest.LogCaptureFixture
) -> None:
    published(lake, None, [rows(3)])
    digests = lake.day_checksums("sessions")
    cache = lake.folders.cache / "sessions.footers.json"
    for spoil in (cache.unlink, lambda: cache.write_text("[1"), lambda: cache.write_text("[1]")):
        spoil()
        assert Lake(lake.data_dir).day_checksums("sessions") == digests
    assert "built anew" in caplog.text
    published(lake, None, [rows(4)])
    lake.day_checksums("sessions")
    assert len(json.loads(cache.read_text())[DAY.isoformat()]) == 1


def test_a_footer_is_read_once(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    published(lake, None, [rows(3)])
    lake.day_checksums("sessions")
    monkeypatch.setattr(footers, "read_footer", lambda path: pytest.fail(f"{path} was opened"))
    assert Lake(lake.data_dir).day_checksums("sessions")
    with Lake(lake.data_dir).temporary_snapshot(["sessions"]) as snapshot:
        assert snapshot.files


def test_a_cache_that_cannot_be_written_costs_only_time(
    lake: Lake, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    published(lake, None, [rows(3)])

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "full")

    monkeypatch.setattr(files, "write_file", full)
    assert lake.day_checksums("sessions")
    assert "was not written" in caplog.text


def truncate(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def empty(path: Path) -> None:
    os.truncate(path, 0)


def scramble(path: Path) -> None:
    data = bytearray(path.read_bytes())
    size = int.from_bytes(data[-8:-4], "little")
    data[-8 - size : -8] = bytes(255 - byte for byte in data[-8 - size : -8])
    path.write_bytes(data)


def forget(path: Path) -> None:
    pq.write_table(pq.read_table(path), path)


def other_rows(path: Path) -> None:
    table, metadata = pq.read_table(path), pq.read_metadata(path).metadata
    with pq.ParquetWriter(path, table.schema) as writer:
        writer.write_table(table.slice(1))
        writer.add_key_value_metadata({k: v for k, v in metadata.items() if k[:4] == b"stdm"})


def other_window(path: Path) -> None:
    table, metadata = pq.read_table(path), dict(pq.read_metadata(path).metadata)
    metadata[b"stdm.dmo"] = b"steps"
    with pq.ParquetWriter(path, table.schema) as writer:
        writer.write_table(table)
        writer.add_key_value_metadata({k: v for k, v in metadata.items() if k[:4] == b"stdm"})


DAMAGES = [truncate, empty, scramble, forget, other_rows, other_window]
LOOKS: list[Callable[[Lake], object]] = [
    content,
    lambda lake: lake.day_checksums("sessions"),
    lambda lake: lake.windows("sessions", DAY, check=True),
    lambda lake: lake.mend("sessions", DAY),
]


@pytest.mark.parametrize("damage", DAMAGES, ids=lambda damage: damage.__name__)
@pytest.mark.parametrize("look", LOOKS, ids=["snapshot", "digest", "check", "mend"])
@pytest.mark.parametrize("known", [False, True], ids=["unknown", "cached"])
def test_a_damaged_file_is_a_missing_window_and_kept_aside(
    lake: Lake,
    caplog: pytest.LogCaptureFixture,
    damage: Callable[[Path], None],
    look: Callable[[Lake], object],
    known: bool,
) -> None:
    bad = published(lake, hours(0, 12), [rows(3, "bad")])
    good = published(lake, hours(12, 24), [rows(2, "good")])
    if known:
        lake.day_checksums("sessions")
    damage(bad.path)
    with pytest.raises(DamagedFileError, match=bad.path.name):
        bad.evidence()
    look(lake)
    assert lake.windows("sessions", DAY) == [good]
    assert content(lake) == ["good0", "good1"]
    (refusal,) = lake.refusals("sessions", DAY)
    assert (refusal.kind, refusal.window, refusal.at) == ("damaged", hours(0, 12), None)
    assert refusal.path.exists()
    assert "Its window is missing" in caplog.text
    assert lake.holes("sessions", hours(0, 1).start, hours(0, 24).end) == [hours(0, 12)]
    assert lake.standing_refusal("sessions", DAY) is None


def test_a_day_whose_only_file_is_damaged_is_not_held(lake: Lake) -> None:
    empty(published(lake, None, [rows(3)]).path)
    assert lake.org_id() is None
    assert len(lake.mend("sessions", DAY)) == 1
    assert lake.days("sessions") == []
    assert lake.mend("sessions", DAY) == []
    assert content(lake) == []
    assert published(lake, None, [rows(1)]).reading == 1


def test_a_damaged_file_that_is_read_again_is_kept_aside(lake: Lake) -> None:
    bad = published(lake, None, [rows(3)])
    scramble(bad.path)
    with staged(lake, None, [rows(2)]) as one:
        (file,) = lake.publish("sessions", DAY, [one])
    assert file.reading == 2
    assert [refusal.path.name for refusal in lake.refusals("sessions", DAY)] == [bad.path.name]
    assert len(file.evidence().readings) == 1


def test_a_file_that_may_not_be_opened_is_not_taken_for_damaged(
    lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    published(lake, None, [rows(3)])

    def refuse(path: Path) -> None:
        raise PermissionError(errno.EACCES, "Permission denied", str(path))

    monkeypatch.setattr(footers, "read_footer", refuse)
    with pytest.raises(LakeError, match=r"sessions of 2026-01-14: .*Permission denied"):
        lake.day_checksums("sessions")
    assert lake.refusals("sessions", DAY) == []
    assert len(lake.windows("sessions", DAY)) == 1


def test_a_disk_that_fails_while_reading_says_nothing_about_the_file(
    lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    published(lake, None, [rows(3)])

    def fail(*_: object) -> None:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(pq, "read_metadata", fail)
    with pytest.raises(LakeError, match="Input/output error"):
        lake.windows("sessions", DAY, check=True)
    assert lake.refusals("sessions", DAY) == []


def test_a_footer_says_the_same_in_duckdb(lake: Lake) -> None:
    file = published(lake, None, [rows(3)])
    found = dict(
        duckdb.sql(
            f"select decode(key), decode(value) from parquet_kv_metadata('{file.path}')"
        ).fetchall()
    )
    assert found["stdm.rows"] == "3"
    assert json.loads(found["stdm.readings"])[0]["query_id"] == "q1"


def test_bounds_of_the_clock_survive_nulls(lake: Lake) -> None:
    at = datetime(2026, 1, 14, 3, tzinfo=UTC)
    entry: Dmo = SESSIONS
    with lake.stage(entry, hours(0, 24)) as one:
        one.write(rows(1, "a", at=at))
        nulls = rows(2, "b")
        index = nulls.schema.get_field_index(entry.clock)
        one.write(nulls.set_column(index, entry.clock, pa.nulls(2, nulls.schema.types[index])))
        assert (one.min_clock, one.max_clock, one.rows) == (at, at, 3)
