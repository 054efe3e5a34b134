from __future__ import annotations

import errno
import stat
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from stdm_platform.catalog import arrow_schema
from stdm_platform.errors import (
    ArgumentError,
    DamagedFileError,
    LakeError,
    OverlapError,
    WrongOrgError,
)
from stdm_platform.lake import Lake, Window, files, row_file
from stdm_platform_tests.lake.days import (
    DAY,
    ORG,
    OTHER_ORG,
    READ_AT,
    SESSIONS,
    STEPS,
    content,
    hours,
    passed,
    published,
    reading,
    rows,
    staged,
)


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(tmp_path / "data")


def left_over(lake: Lake) -> list[Path]:
    folders = (lake.folders.staging, lake.folders.exchange)
    return [path for folder in folders if folder.exists() for path in folder.iterdir()]


def test_a_window_is_published_with_its_evidence(lake: Lake) -> None:
    noon = datetime(2026, 1, 14, 12, tzinfo=UTC)
    with lake.stage(SESSIONS, Window.of_day(DAY)) as one:
        one.write(rows(3, "a"))
        one.write(rows(2, "b", at=noon))
        said = one.close(
            org_id=ORG,
            reading=reading(),
            settled=True,
            absent_columns=["ssot__X__c"],
            proof=passed(one),
        )
        (file,) = lake.publish("sessions", DAY, [one])
    assert file.evidence() == said
    assert (said.rows, said.min_clock, said.max_clock) == (5, Window.of_day(DAY).start, noon)
    assert (said.dmo, said.org_id, said.settled) == ("sessions", ORG, True)
    assert said.absent_columns == ("ssot__X__c",)
    assert (file.reading, file.settled) == (1, True)
    assert lake.windows("sessions", DAY) == [file]
    assert (lake.names(), lake.days("sessions"), lake.org_id()) == (["sessions"], [DAY], ORG)
    assert left_over(lake) == []


def test_nothing_is_visible_before_it_is_published(lake: Lake) -> None:
    with staged(lake, None, [rows(3)]):
        assert lake.windows("sessions", DAY) == []
        assert list(lake.data_dir.glob("lake/*/date=*/*.parquet")) == []
    assert left_over(lake) == []


def test_an_empty_window_is_a_file_with_the_full_schema(lake: Lake) -> None:
    file = published(lake)
    said = file.evidence()
    assert (said.rows, said.min_clock, said.max_clock) == (0, None, None)
    schema = pq.read_schema(file.path)
    assert schema.names == list(SESSIONS.column_names)
    assert schema.types == arrow_schema(SESSIONS).types
    assert schema.field("session_id").metadata[b"source"] == b"ssot__Id__c"


def test_a_second_reading_replaces_the_first_and_carries_it_on(lake: Lake) -> None:
    first = published(lake, None, [rows(3)])
    later = reading(READ_AT + timedelta(hours=1), "q2")
    second = published(lake, None, [rows(4)], said=later, settled=True)
    assert lake.windows("sessions", DAY) == [second]
    assert (second.reading, second.settled) == (2, True)
    assert second.evidence().readings == (reading(), later)
    assert first.path.name != second.path.name
    assert not first.path.exists()
    assert len(content(lake)) == 4


def test_the_same_window_read_twice_never_gets_the_same_name(lake: Lake) -> None:
    names = set()
    for _ in range(5):
        names.add(published(lake, None, [rows(1)]).path.name)
        for path in lake.folders.day("sessions", DAY).iterdir():
            path.unlink()  # so the number starts again and only the hash differs
    assert len(names) == 5


def test_small_windows_become_one_and_their_readings_are_merged(lake: Lake) -> None:
    for number in range(3):
        said = reading(READ_AT + timedelta(hours=number), f"q{number}")
        published(lake, hours(number * 8, number * 8 + 8), [rows(1, f"{number}")], said=said)
    assert [file.reading for file in lake.windows("sessions", DAY)] == [1, 1, 1]
    whole = published(lake, None, [rows(2)], said=reading(READ_AT + timedelta(days=1), "q9"))
    assert lake.windows("sessions", DAY) == [whole]
    assert [said.query_id for said in whole.evidence().readings] == ["q0", "q1", "q2", "q9"]
    assert whole.reading == 2


def test_a_whole_window_read_again_as_two_hands_its_reading_to_one(lake: Lake) -> None:
    published(lake, None, [rows(2)], said=reading(query_id="whole"))
    with staged(lake, hours(0, 12)) as first, staged(lake, hours(12, 24)) as second:
        halves = lake.publish("sessions", DAY, [second, first])
    assert [file.window for file in halves] == [hours(0, 12), hours(12, 24)]
    assert [file.reading for file in halves] == [2, 2]
    queries = [[said.query_id for said in file.evidence().readings] for file in halves]
    assert queries == [["whole", "q1"], ["q1"]]


def test_new_ground_keeps_the_files_that_stay(lake: Lake) -> None:
    first = published(lake, hours(0, 6), [rows(1, "a")])
    inode = first.path.stat().st_ino
    second = published(lake, hours(6, 12), [rows(1, "b")])
    assert lake.windows("sessions", DAY) == [first, second]
    assert first.path.stat().st_ino == inode
    assert content(lake) == ["a0", "b0"]


@pytest.mark.parametrize("new", [hours(6, 18), hours(0, 6), hours(3, 4), hours(11, 13)])
def test_a_partial_overlap_is_refused_and_says_what_to_do(lake: Lake, new: Window) -> None:
    held = published(lake, hours(0, 12), [rows(1)])
    with staged(lake, new) as one, pytest.raises(OverlapError) as failure:
        lake.publish("sessions", DAY, [one])
    told = str(failure.value)
    for part in ("sessions of 2026-01-14", str(new), str(held.window), "Read whole windows again"):
        assert part in told
    assert lake.windows("sessions", DAY) == [held]
    assert left_over(lake) == []


def test_new_windows_that_leave_a_gap_in_a_held_one_are_refused(lake: Lake) -> None:
    held = published(lake, None, [rows(1)])
    with (
        staged(lake, hours(0, 8)) as first,
        staged(lake, hours(12, 24)) as last,
        pytest.raises(OverlapError),
    ):
        lake.publish("sessions", DAY, [first, last])
    assert lake.windows("sessions", DAY) == [held]


def test_new_windows_that_overlap_each_other_are_refused(lake: Lake) -> None:
    with (
        staged(lake, hours(0, 8)) as first,
        staged(lake, hours(7, 9)) as second,
        pytest.raises(OverlapError, match="new windows"),
    ):
        lake.publish("sessions", DAY, [first, second])


def test_windows_of_another_day_or_dmo_or_not_closed_are_refused(lake: Lake) -> None:
    with staged(lake) as one:
        for name, day in (("steps", DAY), ("sessions", date(2026, 1, 15))):
            with pytest.raises(LakeError, match="cannot be published there"):
                lake.publish(name, day, [one])
    with (
        lake.stage(SESSIONS, hours(0, 1)) as open_one,
        pytest.raises(LakeError, match="closed windows"),
    ):
        lake.publish("sessions", DAY, [open_one])
    assert lake.publish("sessions", DAY, []) == []


def test_a_window_is_published_once(lake: Lake) -> None:
    with staged(lake) as one:
        lake.publish("sessions", DAY, [one])
        with pytest.raises(LakeError, match="sealed"):
            lake.publish("sessions", DAY, [one])
        with pytest.raises(LakeError, match="closed"):
            one.write(rows(1))
    assert len(lake.windows("sessions", DAY)) == 1


def test_a_batch_in_another_schema_is_refused(lake: Lake) -> None:
    good = rows(1)
    with lake.stage(SESSIONS, Window.of_day(DAY)) as one:
        with pytest.raises(LakeError, match=r"sessions of 2026-01-14.*started_at"):
            one.write(good.drop_columns(["started_at"]))
        with pytest.raises(LakeError, match="lacks"):
            one.write(rows(1, entry=STEPS))


def test_a_foreign_file_stops_a_change_and_not_a_reader(
    lake: Lake, caplog: pytest.LogCaptureFixture
) -> None:
    held = published(lake, None, [rows(2)])
    for name in ("copy of day.parquet", ".DS_Store"):
        (held.path.parent / name).write_text("mine")
    assert lake.windows("sessions", DAY) == [held]
    assert "copy of day.parquet" in caplog.text
    assert ".DS_Store" not in caplog.text
    assert len(content(lake)) == 2
    with staged(lake) as one, pytest.raises(LakeError, match=r"copy of day\.parquet.*Move them"):
        lake.publish("sessions", DAY, [one])
    (held.path.parent / "copy of day.parquet").unlink()
    assert published(lake).reading == 2


def test_a_long_stream_is_cut_into_row_groups(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(row_file, "ROW_GROUP_ROWS", 1000)
    file = published(lake, None, [rows(700, "a"), rows(700, "b"), rows(2500, "c"), rows(1, "d")])
    metadata = pq.read_metadata(file.path)
    groups = [metadata.row_group(n).num_rows for n in range(metadata.num_row_groups)]
    assert sum(groups) == file.evidence().rows == 3901
    assert max(groups) <= 2000
    assert len(groups) >= 3
    monkeypatch.setattr(row_file, "ROW_GROUP_BYTES", 1)
    assert pq.read_metadata(published(lake, None, [rows(5), rows(5, "b")]).path).num_row_groups == 2


def test_a_file_that_lacks_rows_never_becomes_visible(
    lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = published(lake, None, [rows(1)])
    with lake.stage(SESSIONS, Window.of_day(DAY)) as one:
        one.write(rows(3))
        one._file._waiting.clear()  # as if rows were lost on the way to the file
        one.close(org_id=ORG, reading=reading(), settled=False, proof=passed(one))
        with pytest.raises(DamagedFileError, match="holds 0 rows, and its footer says 3"):
            lake.publish("sessions", DAY, [one])
    assert lake.windows("sessions", DAY) == [held]


@pytest.mark.parametrize("operation", ["sync_file", "link", "move", "sync_folder", "exchange"])
def test_a_full_disk_is_an_error_that_names_the_day(
    lake: Lake, monkeypatch: pytest.MonkeyPatch, operation: str
) -> None:
    held = published(lake, hours(0, 12), [rows(1)])

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with staged(lake, hours(12, 24), [rows(2)]) as one, monkeypatch.context() as patch:
        patch.setattr(files, operation, full)
        with pytest.raises(LakeError, match=r"sessions of 2026-01-14: .*No space left.*run again"):
            lake.publish("sessions", DAY, [one])
    assert lake.windows("sessions", DAY) == [held]
    assert left_over(lake) == []


def test_another_org_is_refused_naming_both_and_nothing_changes(lake: Lake) -> None:
    lake.claim(OTHER_ORG)
    held = published(lake, None, [rows(1)])
    lake.claim(ORG)
    for act in (lambda: lake.claim(OTHER_ORG), lambda: published(lake, org=OTHER_ORG)):
        with pytest.raises(WrongOrgError) as failure:
            act()
        for part in (ORG, OTHER_ORG, str(lake.data_dir)):
            assert part in str(failure.value)
    assert Lake(lake.data_dir).org_id() == ORG
    assert lake.windows("sessions", DAY) == [held]
    with pytest.raises(WrongOrgError):
        Lake(lake.data_dir).claim(OTHER_ORG)


def test_windows_of_two_orgs_are_not_published_together(lake: Lake) -> None:
    with (
        staged(lake, hours(0, 1)) as first,
        staged(lake, hours(1, 2), org=OTHER_ORG) as second,
        pytest.raises(LakeError, match="several orgs"),
    ):
        lake.publish("sessions", DAY, [first, second])


def test_a_refused_window_is_kept_aside_with_its_reason(lake: Lake) -> None:
    held = published(lake, None, [rows(1)])
    assert lake.standing_refusal("sessions", DAY) is None
    later = reading(READ_AT + timedelta(hours=1), "q2")
    with staged(lake, None, [rows(4)], said=later) as one:
        path = lake.refuse(one, "unique_key", details={"count": 2, "keys": ["a1", "a2"]})
    assert path.parent == lake.data_dir / "refused" / "sessions" / "date=2026-01-14"
    assert pq.read_metadata(path).num_rows == 4
    (refusal,) = lake.refusals("sessions", DAY)
    assert (refusal.path, refusal.reason, refusal.at) == (path, "unique_key", later.read_at)
    assert refusal.details == {"rows": 4, "count": 2, "keys": ["a1", "a2"]}
    assert lake.windows("sessions", DAY) == [held]
    assert left_over(lake) == []
    assert lake.standing_refusal("sessions", DAY) == refusal
    published(lake, None, [rows(2)], said=replace(later, read_at=READ_AT + timedelta(hours=2)))
    assert lake.standing_refusal("sessions", DAY) is None
    assert lake.refusals("sessions", date(2026, 1, 1)) == []


def test_a_window_with_a_null_key_can_be_written_so_that_it_can_be_refused(lake: Lake) -> None:
    null = rows(2).set_column(0, "session_id", pa.nulls(2, pa.string()))
    with lake.stage(SESSIONS, Window.of_day(DAY)) as one:
        one.write(null)
        with pytest.raises(LakeError, match="When was it read"):
            lake.refuse(one, "not_null")
        path = lake.refuse(one, "not_null", at=READ_AT)
    assert pq.read_table(path)["session_id"].null_count == 2


def test_the_data_directory_is_private_and_files_keep_their_mode(tmp_path: Path) -> None:
    for make in (lambda path: None, lambda path: path.mkdir(mode=0o755)):
        data_dir = tmp_path / str(id(make))
        make(data_dir)
        lake = Lake(data_dir)
        with staged(lake, None, [rows(1)]) as one:
            mode = stat.S_IMODE(one.path.stat().st_mode)
            (file,) = lake.publish("sessions", DAY, [one])
        assert stat.S_IMODE(data_dir.stat().st_mode) == 0o700
        assert stat.S_IMODE(file.path.stat().st_mode) == mode


def test_a_directory_that_holds_something_keeps_its_mode(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    (tmp_path / "mine").touch()
    published(Lake(tmp_path))
    assert stat.S_IMODE(tmp_path.stat().st_mode) == 0o755


def test_looking_at_a_lake_that_is_not_there_makes_nothing(tmp_path: Path) -> None:
    lake = Lake(tmp_path / "none")
    assert (lake.names(), lake.days("sessions"), lake.org_id()) == ([], [], None)
    assert lake.windows("sessions", DAY) == []
    assert (lake.frontier("sessions"), lake.day_checksums("sessions")) == (None, {})
    lake.claim(ORG)
    assert not lake.data_dir.exists()


def test_a_name_outside_the_catalog_has_no_snapshot(lake: Lake) -> None:
    with pytest.raises(ArgumentError, match=r"bookings.*sessions"):
        lake.snapshot(["bookings"], None, lake.data_dir / "x")
