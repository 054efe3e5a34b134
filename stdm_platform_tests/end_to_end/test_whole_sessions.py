"""`extract-tree` and `extract --agent` as a user runs them; lake, plan and marts stay as they were."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from datetime import date

import polars as pl
import pytest

from stdm_platform.catalog import dmo
from stdm_platform.lake import Lake, TreeReading
from stdm_platform.lake.trees import readings_in
from stdm_platform.sandbox import SandboxHandle
from stdm_platform_tests.changed_rows import changed_rows
from stdm_platform_tests.end_to_end.command import Ended, Stdm
from stdm_platform_tests.end_to_end.conftest import DAYS, NOW, RANGE
from stdm_platform_tests.end_to_end.facts import ask, tree_hash
from stdm_platform_tests.session_objects import SESSION_DMOS

Quick = Callable[..., Ended]
OBJECT = {entry.name: f'"{entry.objects[0]}"' for entry in SESSION_DMOS}
OF_SESSION = '"ssot__AiAgentSessionId__c" = ?'
OF_TURNS = (
    '"ssot__AiAgentInteractionId__c" IN '
    f'(SELECT "ssot__Id__c" FROM {OBJECT["interactions"]} WHERE {OF_SESSION})'
)
CONTROL = {
    "sessions": '"ssot__Id__c" = ?',
    "participants": OF_SESSION,
    "interactions": OF_SESSION,
    "steps": OF_TURNS,
    "messages": OF_TURNS,
    "moments": OF_SESSION,
}


def counted(org: SandboxHandle, session: str) -> dict[str, int]:
    """How many rows the org holds of a session, by SQL of the test's own."""
    return {
        name: org.execute(f"SELECT count(*) FROM {OBJECT[name]} WHERE {where}", [session])[0][0]
        for name, where in CONTROL.items()
    }


def held_state(stdm: Stdm, quick: Quick) -> tuple[str, str, str]:
    """Lake and marts on disk, the plan, and the status."""
    data_dir = stdm.data_dir
    disk = tree_hash(data_dir / "lake", data_dir / "marts", data_dir / "marts.duckdb")
    plan = quick(stdm, "extract-incremental", "--dry-run", "--now", NOW).succeeded().out
    return disk, plan, quick(stdm, "status", "--now", NOW, "--format", "json").succeeded().out


@pytest.fixture
def with_days(held: Stdm) -> Iterator[Stdm]:
    """The user who has extracted all days; the overlay goes after the test."""
    yield held
    shutil.rmtree(held.data_dir / "trees", ignore_errors=True)


@pytest.fixture
def long_session(org: SandboxHandle) -> Iterator[str]:
    """A session of which all turns but the first were moved 30 hours on, past two midnights."""
    turns = OBJECT["interactions"]
    (session, *_), *_ = org.execute(
        f'SELECT "ssot__AiAgentSessionId__c", min("ssot__StartTimestamp__c") FROM {turns} '
        f"GROUP BY 1 HAVING count(*) > 3 AND min(\"ssot__StartTimestamp__c\") < '{DAYS[1]}' ORDER BY 1"
    )
    first = f'(SELECT arg_min("ssot__Id__c", "ssot__StartTimestamp__c") FROM {turns} WHERE {OF_SESSION})'
    later = "+ INTERVAL 30 HOURS"
    with changed_rows(org, "interactions", "steps", "messages"):
        for name, clock in (("steps", "StartTimestamp"), ("messages", "MessageSentTimestamp")):
            org.execute(
                f'UPDATE {OBJECT[name]} SET "ssot__{clock}__c" = "ssot__{clock}__c" {later} '
                f'WHERE {OF_TURNS} AND "ssot__AiAgentInteractionId__c" <> {first}',
                [session, session],
            )
        org.execute(
            f'UPDATE {turns} SET "ssot__StartTimestamp__c" = "ssot__StartTimestamp__c" {later} '
            f'WHERE {OF_SESSION} AND "ssot__Id__c" <> {first}',
            [session, session],
        )
        yield session


def days_of(frame: pl.DataFrame, clock: str) -> set[date]:
    return set(frame[clock].dt.date())


def test_a_session_across_midnights_is_read_whole_on_both_transports_and_no_day_changes(
    with_days: Stdm, org: SandboxHandle, quick: Quick, long_session: str
) -> None:
    before = held_state(with_days, quick)
    expected = counted(org, long_session)
    assert min(expected.values()) > 0 or expected["moments"] == 0
    for transport in ("arrow", "json"):
        words = ("--session-id", long_session, "--format", "json")
        done = quick(with_days, "extract-tree", *words, STDM_TRANSPORT=transport).succeeded()
        assert {row["table"]: row["rows"] for row in done.json()} == expected
        assert all(row["rows_processed"] for row in done.json())
        tree = Lake(with_days.data_dir).tree(long_session)
        assert tree is not None
        assert tree.evidence["steps"].readings[0].transport == transport
        assert {name: rows.height for name, rows in tree.frames().items()} == expected
        assert len(days_of(tree.frames()["steps"], "started_at")) == 2
    checksums = {
        tuple(said.checksum for said in reading.evidence().values())
        for reading in _readings(with_days)
    }
    assert len(checksums) == 1, "both transports give the same rows"
    assert held_state(with_days, quick) == before


def _readings(stdm: Stdm) -> list[TreeReading]:
    found = readings_in(stdm.data_dir / "trees")
    assert len(found) == 2
    return found


def test_unknown_sessions_are_named_and_the_others_are_read(
    with_days: Stdm, org: SandboxHandle, quick: Quick
) -> None:
    known = org.execute(f'SELECT min("ssot__Id__c") FROM {OBJECT["sessions"]}')[0][0]
    words = ("--session-id", "nobody", "--session-id", known)
    done = quick(with_days, "extract-tree", *words)
    assert done.code == 1
    assert "the org has no row of 1 session: nobody" in done.messages
    assert "1 session read" in done.messages
    assert quick(with_days, "extract-tree", "--session-id", "no id").code == 4
    org.sql_log(clear=True)
    shown = quick(with_days, "extract-tree", "--dry-run", *words).succeeded().out
    assert all(dmo(name).objects[0] in shown for name in CONTROL)
    assert org.sql_log() == []


def test_an_agents_sessions_are_those_of_the_marts_and_no_day_changes(
    with_days: Stdm, org: SandboxHandle, quick: Quick
) -> None:
    before = held_state(with_days, quick)
    wanted = ask(
        with_days.data_dir,
        "select agent_name, list(session_id order by session_id) from session_summary "
        "where agent_name is not null group by all order by count(*) desc limit 1",
    )
    agent, sessions = wanted[0]
    done = quick(with_days, "extract", "--agent", agent, *RANGE).succeeded()
    assert "marts are as they were" in done.messages
    lake = Lake(with_days.data_dir)
    assert lake.sessions_with_trees() == set(sessions)
    tree = lake.tree(sessions[0])
    assert tree is not None
    assert {name: rows.height for name, rows in tree.frames().items()} == counted(org, sessions[0])
    mistyped = quick(with_days, "extract", "--agent", agent.lower(), *RANGE).succeeded()
    assert f"Did you mean {agent}?" in mistyped.messages
    assert quick(with_days, "extract", "--agent", agent, "--table", "steps", *RANGE).code == 4
    assert held_state(with_days, quick) == before
