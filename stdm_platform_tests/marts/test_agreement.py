"""Marts against the lake: days that are older, and days that do not hold what the lake holds."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import polars as pl
import pytest

from stdm_platform.extraction import Finding, Span, Verified
from stdm_platform.lake import Lake
from stdm_platform.marts import MartStore, mart_days, older_marts, verify_mart_day
from stdm_platform.marts.agreement import SUMMARY
from stdm_platform_tests.marts.lakes import DAY, NEXT, READ_AT, Rows, at, hold
from stdm_platform_tests.marts.standins import publish_quickly

ALL = Span()
BEFORE = DAY - timedelta(days=1)
MADE = """
create table session_summary as
    select session_id, date as session_date, 1 as turn_count, 1 as user_message_count,
        0 as agent_message_count, 2 as step_count
    from read_parquet('{snapshot}/sessions/*/*.parquet', hive_partitioning = true)
    where date in (select day from control.touched_days) and {value} > 0;
"""


@pytest.fixture
def lake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Lake:
    """A lake with two days of sessions; the marts are the summary alone."""
    for module in ("digests", "preparation"):
        monkeypatch.setattr(f"stdm_platform.marts.{module}.mart_names", lambda: [SUMMARY])
    lake = Lake(tmp_path)
    rows = Rows()
    for key, start in (("a", at("10:00")), ("b", at("23:59")), ("c", at("08:00", NEXT))):
        rows.session(key, start, None)
        later = start + timedelta(minutes=5)  # b goes on after midnight
        rows.turn(key, f"{key}-1", later)
    rows.publish(lake)
    return lake


@pytest.fixture
def store(lake: Lake) -> MartStore:
    store = MartStore(lake.data_dir)
    publish_quickly(lake, store, [DAY, NEXT], made=MADE)
    return store


def found(lake: Lake, store: MartStore, span: Span = ALL) -> list[Finding]:
    verified = Verified(lake.data_dir)
    days = mart_days(lake, store, span, verified)
    findings = list(older_marts(lake, store, days))
    for file in days.to_compare:
        findings += verify_mart_day(lake, store, file, verified)
    return findings


def differing(lake: Lake, store: MartStore) -> dict[str, tuple[int | None, int | None]]:
    return {
        each.table: (each.lake_rows, each.mart_rows)
        for each in found(lake, store)
        if each.is_difference and each.day == DAY
    }


def change_mart(store: MartStore, change: Callable[[pl.DataFrame], pl.DataFrame]) -> None:
    generation = store.current()
    assert generation is not None
    (file,) = [each for each in generation.files(SUMMARY) if each.day == DAY]
    frame = change(pl.read_parquet(file.path, hive_partitioning=False))
    file.path.unlink()  # it may be linked from another generation
    frame.write_parquet(file.path)


def test_marts_that_agree_are_compared_once(lake: Lake, store: MartStore) -> None:
    first = found(lake, store)
    assert not any(each.is_difference or each.reason for each in first)
    assert [(each.table, each.lake_rows, each.mart_rows) for each in first if each.day == DAY] == [
        (SUMMARY, 2, 2),
        (f"{SUMMARY}.turn_count", 2, 2),
        (f"{SUMMARY}.*_message_count", 2, 2),
        (f"{SUMMARY}.step_count", 4, 4),
    ]
    assert found(lake, store) == []
    assert len(found(lake, store, Span(at("00:00"), at("00:00", NEXT)))) == 4


def test_no_marts_are_no_difference(lake: Lake) -> None:
    assert found(lake, MartStore(lake.data_dir)) == []


def test_marts_older_than_the_lake_are_named_with_what_builds_them(
    lake: Lake, store: MartStore
) -> None:
    hold(lake, "sessions", [{"session_id": "a", "started_at": at("10:00")}])
    (older,) = [each for each in found(lake, store) if each.day == DAY]
    assert (older.table, older.is_difference, older.lake_rows, older.mart_rows) == (
        SUMMARY,
        True,
        1,
        2,
    )
    assert older.reason == "the marts are older than the lake"
    assert older.action == "stdm extract-incremental"
    hold(lake, "sessions", [], day=BEFORE)
    reasons = {each.day: each.reason for each in found(lake, store) if each.is_difference}
    assert reasons[BEFORE] == "its marts were never built"


def test_a_lost_session_is_found(lake: Lake, store: MartStore) -> None:
    change_mart(store, lambda frame: frame.filter(pl.col("session_id") != "a"))
    assert differing(lake, store) == {SUMMARY: (2, 1)}


def test_a_session_that_the_lake_lacks_is_found(lake: Lake, store: MartStore) -> None:
    change_mart(
        store, lambda frame: frame.with_columns(session_id=pl.col("session_id").replace("a", "z"))
    )
    assert differing(lake, store) == {SUMMARY: (2, 2)}


@pytest.mark.parametrize(
    ("column", "table"),
    [
        ("turn_count", "turn_count"),
        ("agent_message_count", "*_message_count"),
        ("step_count", "step_count"),
    ],
)
def test_a_count_that_the_lake_does_not_bear_out_is_found(
    lake: Lake, store: MartStore, column: str, table: str
) -> None:
    change_mart(store, lambda frame: frame.with_columns(pl.col(column) + 1))
    assert list(differing(lake, store)) == [f"{SUMMARY}.{table}"]


@pytest.mark.parametrize("said", [None, "NOT_SET"])
def test_a_message_that_names_no_session_counts_for_that_of_its_turn(
    lake: Lake, store: MartStore, said: str | None
) -> None:
    row = {"message_id": "a-1-m", "interaction_id": "a-1", "message_type": "Input"}
    hold(lake, "messages", [row | {"session_id": said, "sent_at": at("10:05")}])
    publish_quickly(lake, store, [DAY], made=MADE)
    findings = [each for each in found(lake, store) if each.day == DAY]
    assert not any(each.is_difference or each.reason for each in findings)
    assert (f"{SUMMARY}.*_message_count", 2, 2) in [
        (each.table, each.lake_rows, each.mart_rows) for each in findings
    ]


def test_a_message_of_a_turn_before_its_session_counts_for_none(
    lake: Lake, store: MartStore
) -> None:
    turn = {"interaction_id": "early", "session_id": "a", "interaction_type": "TURN"}
    hold(lake, "interactions", [turn | {"started_at": at("10:00", BEFORE)}], day=BEFORE)
    said = {"session_id": "a", "interaction_id": "a-1"}
    lost = {"session_id": None, "interaction_id": "early"}
    hold(
        lake,
        "messages",
        [
            {"message_id": key, "message_type": "Input", "sent_at": at("10:05"), **row}
            for key, row in (("a-1-m", said), ("early-m", lost))
        ],
    )
    publish_quickly(lake, store, [DAY], made=MADE)
    assert differing(lake, store) == {}


def test_what_the_mart_does_not_know_of_a_session_is_no_difference_and_too_much_still_is(
    lake: Lake, store: MartStore
) -> None:
    is_a, turns = pl.col("session_id") == "a", pl.col("turn_count")
    change_mart(store, lambda frame: frame.with_columns(pl.when(~is_a).then(turns)))
    assert differing(lake, store) == {}
    change_mart(store, lambda frame: frame.with_columns(turns + 5))
    assert list(differing(lake, store)) == [f"{SUMMARY}.turn_count"]


def test_children_without_a_session_nearby_are_named_and_no_difference(
    lake: Lake, store: MartStore
) -> None:
    rows = Rows()
    for key in ("c", "gone"):
        rows.turn(key, f"{key}-1", at("08:05", NEXT))
    rows.turn("b", "b-1", at("00:04", NEXT))
    for name in ("interactions", "messages", "steps"):
        hold(lake, name, rows.of[name][NEXT], day=NEXT)
    publish_quickly(lake, store, [DAY, NEXT], made=MADE)
    named = {each.table: each.reason for each in found(lake, store) if each.reason}
    assert not any(each.is_difference for each in found(lake, store, Span(at("00:00"))))
    assert named == {
        "interactions": "1 row without a session within a day before, so no session counts them",
        "messages": "1 row without a session within a day before, so no session counts them",
        "steps": "2 rows without a session within a day before, so no session counts them",
    }


def test_a_session_whose_clock_was_rewritten_counts_under_its_newest_day(
    lake: Lake, store: MartStore
) -> None:
    newer = READ_AT + timedelta(hours=1)
    moved = [{"session_id": key, "started_at": at("08:00", NEXT)} for key in ("b", "c")]
    hold(lake, "sessions", moved, day=NEXT, read_at=newer)
    # The mart holds b under its newest day only, as the models do.
    made = MADE.replace(
        "and {value}", f"and (session_id, date) <> ('b', date '{DAY}') and {{value}}"
    )
    publish_quickly(lake, store, [DAY, NEXT], made=made)
    sessions = next(each for each in found(lake, store) if each.table == SUMMARY)
    assert not sessions.is_difference
    assert sessions.reason == "1 under another day: the clock of the session was rewritten"


def test_a_lake_that_changes_while_marts_are_compared_is_no_difference(
    lake: Lake, store: MartStore
) -> None:
    verified = Verified(lake.data_dir)
    days = mart_days(lake, store, ALL, verified)
    hold(lake, "sessions", [])
    assert verify_mart_day(lake, store, days.to_compare[0], verified) == []
    assert not verified.holds(SUMMARY, DAY, days.to_compare[0].path)


def test_a_mart_that_cannot_be_read_is_named(lake: Lake, store: MartStore) -> None:
    days = mart_days(lake, store, ALL, Verified(lake.data_dir))
    path = days.to_compare[0].path
    path.unlink()
    path.write_bytes(b"PAR1 nothing PAR1")
    (broken,) = [each for each in found(lake, store) if each.is_difference]
    assert broken.day == DAY
    assert "cannot be read" in str(broken.reason)
    hold(lake, "sessions", [{"session_id": "a", "started_at": at("10:00")}])
    (older,) = [each for each in found(lake, store) if each.day == DAY]
    assert (older.lake_rows, older.mart_rows) == (1, None)
