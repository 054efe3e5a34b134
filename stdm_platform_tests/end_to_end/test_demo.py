"""`stdm demo`: from an empty directory to marts, again, and not into another org's directory."""

from __future__ import annotations

import fcntl
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from time import sleep
from urllib.parse import urlsplit

import duckdb
import polars as pl
import pytest

from stdm_platform.catalog import DMOS
from stdm_platform.sandbox import read_env_file
from stdm_platform_tests.end_to_end.command import Ended, Stdm
from stdm_platform_tests.end_to_end.facts import (
    all_marts,
    ask,
    assert_same_marts,
    lake_checksums,
    lake_counts,
    tree_hash,
)
from stdm_platform_tests.session_objects import NAMES as SESSION_TABLES

REAL_ORG = {
    "STDM_LOGIN_URL": "https://login.example.com",
    "STDM_CONSUMER_KEY": "a-real-app",
    "STDM_USERNAME": "somebody@example.com",
    "STDM_PRIVATE_KEY": "the key of a real org",
    "STDM_PRIVATE_KEY_PASSPHRASE": "its passphrase",
    "STDM_DATASPACE": "sales",
}
"""What stands in the shell of a user who has an org of their own."""


@dataclass(frozen=True)
class Demo:
    """One run of the demo, and what it left."""

    ended: Ended
    data_dir: Path
    days: list[date]
    marts: dict[str, pl.DataFrame]
    checksums: dict[tuple[str, date], list[tuple[str, str]]]
    processes_left: list[str]


def run_demo(cwd: Path, **variables: str) -> Demo:
    """The demo as leader of a process group of its own, so that what it leaves can be seen."""
    today = datetime.now(UTC).date()
    stdm = Stdm(cwd, {"STDM_TABLES": "", **variables})  # a newcomer sees all objects
    process = subprocess.Popen(
        [sys.executable, "-m", "stdm_platform", "demo"],
        cwd=cwd,
        env=stdm.environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    out, messages = process.communicate(timeout=300)
    left = processes_of(process.pid, cwd)
    ended = Ended(process.returncode, out, messages.decode()).succeeded()
    if datetime.now(UTC).date() != today:
        pytest.skip("midnight (UTC) passed during the demo: its last day is not ours")
    days = [today - timedelta(days=back) for back in range(7, 0, -1)]
    return Demo(
        ended, stdm.data_dir, days, all_marts(stdm.data_dir), lake_checksums(stdm.data_dir), left
    )


def processes_of(leader: int, cwd: Path) -> list[str]:
    """Live processes of the demo's group, or that have its directory on their command line.

    Python's own resource trackers end when they notice that their parent is gone: a moment later.
    """
    left: list[str] = []
    for _ in range(20):
        listed = ["ps", "-A", "-ww", "-o", "pgid=,stat=,command="]
        said = subprocess.run(listed, capture_output=True, text=True, check=True).stdout
        rows = [line.split(None, 2) for line in said.splitlines()]
        left = [
            " ".join(row)
            for row in rows
            if not row[1].startswith("Z")
            and (row[0] == str(leader) or str(cwd) in " ".join(row[2:]))
        ]
        if not left:
            break
        sleep(0.1)
    return left


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> Demo:
    return run_demo(tmp_path_factory.mktemp("demo"))


@pytest.fixture(scope="module")
def second(first: Demo) -> Demo:
    """The demo again, by a user whose shell is set up for an org of their own."""
    return run_demo(first.data_dir.parent, **REAL_ORG)


@pytest.fixture
def org_rows(first: Demo) -> Iterator[duckdb.DuckDBPyConnection]:
    """The org's own tables, after its server has ended."""
    with duckdb.connect(str(first.data_dir / "sandbox" / "sandbox.duckdb"), read_only=True) as org:
        org.execute("set timezone = 'UTC'")
        yield org


def test_the_demo_prints_both_marts_and_the_next_commands(first: Demo) -> None:
    assert "Session summary" in first.ended.out
    assert "Topic routing" in first.ended.out
    assert "(start)" not in first.ended.messages
    after = first.ended.messages.partition("Try next:")[2].strip().splitlines()
    named = [line.strip().removeprefix("uv run ").split()[:2] for line in after]
    assert named == [
        ["stdm", name] for name in ("find-failed", "debug-session", "report", "sql", "dev")
    ]
    assert str(first.data_dir) in first.ended.messages


def test_the_commands_that_the_demo_suggests_work(first: Demo) -> None:
    after = first.ended.messages.partition("Try next:")[2].strip().splitlines()
    for line in after[:-1]:
        words = line.strip().removeprefix("uv run ").removeprefix("stdm ")
        done = subprocess.run(
            ["sh", "-c", f'"{sys.executable}" -m stdm_platform {words}'],
            cwd="/",
            env=Stdm(Path("/")).environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        assert done.stdout or " report " in line
    assert (first.data_dir / "report.html").stat().st_size > 100_000


def test_every_session_of_the_org_is_in_session_summary_exactly_once(
    first: Demo, org_rows: duckdb.DuckDBPyConnection
) -> None:
    sessions = 'select ssot__Id__c from "ssot__AIAgentSession__dlm" order by 1'
    in_org = [key for (key,) in org_rows.execute(sessions).fetchall()]
    in_mart = first.marts["session_summary"]["session_id"].sort().to_list()
    assert len(in_org) == 7 * 200
    assert in_mart == in_org


def test_the_sum_of_turns_is_the_number_of_turn_interactions_served(
    first: Demo, org_rows: duckdb.DuckDBPyConnection
) -> None:
    turns = """
        select count(*) from "ssot__AIAgentInteraction__dlm"
        where ssot__AiAgentInteractionType__c = 'TURN' and ssot__StartTimestamp__c < ?::timestamptz
    """
    end = first.days[-1] + timedelta(days=1)
    ((served,),) = org_rows.execute(turns, [f"{end}T00:00:00Z"]).fetchall()
    assert first.marts["session_summary"]["turn_count"].sum() == served > 3000


def test_the_lake_holds_as_many_rows_as_the_org_counts_per_dmo_and_day(
    first: Demo, org_rows: duckdb.DuckDBPyConnection
) -> None:
    in_org = {}
    for dmo in DMOS:
        count = (
            f'select ({dmo[dmo.clock].source})::date, count(*) from "{dmo.objects[0]}" group by all'
        )
        if dmo.is_catalogue:  # whole, once, under the newest day
            in_org[dmo.name, first.days[-1]] = sum(n for _, n in org_rows.execute(count).fetchall())
            continue
        for day, rows in org_rows.execute(count).fetchall():
            if day in first.days:
                in_org[dmo.name, day] = rows
    assert lake_counts(first.data_dir) == in_org
    of_sessions = [day for name, day in in_org if name in SESSION_TABLES]
    assert len(of_sessions) == 6 * 7
    assert len({name for name, _ in in_org}) > 20


def test_the_marts_agree_with_each_other(first: Demo) -> None:
    sessions = first.marts["session_summary"]
    routing, topics = first.marts["topic_routing"], first.marts["topic_summary"]
    ends = routing.filter(pl.col("to_topic") == "(end)")
    assert ends["transitions"].sum() == sessions.height
    assert topics["turn_count"].sum() == sessions["turn_count"].sum()
    assert routing.filter(pl.col("from_topic").is_null() | pl.col("to_topic").is_null()).is_empty()


def test_the_demo_leaves_no_process_no_port_and_no_lock(first: Demo) -> None:
    assert first.processes_left == []
    org = read_env_file(first.data_dir / "sandbox" / "sandbox.env")["STDM_LOGIN_URL"]
    with socket.socket() as knock:
        assert knock.connect_ex(("127.0.0.1", urlsplit(org).port or 0)) != 0
    locks = list((first.data_dir / "locks").rglob("*.lock"))
    assert locks
    for path in locks:
        with path.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    for path in (first.data_dir / "warehouse.duckdb", first.data_dir / "sandbox/sandbox.duckdb"):
        duckdb.connect(str(path)).close()
    assert list((first.data_dir / "staging").rglob("*.parquet")) == []


def test_the_demo_leaves_a_directory_that_only_its_owner_can_read(first: Demo) -> None:
    assert first.data_dir.stat().st_mode & 0o777 == 0o700


def test_the_demo_leaves_the_users_own_org_alone_and_gives_the_same_numbers_again(
    first: Demo, second: Demo
) -> None:
    assert second.ended.out == first.ended.out
    assert second.checksums == first.checksums
    assert_same_marts(second.marts, first.marts)
    assert second.processes_left == []


def test_the_demo_changes_nothing_in_a_directory_of_another_org(held: Stdm) -> None:
    before = tree_hash(held.data_dir)
    ended = held("demo")
    assert ended.code == 4
    assert "00DSTDMDEMO0000EAA" in ended.messages
    (held_org,) = ask(held.data_dir, "select distinct org_id from session_summary")[0]
    assert held_org in ended.messages
    assert ended.raw == b""
    assert tree_hash(held.data_dir) == before


def test_another_org_changes_nothing_in_the_directory_of_the_demo(second: Demo, stdm: Stdm) -> None:
    before = tree_hash(second.data_dir)
    ended = stdm("extract", "--days", "1", "--data-dir", str(second.data_dir))
    assert ended.code == 4
    assert "00DSTDMDEMO0000EAA" in ended.messages
    assert tree_hash(second.data_dir) == before
