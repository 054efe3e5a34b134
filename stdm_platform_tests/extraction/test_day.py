from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from stdm_platform.catalog import DMOS, Column, Dmo
from stdm_platform.errors import ArgumentError, IncompleteResultError, LakeError, QueryExpiredError
from stdm_platform.extraction import count_rows, extract_day, look
from stdm_platform.extraction.backfill import _HaltedError
from stdm_platform.extraction.reading import QUERIES_PER_WINDOW
from stdm_platform.lake import Lake, Window, checksum_of_file
from stdm_platform_tests.extraction.fake_org import FakeOrg, FakeResult
from stdm_platform_tests.extraction.world import (
    DAY,
    NOW,
    SESSIONS,
    STEPS,
    extract,
    held,
    on,
    rows_of,
)


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(tmp_path)


@pytest.fixture
def org() -> FakeOrg:
    fake = FakeOrg()
    fake.put(SESSIONS, rows_of(SESSIONS, [DAY]))
    return fake


@pytest.mark.parametrize("entry", DMOS, ids=lambda entry: entry.name)
def test_both_transports_give_the_same_lake_rows(entry: Dmo, tmp_path: Path) -> None:
    given = rows_of(entry, [DAY], count=10)
    given[3] |= {column.name: None for column in entry.columns if not column.required}
    seen, sums = [], []
    for transport in ("arrow", "json"):
        org, lake = FakeOrg(transport), Lake(tmp_path / transport)
        org.put(entry, given)
        (outcome,) = extract(org, lake, entry)
        assert outcome.status == "published", outcome.describe()
        seen.append(held(lake, entry))
        sums.append(outcome.files[0].evidence().checksum)
    assert seen[0] == seen[1] == sorted(given, key=lambda row: str(row[entry.key]))
    assert sums[0] == sums[1]


def test_an_outcome_carries_what_is_shown(org: FakeOrg, lake: Lake) -> None:
    (outcome,) = extract(org, lake)
    (file,) = lake.windows("sessions", DAY)
    assert outcome.files == (file,)
    assert outcome.windows == (Window.of_day(DAY),)
    assert (outcome.rows, outcome.rows_processed) == (5, 10)
    assert outcome.bytes == file.path.stat().st_size
    assert outcome.changed
    assert outcome.describe() == "sessions of 2026-01-14: 5 rows published."
    assert outcome.seconds > 0
    assert outcome.verdict is not None
    assert outcome.verdict.passed
    assert outcome.preview[0]["started_at"] == "2026-01-14T12:00:00.000Z"
    assert len(outcome.preview) == 3  # of the first batch


def test_a_preview_holds_no_text_and_no_person(org: FakeOrg, lake: Lake) -> None:
    (outcome,) = extract(org, lake)
    shown = set(outcome.preview[0])
    assert shown == {c.name for c in SESSIONS.columns if c.sensitivity == "none"}
    assert "variable_text" not in shown
    assert "session_owner_id" not in shown


def test_the_footer_tells_the_reading(org: FakeOrg, lake: Lake) -> None:
    org.put(SESSIONS, rows_of(SESSIONS, [DAY]), without=["variable_text"])
    extract(org, lake, now=on(DAY, 24 + 7 * 24))
    evidence = lake.windows("sessions", DAY)[0].evidence()
    assert (evidence.rows, evidence.org_id, evidence.settled) == (5, org.org_id, True)
    assert evidence.absent_columns == ("ssot__VariableText__c",)
    assert (evidence.min_clock, evidence.max_clock) == (on(DAY), on(DAY) + timedelta(seconds=4))
    (reading,) = evidence.readings
    assert (reading.transport, reading.rows_processed) == ("arrow", 10)
    assert reading.read_at == on(DAY, 24 + 7 * 24)


def test_a_reading_before_the_settle_time_is_open(org: FakeOrg, lake: Lake) -> None:
    extract(org, lake, now=on(DAY, 24 + 7 * 24) - timedelta(milliseconds=1))
    assert not lake.windows("sessions", DAY)[0].settled


def test_an_empty_day_is_held_as_an_empty_file(org: FakeOrg, lake: Lake) -> None:
    org.put(SESSIONS, [])
    (outcome,) = extract(org, lake)
    assert (outcome.status, outcome.rows) == ("published", 0)
    assert lake.windows("sessions", DAY)[0].evidence().rows == 0


def test_a_day_read_twice_is_the_same_day(org: FakeOrg, lake: Lake) -> None:
    (first,) = extract(org, lake)
    (second,) = extract(org, lake)
    assert (first.changed, second.changed) == (True, False)
    assert len(lake.windows("sessions", DAY)) == 1
    assert len(lake.windows("sessions", DAY)[0].evidence().readings) == 2
    assert first.files[0].path.name != second.files[0].path.name


BROKEN: list[tuple[str, dict[str, Any], str]] = [
    ("unique_key", {"session_id": "k1"}, "ssot__Id__c"),
    ("not_null", {"session_id": None}, "ssot__Id__c"),
]


@pytest.mark.parametrize(("check", "change", "column"), BROKEN)
def test_a_refused_day_keeps_its_old_rows(
    org: FakeOrg, lake: Lake, check: str, change: dict[str, Any], column: str
) -> None:
    extract(org, lake)
    before = [file.path.name for file in lake.windows("sessions", DAY)]
    broken = rows_of(SESSIONS, [DAY])
    broken[0] |= change
    org.put(SESSIONS, broken)
    (outcome,) = extract(org, lake, limit=0)
    assert outcome.status == "refused"
    assert outcome.verdict is not None
    assert [(f.check, f.column, f.count) for f in outcome.verdict.failures] == [(check, column, 1)]
    assert outcome.describe().startswith(f"sessions of 2026-01-14: {column}: 1 ")
    assert [file.path.name for file in lake.windows("sessions", DAY)] == before
    (refused,) = outcome.refused_files
    told = refused.with_suffix(".json").read_text()
    assert json.loads(told)["details"]["failures"][0]["check"] == check
    assert "secret words" not in told


def test_a_clock_served_as_text_is_refused_even_if_it_can_be_read(org: FakeOrg, lake: Lake) -> None:
    org.types = {"started_at": "Varchar"}
    (outcome,) = extract(org, lake)
    assert outcome.status == "refused"
    assert "ssot__StartTimestamp__c: 5 rows were served with another type" in outcome.describe()
    assert "Varchar instead of timestamp" in outcome.describe()


def answered_with(org: FakeOrg, change: Any) -> None:
    """Let the org answer window queries with a changed table."""

    def before(sql: str) -> FakeResult | None:
        if "CAST(?" not in sql:
            return None
        table = change(org.answer(sql.partition("\nWHERE")[0])._table)
        return FakeResult(table, {"started_at": "TimestampTZ"}, org.transport, sql, 3)

    org.before = before


def replaced(table: pa.Table, name: str, values: pa.Array) -> pa.Table:
    return table.set_column(table.schema.get_field_index(name), name, values)


def test_rows_outside_the_window_that_was_asked_for_are_refused(org: FakeOrg, lake: Lake) -> None:
    late = pa.array([on(DAY, 12 + 6 * n) for n in range(5)], pa.timestamp("us", tz="UTC"))
    answered_with(org, lambda table: replaced(table, "started_at", late))
    (outcome,) = extract(org, lake)
    assert "ssot__StartTimestamp__c: 3 rows have a time outside" in outcome.describe()
    assert lake.windows("sessions", DAY) == []


def test_too_many_undecodable_clocks_are_refused_and_their_rows_kept(
    org: FakeOrg, lake: Lake
) -> None:
    texts = pa.array(["2026-01-14T12:00:00Z"] * 2 + ["soon"] * 3)
    answered_with(org, lambda table: replaced(table, "started_at", texts))
    (outcome,) = extract(org, lake)
    assert "3 rows have a value that cannot be read" in outcome.describe()
    assert outcome.verdict is not None
    assert [failure.check for failure in outcome.verdict.failures] == ["undecodable"]
    refused = pa.parquet.read_table(outcome.refused_files[0], partitioning=None)
    assert refused.num_rows == 2
    aside = pa.parquet.read_table(
        outcome.refused_files[0].with_name(f"{outcome.refused_files[0].stem}_quarantine.parquet"),
        partitioning=None,
    )
    assert aside.column("started_at").to_pylist() == ["soon"] * 3


def test_without_text_no_text_column_is_asked_for_or_held(org: FakeOrg, lake: Lake) -> None:
    (outcome,) = extract(org, lake, text="none")
    assert outcome.status == "published"
    assert "VariableText" not in org.sql[-1]
    assert {row["variable_text"] for row in held(lake)} == {None}
    assert outcome.absent_columns == ()


def test_held_windows_that_are_touched_are_read_again_whole(org: FakeOrg, lake: Lake) -> None:
    extract(org, lake, windows=[Window(on(DAY, 0), on(DAY, 13))])
    (outcome,) = extract(org, lake, windows=[Window(on(DAY, 12.5), on(DAY, 24))])
    assert outcome.windows == (Window.of_day(DAY),)
    assert len(held(lake)) == 5


def test_windows_that_touch_the_same_held_one_become_one(org: FakeOrg, lake: Lake) -> None:
    extract(org, lake, windows=[Window(on(DAY, 4), on(DAY, 20))])
    asked = [Window(on(DAY, 2), on(DAY, 5)), Window(on(DAY, 18), on(DAY, 22))]
    (outcome,) = extract(org, lake, windows=asked)
    assert outcome.windows == (Window(on(DAY, 2), on(DAY, 22)),)


def test_a_held_window_that_ends_after_the_clock_is_refused_before_anything_is_asked(
    org: FakeOrg, lake: Lake
) -> None:
    extract(org, lake)
    org.sql.clear()
    with pytest.raises(ArgumentError, match=r"sessions of 2026-01-14: .* --now") as raised:
        extract(org, lake, windows=[Window(on(DAY, 0), on(DAY, 6))], now=on(DAY, 6))
    assert raised.value.exit_code == 4
    assert not [sql for sql in org.sql if "CAST(?" in sql]


def test_windows_of_a_day_that_do_not_meet_are_held_side_by_side(org: FakeOrg, lake: Lake) -> None:
    windows = [Window(on(DAY, 0), on(DAY, 6)), Window(on(DAY, 12), on(DAY, 18))]
    (outcome,) = extract(org, lake, windows=windows)
    assert outcome.windows == tuple(windows)
    assert [file.window for file in lake.windows("sessions", DAY)] == windows
    assert (outcome.rows, outcome.rows_processed) == (5, 10)


def test_a_rewritten_clock_is_found_by_reading_its_windows_together(
    org: FakeOrg, lake: Lake
) -> None:
    extract(org, lake, windows=[Window(on(DAY, 0), on(DAY, 13))])
    moved = rows_of(SESSIONS, [DAY])
    moved[0]["started_at"] = on(DAY, 20)
    org.put(SESSIONS, moved)
    (outcome,) = extract(org, lake, windows=[Window(on(DAY, 18), on(DAY, 24))])
    assert outcome.status == "published", outcome.describe()
    assert outcome.windows == (Window.of_day(DAY),)
    assert held(lake) == moved


@pytest.mark.parametrize(
    ("hour", "moved_to", "asked", "read", "billed"),
    [
        (12, 20, [(0, 6), (18, 24)], [(0, 24)], 2 + 4),
        (12, 20, [(18, 21), (21, 24)], [(0, 24)], 4),
        (15, 8, [(6, 13), (13, 18)], [(6, 13), (13, 18)], 2),
    ],
    ids=["after another", "before another", "from one into another"],
)
def test_a_rewritten_clock_is_found_though_other_windows_of_the_day_are_read_too(
    lake: Lake,
    hour: float,
    moved_to: float,
    asked: list[tuple[float, float]],
    read: list[tuple[float, float]],
    billed: int,
) -> None:
    org, (row, other) = FakeOrg(), rows_of(SESSIONS, [DAY], 2)
    other["started_at"], row["started_at"] = on(DAY, 1), on(DAY, hour)
    org.put(SESSIONS, [row, other])
    extract(
        org, lake, windows=[Window(on(DAY, a), on(DAY, b)) for a, b in [(0, 6), (6, 13), (13, 18)]]
    )
    row["started_at"] = on(DAY, moved_to)
    org.put(SESSIONS, [row, other])
    (outcome,) = extract(org, lake, windows=[Window(on(DAY, a), on(DAY, b)) for a, b in asked])
    assert outcome.status == "published", outcome.describe()
    assert [(w.start, w.end) for w in outcome.windows] == [
        (on(DAY, a), on(DAY, b)) for a, b in read
    ]
    assert held(lake) == sorted([row, other], key=lambda each: each["session_id"])
    assert all(file.path.exists() for file in outcome.files)
    assert outcome.rows == min(2, billed / 2)
    assert outcome.rows_processed == billed, "what was read and replaced was billed too"


def test_a_key_that_really_stands_twice_in_the_day_is_refused(org: FakeOrg, lake: Lake) -> None:
    extract(org, lake, windows=[Window(on(DAY, 0), on(DAY, 13))])
    twice = rows_of(SESSIONS, [DAY])
    org.put(SESSIONS, [*twice, {**twice[0], "started_at": on(DAY, 20)}])
    (outcome,) = extract(org, lake, windows=[Window(on(DAY, 18), on(DAY, 24))])
    assert outcome.status == "refused"
    assert "1 surplus rows" in outcome.describe()
    assert held(lake) == twice


def losing(org: FakeOrg, times: int) -> None:
    """Lose the query in the middle of the window, this many times."""
    lost = iter(range(times))

    class Lost(FakeResult):
        def batches(self) -> Iterator[pa.RecordBatch]:
            yield next(super().batches())
            raise QueryExpiredError("gone", action="Again.")

    def before(sql: str) -> FakeResult | None:
        if "CAST(?" in sql and next(lost, None) is not None:
            table = org.answer(sql.partition("\nWHERE")[0])._table
            return Lost(table, {}, "arrow", sql, 2)
        return None

    org.before = before


def test_a_lost_query_starts_the_window_again(org: FakeOrg, lake: Lake) -> None:
    losing(org, 2)
    (outcome,) = extract(org, lake)
    assert outcome.status == "published"
    assert len(held(lake)) == 5
    texts = [sql for sql in org.sql if "CAST(?" in sql]
    assert len(texts) == len(set(texts)) == 3


def test_a_query_lost_every_time_fails_the_day_and_leaves_it(org: FakeOrg, lake: Lake) -> None:
    extract(org, lake)
    before = held(lake)
    losing(org, QUERIES_PER_WINDOW)
    (outcome,) = extract(org, lake)
    assert isinstance(outcome.error, QueryExpiredError)
    assert str(outcome.error) == "sessions of 2026-01-14: gone Again."
    assert held(lake) == before
    assert not list((lake.data_dir / "staging").glob("*/*.parquet"))


def test_rows_that_do_not_add_up_fail_the_day(org: FakeOrg, lake: Lake) -> None:
    def before(sql: str) -> FakeResult | None:
        if "CAST(?" not in sql:
            return None
        result = FakeResult(org.answer(sql.partition("\nWHERE")[0])._table, {}, "arrow", sql, 3)
        result.row_count = 6
        return result

    org.before = before
    (outcome,) = extract(org, lake)
    assert isinstance(outcome.error, IncompleteResultError)
    assert "5 rows arrived of 6" in str(outcome.error)
    assert lake.windows("sessions", DAY) == []


def test_the_day_is_never_whole_in_memory(org: FakeOrg, lake: Lake) -> None:
    """Each batch is written before the next one is asked for."""
    shape = look(org, SESSIONS)
    assert shape is not None
    written: list[int] = []
    real_stage = lake.stage

    def stage(dmo: Dmo, window: Window) -> Any:
        staged = real_stage(dmo, window)
        real_write = staged.write
        staged.write = lambda batch: (written.append(batch.batch.num_rows), real_write(batch))[1]  # type: ignore[method-assign,return-value,assignment]
        return staged

    class Watched(FakeResult):
        def batches(self) -> Iterator[pa.RecordBatch]:
            for place, batch in enumerate(super().batches()):
                assert len(written) == place
                yield batch

    lake.stage = stage  # type: ignore[method-assign]
    org.before = lambda sql: Watched(
        org.answer(sql.partition("\nWHERE")[0])._table, {}, "arrow", sql, 2
    )
    extract_day(org, lake, shape, [Window.of_day(DAY)], now=NOW)
    assert written == [2, 2, 1]


def test_a_halted_reading_leaves_nothing(org: FakeOrg, lake: Lake) -> None:
    shape = look(org, SESSIONS)
    assert shape is not None
    asked = iter(range(2))

    def halted() -> None:
        if next(asked, None) is None:
            raise _HaltedError

    with pytest.raises(_HaltedError):
        extract_day(org, lake, shape, [Window.of_day(DAY)], now=NOW, halted=halted)
    assert lake.windows("sessions", DAY) == []
    assert not list((lake.data_dir / "staging").glob("*/*"))


def test_a_full_disk_is_told_with_the_place(
    org: FakeOrg, lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("stdm_platform.guard.keys.KeyLedger.add", full)
    (outcome,) = extract(org, lake)
    assert isinstance(outcome.error, LakeError)
    assert str(outcome.error).startswith("sessions of 2026-01-14: The disk refused")


def test_counting_asks_the_org(org: FakeOrg) -> None:
    shape = look(org, SESSIONS)
    assert shape is not None
    assert count_rows(org, shape, Window.of_day(DAY)) == 5
    assert count_rows(org, shape, Window(on(DAY, 0), on(DAY, 12))) == 0
    assert org.sql[-1] != org.sql[-2]


def test_a_new_dmo_is_one_entry(tmp_path: Path) -> None:
    entry = Dmo(
        name="feedback",
        label="",
        objects=("GenAIFeedback__dlm",),
        key="feedback_id",
        clock="given_at",
        parent=None,
        description="One row per feedback.",
        columns=(
            Column("feedback_id", "feedbackId__c", "text", "", required=True),
            Column("given_at", "timestamp__c", "timestamp", "", required=True),
            Column("score", "value__c", "number", ""),
            Column("is_good", "good__c", "boolean", ""),
        ),
    )
    org, lake = FakeOrg("json"), Lake(tmp_path, dmos=(entry,))
    given = [{"feedback_id": "f", "given_at": on(DAY), "score": 0.3, "is_good": True}]
    org.put(entry, given)
    (outcome,) = extract(org, lake, entry)
    assert outcome.status == "published"
    assert held(lake, entry) == given
    assert checksum_of_file(outcome.files[0].path) == outcome.files[0].evidence().checksum


def test_values_are_kept_as_served(lake: Lake) -> None:
    org = FakeOrg("json")
    given = rows_of(STEPS, [DAY], count=1)
    given[0] |= {"step_type": "NOT_SET", "error_message_text": "None", "generation_id": ""}
    org.put(STEPS, given)
    extract(org, lake, STEPS)
    assert held(lake, STEPS) == given
