"""Whole sessions: everything of them is found, nothing else, and no day knows of it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from stdm_platform.catalog import DMOS, Column, Dmo, dmo
from stdm_platform.data360 import Parameter
from stdm_platform.errors import (
    ArgumentError,
    IncompleteResultError,
    ObjectNotFoundError,
    QueryExpiredError,
    UnavailableError,
    WrongOrgError,
)
from stdm_platform.extraction import (
    TreeRequest,
    TreesOutcome,
    extract_trees,
    plan_now,
    planned_queries,
    session_ids,
    status_of,
    tree_reading,
    trees,
)
from stdm_platform.lake import Lake
from stdm_platform_tests.extraction.conversations import (
    EVENING,
    NOW,
    all_rows,
    conversation,
    files_of,
    keys_of,
    org_with,
    put,
    together,
    tree_keys,
)
from stdm_platform_tests.extraction.fake_org import FakeOrg, FakeResult
from stdm_platform_tests.extraction.world import DAY, extract
from stdm_platform_tests.session_objects import SESSION_DMOS

STEPS, MESSAGES = dmo("steps"), dmo("messages")


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(tmp_path / "data")


def read(org: FakeOrg, lake: Lake, *sessions: str, **options: Any) -> TreesOutcome:
    return extract_trees(org, lake, sessions, **{"now": NOW, **options})


@pytest.mark.parametrize("transport", ["arrow", "json"])
def test_everything_of_a_session_is_found_across_midnight_and_nothing_else(
    lake: Lake, transport: str
) -> None:
    org = org_with("one", "two", "three", transport=transport)
    outcome = read(org, lake, "one", "three")
    assert outcome.found == ("one", "three")
    assert tree_keys(lake, "one") == keys_of(conversation("one"))
    assert tree_keys(lake, "three") == keys_of(conversation("three"))
    assert lake.tree("two") is None
    assert {name: count.rows for name, count in outcome.tables.items()} == {
        name: 2 * len(rows) for name, rows in conversation("one").items()
    }
    tree = lake.tree("one")
    assert tree is not None
    assert tree.frames()["steps"]["started_at"].to_list()[-1] == EVENING + timedelta(hours=2)


def test_footers_tell_of_sessions_queries_cost_and_content(lake: Lake) -> None:
    org = org_with("one", "two")
    outcome = read(org, lake, "one", "two", dmos=SESSION_DMOS)
    tree = lake.tree("two")
    assert tree is not None
    assert (tree.org_id, tree.read_at, tree.absent) == (org.org_id, NOW, ())
    assert set(tree.evidence) == {entry.name for entry in SESSION_DMOS}
    for name, said in tree.evidence.items():
        assert said.sessions == ("one", "two")
        assert said.rows == all_rows(lake, dmo(name)).height == outcome.tables[name].rows
        assert said.readings
        assert said.rows_processed == outcome.tables[name].rows_processed
        assert said.checksum.split(":")[1] == str(said.rows)
    assert len(tree.evidence["messages"].readings) == 2


def test_messages_without_session_key_or_turn_are_found_once(lake: Lake) -> None:
    rows = conversation("one")
    for message, session in zip(rows["messages"], (None, "NOT_SET", "one"), strict=True):
        message["session_id"] = session
    rows["messages"][2]["interaction_id"] = "a turn that has not landed"
    org = FakeOrg()
    put(org, together(rows, conversation("two")))
    read(org, lake, "one")
    assert tree_keys(lake, "one") == keys_of(rows)
    assert all_rows(lake, MESSAGES).height == 3


def test_a_session_whose_row_has_not_landed_is_found_by_its_children(lake: Lake) -> None:
    rows = {**conversation("one"), "sessions": []}
    org = FakeOrg()
    put(org, rows)
    assert read(org, lake, "one").found == ("one",)
    assert tree_keys(lake, "one") == keys_of(rows)


def test_ids_that_children_serve_quoted_or_longer_are_the_same_ids(lake: Lake) -> None:
    fifteen, eighteen = "0MwWs0000000AbC", "0MwWs0000000AbCKAU"
    rows = conversation(eighteen)
    rows["moments"][0]["session_id"] = f'"{fifteen}"'
    for turn in rows["interactions"]:
        turn["session_id"] = fifteen
    org = FakeOrg()
    put(org, rows)
    assert read(org, lake, fifteen).found == (fifteen,)
    assert tree_keys(lake, eighteen) == keys_of(rows)


def test_an_object_added_to_the_catalog_joins_in_by_its_entry(lake: Lake) -> None:
    columns = (
        Column("call_id", "id__c", "text", "Key.", required=True),
        Column("step", "step__c", "text", "Step.", required=True, references="steps"),
        Column("called_at", "timestamp__c", "timestamp", "Clock.", required=True),
    )
    calls = Dmo(
        "calls", "Call", ("Calls__dlm",), "call_id", "called_at", "step", columns, "A call."
    )
    org = org_with("one", "two")
    made = [
        {"call_id": f"c{n}", "step": f"{n}-i1-s0", "called_at": EVENING} for n in ("one", "two")
    ]
    org.put(calls, made)
    outcome = read(org, lake, "one", dmos=(*DMOS, calls))
    assert outcome.tables["calls"].rows == 1
    assert all_rows(lake, calls)["call_id"].to_list() == ["cone"]


def test_what_the_org_lacks_is_left_out_and_said(lake: Lake) -> None:
    org = FakeOrg()
    rows = conversation("one")
    for entry in DMOS:
        if entry.name != "moments":
            without = ["session_id"] if entry.name == "messages" else []
            org.put(entry, rows[entry.name], without=without)
    outcome = read(org, lake, "one")
    assert outcome.absent == ("moments",)
    assert outcome.tables["messages"].absent_columns == ("ssot__AiAgentSessionId__c",)
    tree = lake.tree("one")
    assert tree is not None
    assert tree.absent == ("moments",)
    assert "moments" not in tree.paths
    assert tree.scan("moments").collect().is_empty()
    assert tree.scan("messages").collect().height == 3


def test_an_org_without_any_of_the_objects_is_an_error(lake: Lake) -> None:
    with pytest.raises(ObjectNotFoundError, match="no object that a session id leads to"):
        read(FakeOrg(), lake, "one")


def test_text_is_never_asked_for_when_it_is_not_wanted(lake: Lake) -> None:
    org = org_with("one")
    outcome = read(org, lake, "one", text="none")
    assert not [sql for sql in org.sql if "ContentText__c" in sql or "InputValueText__c" in sql]
    assert "ssot__ContentText__c" in outcome.tables["messages"].absent_columns
    assert all_rows(lake, STEPS)["input_value_text"].null_count() == 6


def test_a_session_that_the_org_does_not_know_is_named_and_the_others_are_read(lake: Lake) -> None:
    org = org_with("one")
    outcome = read(org, lake, "nobody", "one")
    assert (outcome.missing, outcome.found) == (("nobody",), ("one",))
    assert lake.tree("nobody") is None
    assert read(org, lake, "nobody").found == ()
    assert len(list(lake.folders.trees.iterdir())) == 1


@pytest.mark.parametrize("id_", ["", " ", "a b", "a\n", "NOT_SET", '""', "x" * 256, "a\x1b[1m"])
def test_what_is_no_session_id_is_refused(id_: str) -> None:
    with pytest.raises(ArgumentError, match="is no session id"):
        session_ids(["good", id_])


def test_an_id_given_twice_or_quoted_is_asked_for_once() -> None:
    assert session_ids(["0199-a", '"0199-a"', "0199-b", "0199-a"]) == ["0199-a", "0199-b"]


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Batches of a few sessions, and ids of more sessions than go into two."""
    monkeypatch.setattr(trees, "SESSIONS_PER_READING", 5)
    monkeypatch.setattr(tree_reading, "IDS_PER_QUERY", 4)
    return [f"s{number:02d}" for number in range(12)]


def test_many_sessions_come_in_short_queries_and_several_readings(
    lake: Lake, small: list[str]
) -> None:
    org = org_with(*small)
    told: list[int] = []
    outcome = read(org, lake, *small, progress=told.append)
    assert sorted(outcome.found) == small
    assert sum(told) == 12
    assert len(outcome.readings) == 3
    assert max(sql.count("?") for sql in org.sql) == 8
    assert all_rows(lake, STEPS)["step_id"].n_unique() == all_rows(lake, STEPS).height == 12 * 6
    assert tree_keys(lake, "s11") == keys_of(conversation("s11"))


def test_no_text_of_a_query_is_ever_sent_again(lake: Lake) -> None:
    org = org_with("one")
    read(org, lake, "one", dmos=SESSION_DMOS)
    read(org, lake, "one", dmos=SESSION_DMOS)
    asked = [sql for sql in org.sql if "LIMIT" not in sql]
    assert len(asked) == len(set(asked)) == 14


@pytest.mark.parametrize("fault", [QueryExpiredError("lost"), IncompleteResultError("short")])
def test_a_lost_answer_starts_the_file_again_without_a_row_twice(
    lake: Lake, fault: Exception
) -> None:
    org = org_with("one")
    faults = [fault]

    def lose_second_query_of_messages(sql: str) -> FakeResult | None:
        is_second = MESSAGES.objects[0] in sql and 'InteractionId__c" IN' in sql
        if is_second and faults:
            raise faults.pop()
        return None

    org.before = lose_second_query_of_messages
    read(org, lake, "one")
    assert not faults
    assert tree_keys(lake, "one") == keys_of(conversation("one"))


class Short(FakeOrg):
    """Promises one row more than it gives, in the first answers about steps."""

    lies = 1

    def query(self, sql: str, parameters: Sequence[Parameter] = ()) -> FakeResult:
        result = super().query(sql, parameters)
        if STEPS.objects[0] in sql and "LIMIT" not in sql and self.lies:
            self.lies -= 1
            result.row_count += 1
        return result


@pytest.mark.parametrize("lies", [1, 99])
def test_an_answer_shorter_than_promised_is_asked_for_again_and_never_taken(
    lake: Lake, lies: int
) -> None:
    org = Short()
    org.lies = lies
    put(org, conversation("one"))
    if lies == 1:
        read(org, lake, "one")
        assert tree_keys(lake, "one") == keys_of(conversation("one"))
        assert org.lies == 0
    else:
        with pytest.raises(IncompleteResultError, match="6 rows arrived of 7"):
            read(org, lake, "one")
        assert lake.tree("one") is None


def test_rows_that_were_not_asked_for_are_never_taken(lake: Lake) -> None:
    org = org_with("one", "two")

    def answer_another_question(sql: str) -> FakeResult | None:
        if STEPS.objects[0] not in sql or "LIMIT" in sql:
            return None
        everything = sql.partition("WHERE")[0]
        return org.answer(everything)

    org.before = answer_another_question
    with pytest.raises(IncompleteResultError, match=r"steps of whole sessions: .*another"):
        read(org, lake, "one")
    assert not lake.folders.trees.exists()


def test_a_second_reading_counts_instead_of_the_first(lake: Lake) -> None:
    org = org_with("one", "two")
    read(org, lake, "one", "two")
    rows = conversation("one")
    rows["sessions"][0]["end_type"] = "ESCALATED"
    rows["steps"].append({**rows["steps"][0], "step_id": "late"})
    put(org, together(rows, conversation("two")))
    read(org, lake, "one", now=NOW - timedelta(days=1))  # whatever the clock says
    first, second = lake.tree("two"), lake.tree("one")
    assert first is not None
    assert second is not None
    assert second.scan("sessions").collect()["end_type"].to_list() == ["ESCALATED"]
    assert tree_keys(lake, "one") == keys_of(rows)
    assert first.reading.number == 1
    assert tree_keys(lake, "two") == keys_of(conversation("two"))


def test_a_superseded_reading_goes_after_a_day_and_only_when_wholly_superseded(lake: Lake) -> None:
    org = org_with("one", "two")
    numbers = []
    steps = (("one", "two"), 0), (("one",), 1), (("two",), 20), (("one",), 30), (("one",), 60)
    for sessions, hours in steps:
        read(org, lake, *sessions, now=NOW + timedelta(hours=hours))
        numbers.append(sorted(int(path.name[1:7]) for path in lake.folders.trees.iterdir()))
    assert numbers == [[1], [1, 2], [1, 2, 3], [1, 2, 3, 4], [3, 4, 5]]
    assert tree_keys(lake, "two") == keys_of(conversation("two"))


def broken(kind: str, session: str = "one") -> dict[str, list[dict[str, Any]]]:
    rows = conversation(session)
    if kind == "unique_key":
        rows["steps"].append(dict(rows["steps"][0]))
    else:
        rows["steps"][0]["step_id" if kind == "null_key" else "started_at"] = None
    return rows


@pytest.mark.parametrize("kind", ["unique_key", "null_key", "null_clock"])
def test_rows_that_break_their_contract_are_refused_and_the_old_tree_stays(
    lake: Lake, kind: str
) -> None:
    org = org_with("one")
    read(org, lake, "one")
    before = files_of(lake)
    put(org, broken(kind))
    outcome = read(org, lake, "one", limit=0)
    (refused,) = outcome.refused
    assert refused.sessions == ("one",)
    assert refused.verdict.failures[0].check == (
        "unique_key" if kind == "unique_key" else "not_null"
    )
    assert "steps of whole sessions" in refused.verdict.describe()
    assert "secret" not in (refused.kept / "reason.json").read_text()
    assert (refused.kept / "steps.parquet").exists()
    assert files_of(lake) == before
    assert tree_keys(lake, "one") == keys_of(conversation("one"))


def test_only_the_session_that_breaks_its_contract_is_refused(lake: Lake) -> None:
    ids = ["one", "two", "three", "four", "five"]
    org = FakeOrg()
    put(
        org,
        together(broken("unique_key", "three"), *(conversation(i) for i in ids if i != "three")),
    )
    outcome = read(org, lake, *ids)
    assert [each.sessions for each in outcome.refused] == [("three",)]
    assert sorted(outcome.found) == ["five", "four", "one", "two"]
    assert lake.tree("three") is None


def test_a_column_of_another_type_refuses_all_at_once(lake: Lake) -> None:
    org = org_with("one", "two")
    org.types = {"ssot__StartTimestamp__c": "Varchar"}
    (refused,) = read(org, lake, "one", "two").refused
    assert refused.sessions == ("one", "two")
    assert refused.verdict.failures[0].check == "column_type"


def test_another_org_is_refused_on_both_sides_of_the_directory(lake: Lake) -> None:
    org, other = org_with("one"), org_with("one")
    other.org_id = "00Dxx0000000002EAA"  # type: ignore[misc]
    read(org, lake, "one")
    with pytest.raises(WrongOrgError):
        read(other, lake, "one")
    with pytest.raises(WrongOrgError):
        extract(other, lake)
    extract(org, lake)


def test_days_plans_and_status_are_as_they_were(lake: Lake) -> None:
    org = org_with("one", "two")
    extract(org, lake, *DMOS)

    def state() -> tuple[object, ...]:
        files = sorted(
            (str(path), path.stat().st_mtime_ns, path.stat().st_ino)
            for path in lake.folders.lake.rglob("*")
        )
        digests = [lake.day_checksums(entry.name) for entry in DMOS]
        plan = plan_now(lake, start=DAY, now=NOW, budget=100_000)
        return files, digests, plan, status_of(lake, start=DAY, now=NOW), lake.names()

    before = state()
    read(org, lake, "one", "two")
    put(org, broken("unique_key"))
    read(org, lake, "one")
    assert state() == before
    assert not list(lake.data_dir.glob("lake/*/date=*/r0*"))


def test_an_interrupted_request_goes_on_where_it_stopped(
    lake: Lake, small: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    org = org_with(*small)
    monkeypatch.setattr(trees, "READERS", 1)

    def fail_late(sql: str) -> FakeResult | None:
        if lake.folders.trees.exists() and "LIMIT" not in sql:
            raise UnavailableError("down")
        return None

    org.before = fail_late
    with pytest.raises(UnavailableError):
        read(org, lake, *small, request=TreeRequest.open(lake, ["agent"]))
    done = lake.sessions_with_trees()
    assert 0 < len(done) < 12
    org.before = lambda sql: None
    outcome = read(org, lake, *small, request=TreeRequest.open(lake, ["agent"]))
    assert set(outcome.kept) == done
    assert sorted((*outcome.kept, *outcome.found)) == small
    again = read(org, lake, *small, request=TreeRequest.open(lake, ["agent"]))
    assert len(again.found) == 12  # a request that ended reads all that it names


def test_a_damaged_newest_reading_gives_way_to_the_one_before(lake: Lake) -> None:
    org = org_with("one")
    read(org, lake, "one")
    for damage in (lambda path: path.write_bytes(b"no parquet"), lambda path: path.unlink()):
        outcome = read(org, lake, "one")
        damage(outcome.readings[0].path_of("steps"))
        tree = lake.tree("one")
        assert tree is not None
        assert tree.reading.number == 1
        assert tree_keys(lake, "one") == keys_of(conversation("one"))


def test_a_dry_run_shows_each_query_and_asks_nobody() -> None:
    planned = planned_queries(["one"], text="none", dmos=SESSION_DMOS)
    assert [name for name, *_ in planned] == [
        "sessions", "participants", "interactions", "steps", "messages", "messages", "moments",
    ]  # fmt: skip
    assert not [sql for *_, sql in planned if "ContentText__c" in sql]
