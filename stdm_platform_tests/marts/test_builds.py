"""Whole builds with dbt: what the marts say, and that they say it however they came about."""

from __future__ import annotations

import json
import multiprocessing
import re
import shutil
import time
from collections import Counter
from datetime import timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest
import yaml

from stdm_platform.catalog import DMOS, dmo
from stdm_platform.errors import MartError
from stdm_platform.lake import Lake
from stdm_platform.marts import (
    DBT_PROJECT,
    MartStore,
    build_marts,
    dbt_command,
    ensure_manifest,
    mart_columns,
    mart_names,
    preparation,
    prepared_build,
    session_days_due,
)
from stdm_platform.marts.dbt_command import run_dbt
from stdm_platform.marts.digests import WITH_ORPHANS
from stdm_platform.sandbox.transcripts import load_transcripts
from stdm_platform.settings import Settings
from stdm_platform_tests.marts.lakes import (
    DAY,
    NEXT,
    READ_AT,
    Rows,
    at,
    copy_days,
    hold,
    sandbox_lake,
)

TRANSCRIPTS = Path(__file__).parents[3] / "shared" / "real" / "gpt-4o-airline.json"
ERROR_TEXT = "std__ErrorMessageText__c"  # as an org of the newer family has it


def rows_of(store: MartStore) -> dict[str, list[tuple[Any, ...]]]:
    """All marts, whole, as people read them."""
    with store.connect() as marts:
        return {
            mart: marts.execute(f"from {mart} order by all").fetchall() for mart in mart_names()
        }


def columns_of(store: MartStore, columns: str, key: str) -> tuple[Any, ...]:
    with store.connect() as marts:
        sql = f"select {columns} from session_summary where session_id = ?"
        (row,) = marts.execute(sql, [key]).fetchall()
    return tuple(row)


def served_columns(store: MartStore, mart: str) -> list[tuple[str, str]]:
    with store.connect() as marts:
        rows = marts.execute(f"describe {mart}").fetchall()
    return [(row[0], row[1].lower()) for row in rows]


def built_from_nothing(lake: Lake, store: MartStore, settings: Settings) -> dict[str, Any]:
    """A full rebuild of the same lake, published in a place of its own and removed again."""
    kept = store.folder.rename(store.data_dir / "marts.kept")
    try:
        build_marts(lake, store, lake.days("sessions"), settings)
        return rows_of(store)
    finally:
        shutil.rmtree(store.folder)
        kept.rename(store.folder)


@pytest.mark.usefixtures("quick_dbt")
def test_a_build_says_what_the_rows_mean(lake: Lake, store: MartStore, settings: Settings) -> None:
    rows = Rows()
    rows.session("late", at("23:59"), at("00:02", NEXT), channel_type="Builder: Voice Preview")
    rows.agent("late", at("23:59:01"), "Second")
    rows.agent("late", at("23:59"), "First")
    rows.turn("late", "late-1", at("23:59"), "Orders_16jHu0000000TrX")
    rows.turn("late", "late-2", at("00:01", NEXT), "Returns")
    rows.end("late", at("00:02", NEXT), "CLOSED_TRANSFERRED")
    rows.session("bare", at("08:00"), None)
    rows.session("torn", at("09:00"), at("09:05"))
    rows.turn("torn", "torn-1", at("09:00"))
    rows.of["messages"][DAY] = [m for m in rows.of["messages"][DAY] if m["session_id"] != "torn"]
    rows.of["steps"][DAY][-1]["error_message_text"] = "Error: not found"
    rows.publish(lake, settled=True)
    hold(lake, "moments", [], day=DAY)  # and none of the next day: the org has no such object

    generation = build_marts(lake, store, [DAY, NEXT], settings)
    assert generation.warnings == ()
    assert generation.built_days == (DAY, NEXT)

    facts = "agent_name, has_several_agents, is_preview, session_date, turn_count, duration_ms"
    assert columns_of(store, facts, "late") == ("First", True, True, DAY, 2, 180_000)
    path = "first_topic, last_topic, topic_switch_count, outcome, completeness"
    assert columns_of(store, path, "late") == ("Orders", "Returns", 1, "escalated", "complete")
    nothing = "agent_name, turn_count, error_count, outcome, outcome_rule, ended_at"
    assert columns_of(store, nothing, "bare") == ("(unknown)", 0, 0, None, "none", None)
    states = "completeness, completeness_reason"
    assert columns_of(store, states, "bare") == ("forced_incomplete", "no_end")
    assert columns_of(store, states, "torn") == ("forced_incomplete", "turn_without_message")
    assert columns_of(store, "error_count, action_error_count", "torn") == (1, 1)
    with store.connect() as marts:
        reasons = marts.execute(
            "select completeness, completeness_reason, sessions, turn_count from session_completeness"
        ).fetchall()
        moves = marts.execute(
            "select from_topic, to_topic, transitions from topic_routing where agent_name = 'First'"
        ).fetchall()
    assert sorted(reasons) == [
        ("complete", "settled", 1, 2),
        ("forced_incomplete", "no_end", 1, 0),
        ("forced_incomplete", "turn_without_message", 1, 1),
    ]
    assert sorted(moves) == [
        ("(start)", "Orders", 1),
        ("Orders", "Returns", 1),
        ("Returns", "(end)", 1),
    ]
    for mart in mart_names():
        agreed = [(c.column_name, c.data_type) for c in mart_columns() if c.mart == mart]
        assert served_columns(store, mart) == agreed


@pytest.mark.usefixtures("quick_dbt")
def test_any_sequence_of_increments_equals_a_full_rebuild(
    store: MartStore, data_dir: Path, settings: Settings
) -> None:
    lake = sandbox_lake(data_dir, days=4, sessions_per_day=25)
    days = lake.days("sessions")
    build_marts(lake, store, days[:3], settings)
    # A session whose clock was rewritten, a day emptied, and a turn that came late.
    moved = {"session_id": "moved", "channel_type": "E & O"}
    later = READ_AT + timedelta(hours=1)
    snapshot = lake.snapshot(["sessions"], [days[0], days[2]], data_dir / "snapshots" / "test")
    old, new = (
        snapshot.scan("sessions").filter(date=day).drop("date").collect().to_dicts()
        for day in (days[0], days[2])
    )
    hold(lake, "sessions", [*old, moved | {"started_at": at("10:00", days[0])}], day=days[0])
    build_marts(lake, store, session_days_due(lake, store), settings)
    assert columns_of(store, "session_date", "moved") == (days[0],)
    hold(lake, "sessions", [], day=days[1], read_at=later)
    moved_row = moved | {"started_at": at("11:00", days[2])}
    hold(lake, "sessions", [*new, moved_row], day=days[2], read_at=later)
    late = {"interaction_id": "late", "session_id": "moved", "started_at": at("00:10", days[3])}
    hold(lake, "interactions", [late | {"interaction_type": "TURN"}], day=days[3], read_at=later)
    due = session_days_due(lake, store)
    assert due == days[1:]
    assert build_marts(lake, store, due, settings).built_days == tuple(days)
    assert session_days_due(lake, store) == []
    assert columns_of(store, "session_date, turn_count", "moved") == (days[2], 1)
    increments = rows_of(store)
    assert increments == built_from_nothing(lake, store, settings)
    assert {row[7] for row in increments["session_summary"]} == {days[0], days[2], days[3]}


@pytest.mark.usefixtures("quick_dbt")
def test_without_text_the_marts_build_and_error_verdicts_are_null(
    lake: Lake, store: MartStore, settings: Settings
) -> None:
    rows = Rows()
    rows.session("s", at("10:00"), at("10:05"))
    rows.turn("s", "t", at("10:00"), "Orders")
    rows.session("no-steps", at("10:00"), at("10:05"))
    rows.publish(lake)
    steps = [{**step, "error_message_text": None} for step in rows.of["steps"][DAY]]
    hold(lake, "steps", steps, absent=[ERROR_TEXT])
    build_marts(lake, store, [DAY], settings)
    errors = "error_count, action_error_count, action_step_count"
    assert columns_of(store, errors, "s") == (None, None, 1)
    assert columns_of(store, errors, "no-steps") == (0, 0, 0)
    assert columns_of(store, "completeness, completeness_reason", "s") == (
        "complete",
        "rows_may_change",
    )
    with store.connect() as marts:
        assert marts.execute("select action_error_count from topic_summary").fetchall() == [(None,)]


@pytest.mark.usefixtures("quick_dbt")
def test_a_blocking_test_that_fails_leaves_the_last_good_marts(
    lake: Lake, store: MartStore, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = Rows()
    rows.session("s", at("10:00"), at("10:05"))
    rows.publish(lake)
    good = build_marts(lake, store, [DAY], settings)
    # A key under two days, in a build that does not look for other copies.
    monkeypatch.setattr(preparation, "_with_other_copies", lambda _lake, _store, days: list(days))
    twin = {"session_id": "s", "started_at": at("10:00", NEXT)}
    hold(lake, "sessions", [twin], day=NEXT)
    with pytest.raises(MartError, match="session_is_published_once found 1 rows") as caught:
        build_marts(lake, store, [NEXT], settings)
    assert "marts of 2026-01-15" in str(caught.value)
    assert "last good marts stay" in str(caught.value)
    current = store.current()
    assert current is not None
    assert current.number == good.number
    assert columns_of(store, "session_date", "s") == (DAY,)


@pytest.mark.usefixtures("quick_dbt")
def test_rows_without_parent_are_late_until_the_settle_time_and_orphans_after_it(
    lake: Lake, store: MartStore, settings: Settings
) -> None:
    far = DAY + timedelta(days=2)
    rows = Rows()
    rows.session("s", at("10:00"), None)
    rows.turn("s", "far", at("10:00", far))
    rows.turn("first", "first-turn", at("00:01"))
    rows.turn("none", "none-turn", at("23:59", NEXT))
    rows.of["steps"][NEXT][-1]["interaction_id"] = "no-turn"
    rows.of["steps"][NEXT][-1]["step_id"] = "step"
    rows.session("t", at("10:00", NEXT), None)
    rows.session("u", at("10:00", far), None)
    rows.publish(lake, [DAY, NEXT, far])
    open_lake = build_marts(lake, store, lake.days("sessions"), settings)
    assert open_lake.warnings == ()
    late = orphans_of(store)
    assert ("interactions", "far", "sessions", "late") in late
    assert ("interactions", "none-turn", "sessions", "late") in late
    assert ("interactions", "first-turn", "sessions", "before_held") in late
    assert ("steps", "step", "interactions", "late") in late
    assert not [row for row in late if row[1] in ("s", "t", "u")]
    rows.publish(lake, [DAY, NEXT, far], settled=True)
    settled = build_marts(lake, store, lake.days("sessions"), settings)
    final = orphans_of(store)
    assert {row[:3] for row in final} == {row[:3] for row in late}
    assert {row[3] for row in final if row[1] != "first-turn"} == {"orphan", "before_held"}
    found = sum(row[3] == "orphan" for row in final)
    assert settled.warnings == (f"test rows_have_their_parent found {found} rows",)
    assert columns_of(store, "turn_count", "s") == (0,)


def orphans_of(store: MartStore) -> set[tuple[Any, ...]]:
    with store.connect() as marts:
        sql = "select object_name, row_id, parent_object, state from orphan_rows"
        return set(marts.execute(sql).fetchall())


def test_orphans_are_looked_for_along_every_reference_of_the_catalog() -> None:
    text = (DBT_PROJECT / "marts" / "orphan_rows.sql").read_text()
    listed = re.findall(r"^    \('(\w+)', '(\w+)', '(\w+)', '(\w+)'\),$", text, re.MULTILINE)
    assert listed == [
        (entry.name, entry.key, column.name, column.references)
        for entry in map(dmo, WITH_ORPHANS)
        for column in sorted(entry.columns, key=lambda column: column.name != "session_id")
        if column.references and column.references != entry.name and not column.owns
    ]


@pytest.mark.usefixtures("quick_dbt")
def test_models_run_twice_in_one_warehouse_give_the_same_rows(
    lake: Lake, store: MartStore, settings: Settings
) -> None:
    rows = Rows()
    rows.session("s", at("10:00"), at("10:05"))
    rows.turn("s", "t", at("10:00"), "Orders")
    rows.publish(lake)
    with prepared_build(lake, store, [DAY], settings=settings) as build:
        assert run_dbt(store, settings, build.lock).failures == ()
        with duckdb.connect(str(store.warehouse_path)) as warehouse:
            warehouse.execute("update session_summary set turn_count = 77")
        assert run_dbt(store, settings, build.lock).failures == ()
        tested = dbt_command._call(
            store, ["test", "--select", "test_type:unit"], settings, (build.lock,)
        )
        assert tested.returncode == 0, tested.stdout
        assert_documented(store, settings, build.lock)
        with duckdb.connect(str(store.warehouse_path)) as warehouse:
            warehouse.execute("update session_completeness set sessions = sessions + 1")
            warehouse.execute("update topic_routing set transitions = transitions + 1")
            warehouse.execute("update session_summary set topic_count = turn_count + 1")
        tests = ["session_completeness_adds_up", "topic_marts_add_up", "session_summary_adds_up"]
        dbt_command._call(store, ["test", "--select", *tests], settings, (build.lock,))
        results = json.loads((store.target_dir / "run_results.json").read_text())["results"]
        failed = [r["unique_id"].split(".")[2] for r in results if r["status"] == "fail"]
        assert sorted(failed) == sorted(tests)
        with duckdb.connect(str(store.warehouse_path)) as warehouse:
            warehouse.execute("update session_summary set topic_count = 1")
    assert columns_of(store, "turn_count", "s") == (1,)


@pytest.mark.usefixtures("quick_dbt")
def test_real_conversations_give_the_counts_of_their_file(
    lake: Lake, store: MartStore, settings: Settings
) -> None:
    if not TRANSCRIPTS.exists():
        pytest.skip(f"{TRANSCRIPTS} is not here, so the 200 real conversations were not checked")
    days = [DAY - timedelta(days=back) for back in range(3)]
    with duckdb.connect() as org:
        org.execute("set timezone = 'UTC'")
        load_transcripts(org, TRANSCRIPTS, days=3, end=DAY, seed=1)
        for entry in DMOS:
            copy_days(org, lake, entry, days)
    build_marts(lake, store, days, settings)
    with store.connect() as marts:
        counts = marts.execute(
            """
            select count(*), sum(user_message_count)::int, sum(action_step_count)::int,
                sum(action_error_count)::int, count_if(outcome = 'escalated')
            from session_summary
            """
        ).fetchall()
        actions = marts.execute(
            "select action_name, sum(calls)::int, sum(error_count)::int from action_summary group by all"
        ).fetchall()
        transfers = marts.execute(
            "select count(*) from session_outcome where definition = 'session_end_step' and outcome = 'escalated'"
        ).fetchall()
    assert counts == [(200, 1490, 1164, 73, 48)]
    told = actions_of_the_file()
    assert {name: (calls, errors) for name, calls, errors in actions} == told
    assert transfers == [(told["transfer_to_human_agents"][0],)]


def actions_of_the_file() -> dict[str, tuple[int, int]]:
    """Calls and errors of each tool, as the file of the conversations has them."""
    called: Counter[str] = Counter()
    failed: Counter[str] = Counter()
    for conversation in json.loads(TRANSCRIPTS.read_text()):
        for message in conversation["traj"]:
            called.update(call["function"]["name"] for call in message.get("tool_calls") or ())
            if message["role"] == "tool" and str(message["content"]).startswith("Error"):
                failed[message["name"]] += 1
    return {name: (calls, failed[name]) for name, calls in called.items()}


def assert_documented(store: MartStore, settings: Settings, lock: int) -> None:
    """`dbt docs generate` works, and every column of every model and seed is described."""
    generated = dbt_command._call(store, ["docs", "generate"], settings, (lock,))
    assert generated.returncode == 0, generated.stdout
    held = json.loads((store.target_dir / "catalog.json").read_text())["nodes"]
    nodes = json.loads((store.target_dir / "manifest.json").read_text())["nodes"]
    for key, node in held.items():
        described = {
            name.lower() for name, column in nodes[key]["columns"].items() if column["description"]
        }
        assert {name.lower() for name in node["columns"]} == described, key
    assert {key.rpartition(".")[2] for key in held} >= set(mart_names())


@pytest.mark.usefixtures("quick_dbt")  # the build that is killed has a dbt of its own
def test_a_build_killed_while_dbt_runs_leaves_the_marts_and_can_be_run_again(
    lake: Lake, store: MartStore, settings: Settings
) -> None:
    rows = Rows()
    rows.session("s", at("10:00"), at("10:05"))
    rows.publish(lake)
    build_marts(lake, store, [DAY], settings)
    before = rows_of(store)
    hold(lake, "sessions", [{"session_id": "u", "started_at": at("10:00")}])
    context = multiprocessing.get_context("forkserver")
    process = context.Process(target=build_in_process, args=(store.data_dir,))
    process.start()
    deadline = time.monotonic() + 120
    while not store.warehouse_path.exists() or store.warehouse_path.stat().st_size < 700_000:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    process.kill()
    process.join()
    assert rows_of(store) == before
    build_marts(Lake(store.data_dir), store, [DAY], settings)
    assert columns_of(store, "session_id", "u") == ("u",)


def build_in_process(data_dir: Path) -> None:
    build_marts(Lake(data_dir), MartStore(data_dir), [DAY], Settings())


def test_the_manifest_is_parsed_once_for_all_uses(data_dir: Path, store: MartStore) -> None:
    manifest = ensure_manifest(data_dir)
    written = manifest.stat().st_mtime_ns
    assert ensure_manifest(data_dir) == manifest
    assert manifest.stat().st_mtime_ns == written
    assert manifest.is_relative_to(store.target_dir)


def test_each_model_has_one_sql_and_one_described_yml() -> None:
    for folder in ("staging", "intermediate", "marts"):
        models = sorted((DBT_PROJECT / folder).glob("*.sql"))
        assert models
        for path in models:
            (model,) = yaml.safe_load(path.with_suffix(".yml").read_text())["models"]
            assert model["name"] == path.stem
            assert re.match(r"One row per [^.]+[.;:]", model["description"]), path.stem
            assert all(column["description"].strip() for column in model["columns"])
            if folder == "marts":
                assert model["config"]["contract"]["enforced"]
                assert any("key_is_unique" in test for test in model["data_tests"])
