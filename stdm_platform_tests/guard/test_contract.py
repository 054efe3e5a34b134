from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from stdm_platform.catalog import DMOS, Dmo, arrow_schema, dmo
from stdm_platform.guard import Contract, Verdict
from stdm_platform_tests.guard.batches import NOON, WINDOW, batch, rows, sources

SESSIONS, STEPS, MESSAGES = dmo("sessions"), dmo("steps"), dmo("messages")
MILLISECOND = timedelta(milliseconds=1)


def verdict_on(entry: Dmo, *batches: pa.RecordBatch, held: tuple[Path, ...] = ()) -> Verdict:
    with Contract(entry, WINDOW, sources(entry)) as contract:
        for each in batches:
            contract.check(each)
        return contract.conclude(held)


def told(verdict: Verdict) -> list[tuple[str, str, int, tuple[str, ...]]]:
    return [(each.check, each.column, each.count, each.keys) for each in verdict.failures]


@pytest.mark.parametrize("entry", DMOS, ids=lambda entry: entry.name)
def test_whole_rows_of_every_dmo_pass(entry: Dmo) -> None:
    verdict = verdict_on(entry, batch(entry), batch(entry, rows(entry, 5, first=5)))
    assert verdict.passed
    assert (verdict.rows, verdict.unseen) == (10, {})
    assert "10 rows keep the contract" in verdict.describe()


def test_an_empty_window_passes() -> None:
    assert verdict_on(SESSIONS).passed
    assert verdict_on(SESSIONS, batch(SESSIONS, [])).passed


@pytest.mark.parametrize("entry", DMOS, ids=lambda entry: entry.name)
def test_a_null_in_each_required_column_fails_with_its_source_name(entry: Dmo) -> None:
    for column in entry.columns:
        if column.required:
            verdict = verdict_on(entry, batch(entry, **{column.name: None}))
            key = "(no key)" if column.name == entry.key else "k0"
            assert told(verdict) == [("not_null", column.source, 1, (key,))]


def test_a_null_in_an_optional_column_passes() -> None:
    assert verdict_on(SESSIONS, batch(SESSIONS, ended_at=None, channel_type=None)).passed


@pytest.mark.parametrize("clock", [WINDOW.start - MILLISECOND, WINDOW.end])
def test_a_clock_outside_the_window_fails(clock: object) -> None:
    verdict = verdict_on(SESSIONS, batch(SESSIONS, started_at=clock))
    assert told(verdict) == [("clock_in_window", "ssot__StartTimestamp__c", 1, ("k0",))]


@pytest.mark.parametrize("clock", [WINDOW.start, WINDOW.end - MILLISECOND])
def test_a_clock_on_the_edge_of_the_window_passes(clock: object) -> None:
    assert verdict_on(SESSIONS, batch(SESSIONS, started_at=clock)).passed


def test_a_key_repeated_in_one_batch_counts_the_surplus_rows() -> None:
    given = rows(SESSIONS, 6)
    for number in (1, 2):
        given[number]["session_id"] = "k0"
    verdict = verdict_on(SESSIONS, batch(SESSIONS, given))
    assert told(verdict) == [("unique_key", "ssot__Id__c", 2, ("k0",))]


def test_a_key_repeated_across_batches_fails() -> None:
    verdict = verdict_on(SESSIONS, batch(SESSIONS), batch(SESSIONS, rows(SESSIONS, 3, first=4)))
    assert told(verdict) == [("unique_key", "ssot__Id__c", 1, ("k4",))]


def test_a_key_that_another_window_of_the_day_holds_fails(tmp_path: Path) -> None:
    held = tmp_path / "held.parquet"
    pq.write_table(pa.Table.from_batches([batch(SESSIONS, rows(SESSIONS, 3, first=4))]), held)
    verdict = verdict_on(SESSIONS, batch(SESSIONS), held=(held,))
    assert told(verdict) == [("unique_key", "ssot__Id__c", 1, ("k4",))]
    assert "1 of them in other windows of the day" in verdict.describe()


def test_keys_that_only_share_a_hash_pass(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def five_hashes(keys: pl.Series) -> pl.Series:
        return keys.str.len_chars().cast(pl.UInt64)

    monkeypatch.setattr(pl.Series, "hash", five_hashes)
    held = tmp_path / "held.parquet"
    pq.write_table(pa.Table.from_batches([batch(SESSIONS, rows(SESSIONS, 9, first=9))]), held)
    assert verdict_on(SESSIONS, batch(SESSIONS, rows(SESSIONS, 9)), held=(held,)).passed
    repeated = batch(SESSIONS, [*rows(SESSIONS, 9), *rows(SESSIONS, 1)])
    assert told(verdict_on(SESSIONS, repeated, held=(held,)))[0][2:] == (1, ("k0",))


def test_keys_beyond_memory_wait_in_a_file_without_a_name(tmp_path: Path) -> None:
    given = [dict(row) for row in rows(SESSIONS, 200)]
    for number, row in enumerate(given):
        row["session_id"] = f"{number:050000}"
    with Contract(SESSIONS, WINDOW, sources(SESSIONS), spool_folder=tmp_path) as contract:
        contract.check(batch(SESSIONS, given))
        contract.check(batch(SESSIONS, given[:1]))
        assert not list(tmp_path.iterdir())
        assert contract.conclude().failures[0].count == 1


def test_a_served_type_of_another_kind_fails_with_all_rows() -> None:
    types = {"started_at": "Varchar", "channel_type": "Numeric(18,2)", "end_type": "Varchar"}
    with Contract(SESSIONS, WINDOW, sources(SESSIONS), types) as contract:
        contract.check(batch(SESSIONS))
        verdict = contract.conclude()
    assert told(verdict) == [
        ("column_type", "ssot__StartTimestamp__c", 5, ()),
        ("column_type", "ssot__AiAgentChannelType__c", 5, ()),
    ]
    assert "Varchar instead of timestamp" in verdict.describe()


def test_a_batch_of_another_type_fails_though_nobody_said_so() -> None:
    odd = batch(SESSIONS)
    odd = odd.set_column(1, "started_at", odd.column(1).cast(pa.timestamp("ms")))
    assert told(verdict_on(SESSIONS, odd)) == [("column_type", "ssot__StartTimestamp__c", 5, ())]


def test_a_batch_without_a_column_fails() -> None:
    verdict = verdict_on(SESSIONS, batch(SESSIONS).drop_columns(["channel_type"]))
    assert ("column_type", "ssot__AiAgentChannelType__c", 5, ()) in told(verdict)


def test_an_undecodable_clock_is_told_once() -> None:
    marks = pa.array([True, False, False, False, False])
    with Contract(SESSIONS, WINDOW, sources(SESSIONS)) as contract:
        contract.check(batch(SESSIONS, started_at=None), {"started_at": marks})
        verdict = contract.conclude()
    assert told(verdict) == [("undecodable", "ssot__StartTimestamp__c", 1, ("k0",))]


def test_failures_add_up_over_batches_with_ten_keys_at_most() -> None:
    given = rows(SESSIONS, 8)
    for row in given:
        row["started_at"] = WINDOW.end
    later = [{**row, "session_id": f"later {row['session_id']}"} for row in given]
    failure = verdict_on(SESSIONS, batch(SESSIONS, given), batch(SESSIONS, later)).failures[0]
    assert failure.count == 16
    assert failure.keys == (*(f"k{n}" for n in range(8)), "later k0", "later k1")


def test_each_failure_is_a_sentence_with_place_count_and_next_action() -> None:
    broken = batch(SESSIONS, started_at=None, session_id="k1")
    lines = verdict_on(SESSIONS, broken).describe().splitlines()
    assert lines == [
        "sessions of 2026-01-14: ssot__StartTimestamp__c: 1 rows have no value (not_null), for "
        "example k1. Look the rows up by key in Data 360; mend the stream that writes them, then "
        "extract the day again.",
        "sessions of 2026-01-14: ssot__Id__c: 1 surplus rows repeat a key that the day already has "
        "(unique_key), for example k1. Extract the whole day again; if it stays, two streams write "
        "the same rows: mend them.",
    ]


def test_no_text_stands_in_a_verdict() -> None:
    given = [{**row, "interaction_id": None, "sent_at": WINDOW.end} for row in rows(MESSAGES)]
    given[1]["message_id"] = "k0"
    verdict = verdict_on(MESSAGES, batch(MESSAGES, given))
    assert len(verdict.failures) == 3
    assert "secret words" not in f"{verdict} {verdict.as_dict()} {verdict.describe()}"


def test_unseen_values_warn_as_served_and_do_not_block() -> None:
    given = rows(STEPS, 6)
    for row, value in zip(
        given, ["NEW_STEP", "NEW_STEP", "", "NOT_SET", "None", None], strict=True
    ):
        row["step_type"] = value
    verdict = verdict_on(STEPS, batch(STEPS, given))
    assert verdict.passed
    assert verdict.unseen == {"ssot__AiAgentInteractionStepType__c": {"NEW_STEP": 2}}
    assert "NEW_STEP (2)" in verdict.describe_unseen()


def test_a_vocabulary_that_became_free_values_is_counted_in_bounded_memory() -> None:
    given = rows(STEPS, 300)
    for number, row in enumerate(given):
        row["step_type"] = f"free {number}"
    unseen = verdict_on(STEPS, batch(STEPS, given)).unseen["ssot__AiAgentInteractionStepType__c"]
    assert sum(unseen.values()) == 300
    assert len(unseen) == 101


def test_columns_that_were_not_asked_for_bring_no_news() -> None:
    known = {name: source for name, source in sources(STEPS).items() if name != "step_type"}
    with Contract(STEPS, WINDOW, known) as contract:
        contract.check(batch(STEPS, step_type="NEW_STEP"))
        assert contract.conclude().unseen == {}


def test_the_environment_cannot_switch_the_contract_off(monkeypatch: pytest.MonkeyPatch) -> None:
    from pandera.config import CONFIG, ValidationDepth, config_context

    monkeypatch.setattr(CONFIG, "validation_enabled", False)
    with config_context(validation_enabled=False, validation_depth=ValidationDepth.SCHEMA_ONLY):
        assert not verdict_on(SESSIONS, batch(SESSIONS, started_at=None)).passed


def test_the_schema_is_the_catalogs() -> None:
    assert batch(SESSIONS).schema.names == arrow_schema(SESSIONS).names
    assert WINDOW.start <= NOON < WINDOW.end
