"""Rows that cannot be trusted wait beside the lake, counted, and come back when they are mended."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pytest

from stdm_platform.extraction import (
    DayOutcome,
    Span,
    Verified,
    days_to_verify,
    extract_trees,
    finding_of,
    status_of,
    verify_days,
)
from stdm_platform.extraction.discrepancy import Finding
from stdm_platform.lake import Lake, Window
from stdm_platform_tests.extraction.conversations import NOW as EVENING_NOW
from stdm_platform_tests.extraction.conversations import conversation, org_with, put, tree_keys
from stdm_platform_tests.extraction.fake_org import FakeOrg, FakeResult
from stdm_platform_tests.extraction.world import DAY, NOW, SESSIONS, extract, held, on, rows_of

Row = Mapping[str, Any]


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(tmp_path)


@pytest.fixture(params=["arrow", "json"])
def org(request: pytest.FixtureRequest) -> FakeOrg:
    return FakeOrg(request.param)


def aside(lake: Lake, name: str = "sessions") -> list[dict[str, Any]]:
    """Every row below quarantine/, so that a row that stands there twice shows."""
    files = sorted((lake.folders.quarantine / name).rglob("*.parquet"))
    return [row for path in files for row in pl.read_parquet(path).to_dicts()]


def broken(count: int = 200, **changes: Any) -> list[dict[str, Any]]:
    """Rows of which the first has these values instead."""
    rows = rows_of(SESSIONS, [DAY], count=count)
    rows[0] |= changes
    return rows


def answering(org: FakeOrg, change: Mapping[str, tuple[int, str]]) -> None:
    """Let the org serve columns as text, one row of each with another text."""

    def before(sql: str) -> FakeResult | None:
        if "CAST(?" not in sql:
            return None
        served = org.answer(sql.partition("\nWHERE")[0])._table
        for name, (row, text) in change.items():
            place = served.schema.get_field_index(name)
            texts = served.column(place).cast(pa.string()).to_pylist()
            texts[row] = text
            served = served.set_column(place, name, pa.array(texts, pa.string()))
        types = {"started_at": "TimestampTZ", "ended_at": "TimestampTZ"}
        return FakeResult(served, types, org.transport, sql, 50)

    org.before = before


def verified(org: FakeOrg, lake: Lake) -> list[Finding]:
    wanted = list(days_to_verify(lake, [SESSIONS], Span(), Verified(lake.data_dir)))
    checks = verify_days(org, lake, wanted, Verified(lake.data_dir))
    return [finding_of(each, NOW, lambda window: None) for each in checks]


def counted(outcome: DayOutcome) -> tuple[str, int, int]:
    return outcome.status, outcome.rows, outcome.quarantined


def test_a_row_without_a_key_waits_and_the_day_is_published(org: FakeOrg, lake: Lake) -> None:
    org.put(SESSIONS, broken(session_id=None))
    (outcome,) = extract(org, lake)
    assert counted(outcome) == ("published", 199, 1)
    (row,) = aside(lake)
    assert row["reason"] == "not_null ssot__Id__c"
    assert row["session_id"] is None
    assert row["variable_text"] == "secret words 0"
    assert row["started_at"].startswith("2026-01-14")
    (file,) = outcome.files
    assert file.evidence().quarantined == {"not_null ssot__Id__c": 1}
    assert lake.quarantine_file(file).exists()
    assert outcome.verdict is not None
    told = outcome.verdict.describe()
    assert "ssot__Id__c: 1 rows have no value (not_null), for example (no key). Look" in told
    assert "secret words" not in told
    assert outcome.verdict.rows == outcome.rows + outcome.quarantined == 200


def test_a_text_that_is_no_time_or_number_is_kept_as_it_came(lake: Lake) -> None:
    org = FakeOrg("json")
    org.put(SESSIONS, broken())
    answering(org, {"started_at": (3, "soon"), "ended_at": (7, "31/12/2025")})
    (outcome,) = extract(org, lake)
    assert counted(outcome) == ("published", 198, 2)
    found = {row["reason"]: row for row in aside(lake)}
    assert found["undecodable ssot__StartTimestamp__c"]["started_at"] == "soon"
    assert found["undecodable ssot__EndTimestamp__c"]["ended_at"] == "31/12/2025"
    assert {row["session_id"] for row in found.values()} == {"k3", "k7"}
    assert {"k3", "k7"}.isdisjoint(row["session_id"] for row in held(lake))


def test_a_row_with_two_faults_waits_once_with_both_reasons(lake: Lake) -> None:
    org = FakeOrg("json")
    org.put(SESSIONS, broken(session_id=None))
    answering(org, {"started_at": (0, "soon")})
    (outcome,) = extract(org, lake)
    assert counted(outcome) == ("published", 199, 1)
    (row,) = aside(lake)
    assert row["reason"] == "not_null ssot__Id__c, undecodable ssot__StartTimestamp__c"


def test_a_mended_row_comes_back_and_its_quarantine_file_goes(org: FakeOrg, lake: Lake) -> None:
    org.put(SESSIONS, broken(session_id=None))
    extract(org, lake)
    org.put(SESSIONS, broken())
    (outcome,) = extract(org, lake, again=True)
    assert counted(outcome) == ("published", 200, 0)
    assert outcome.changed
    assert not lake.folders.quarantine_day("sessions", DAY).exists()


def test_another_reading_replaces_the_quarantine_of_its_window_only(lake: Lake) -> None:
    org = FakeOrg()
    rows = rows_of(SESSIONS, [DAY], count=40)
    for place, row in enumerate(rows):
        row["started_at"] = on(DAY, 6 if place < 20 else 18)
    rows[0]["session_id"] = rows[39]["session_id"] = None
    org.put(SESSIONS, rows)
    halves = [window(0, 12), window(12, 24)]
    for half in halves:
        extract(org, lake, windows=[half])
    assert len(aside(lake)) == 2
    extract(org, lake, windows=[halves[0]], again=True)
    assert len(aside(lake)) == 2
    rows[39]["session_id"] = "mended"
    org.put(SESSIONS, rows)
    extract(org, lake, windows=[halves[1]], again=True)
    assert len(aside(lake)) == 1
    assert len(held(lake)) == 39


def window(first: int, last: int) -> Window:
    return Window(on(DAY, first), on(DAY, last))


def test_above_the_limit_the_day_is_refused_and_what_was_held_stays(
    org: FakeOrg, lake: Lake
) -> None:
    org.put(SESSIONS, broken(session_id=None))
    extract(org, lake)
    before = aside(lake), held(lake)
    rows = rows_of(SESSIONS, [DAY], count=200)
    for row in rows[:11]:
        row["session_id"] = None
    org.put(SESSIONS, rows)
    (outcome,) = extract(org, lake, again=True)
    assert counted(outcome) == ("refused", 200, 0)
    said = "11 of 200 rows cannot be trusted, 10 may be kept aside"
    assert said in outcome.describe()
    assert (aside(lake), held(lake)) == before
    (mended,) = extract(org, lake, again=True, limit=0.06)
    assert counted(mended) == ("published", 189, 11)


def test_verify_finds_a_day_with_quarantine_equal_to_its_source(org: FakeOrg, lake: Lake) -> None:
    org.put(SESSIONS, broken(session_id=None))
    extract(org, lake)
    (found,) = verified(org, lake)
    assert not found.is_difference, found.reason
    assert (found.source_rows, found.lake_rows, found.quarantined_rows) == (200, 199, 1)
    assert (found.difference, found.reason) == (0, "1 row in quarantine")


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda rows: rows[0].update(variable_text="other words"), "rows were rewritten"),
        (lambda rows: rows[5].update(variable_text="other words"), "rows were rewritten"),
        (lambda rows: rows.pop(0), "1 row deleted at the source"),
        (lambda rows: rows.append({**rows[1], "session_id": None}), "1 row landed"),
        (lambda rows: rows.append({**rows[1]}), "1 row with a repeated key"),
    ],
)
def test_verify_still_sees_what_changed_beside_and_within_the_quarantine(
    lake: Lake, change: Any, told: str
) -> None:
    org, rows = FakeOrg(), broken(session_id=None)
    org.put(SESSIONS, rows)
    extract(org, lake)
    change(rows)
    org.put(SESSIONS, rows)
    (found,) = verified(org, lake)
    assert found.is_difference
    assert told in str(found.reason)


@pytest.mark.parametrize("loss", [Path.unlink, lambda path: path.write_bytes(b"PAR1")])
def test_a_lost_quarantine_file_is_told_and_a_reading_makes_it_anew(lake: Lake, loss: Any) -> None:
    org = FakeOrg()
    org.put(SESSIONS, broken(session_id=None))
    (outcome,) = extract(org, lake)
    loss(lake.quarantine_file(outcome.files[0]))
    (found,) = verified(org, lake)
    assert found.is_difference
    assert "does not hold the rows that were written" in str(found.reason)
    extract(org, lake, again=True)
    assert not verified(org, lake)[0].is_difference


def test_the_status_counts_what_waits(lake: Lake) -> None:
    org = FakeOrg()
    org.put(SESSIONS, broken(session_id=None))
    extract(org, lake)
    (found,) = status_of(lake, start=DAY, now=NOW, dmos=[SESSIONS])
    assert (found.rows, found.quarantined) == (199, 1)


def keyless(session: str) -> dict[str, Sequence[Row]]:
    rows: dict[str, Any] = conversation(session)
    rows["steps"][0]["step_id"] = None
    rows["messages"][1]["sent_at"] = None
    return rows


@pytest.mark.parametrize("transport", ["arrow", "json"])
def test_whole_sessions_keep_untrusted_rows_in_their_reading(lake: Lake, transport: str) -> None:
    org = org_with("one", transport=transport)
    put(org, keyless("one"))
    outcome = extract_trees(org, lake, ["one"], now=EVENING_NOW)
    assert outcome.found == ("one",)
    assert {name: count.quarantined for name, count in outcome.tables.items()} == {
        name: int(name in ("steps", "messages")) for name in outcome.tables
    }
    (reading,) = outcome.readings
    waiting = {path.stem: pl.read_parquet(path) for path in reading.aside.iterdir()}
    assert {name: frame.height for name, frame in waiting.items()} == {"steps": 1, "messages": 1}
    assert reading.evidence()["steps"].quarantined == {"not_null ssot__Id__c": 1}
    put(org, conversation("one"))
    mended = extract_trees(org, lake, ["one"], now=EVENING_NOW)
    assert not mended.readings[0].aside.exists()
    assert len(tree_keys(lake, "one")["steps"]) == len(conversation("one")["steps"])


def no_utf8(texts: pa.Array) -> pa.Array:
    """The texts, the first one cut in the middle of a letter."""
    plain = texts.cast(pa.binary()).to_pylist()
    served = pa.array([b"caf\xc3", *plain[1:]], pa.binary())
    validity, offsets, letters = served.buffers()
    return pa.StringArray.from_buffers(len(served), offsets, letters, validity)


@pytest.mark.parametrize("column", ["variable_text", "session_id"])
def test_a_text_that_is_no_utf8_is_kept_aside_and_the_others_can_be_read(
    lake: Lake, monkeypatch: pytest.MonkeyPatch, column: str
) -> None:
    org = FakeOrg("arrow")
    org.put(SESSIONS, rows_of(SESSIONS, [DAY], count=20))
    batches = FakeResult.batches

    def cut(result: FakeResult) -> Any:
        for number, batch in enumerate(batches(result)):
            names = batch.schema.names
            if number or column not in names:
                yield batch
                continue
            place = names.index(column)
            arrays = [no_utf8(each) if at == place else each for at, each in enumerate(batch)]
            yield pa.RecordBatch.from_arrays(arrays, names=names)

    monkeypatch.setattr(FakeResult, "batches", cut)
    (outcome,) = extract(org, lake)
    assert (outcome.status, outcome.rows, outcome.quarantined) == ("published", 19, 1)
    assert len(held(lake)) == 19
    (row,) = aside(lake)
    assert row["reason"].startswith("undecodable ")
    assert row[column] == "caf\N{REPLACEMENT CHARACTER}"
