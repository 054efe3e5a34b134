"""A broken contract: the day is refused with DMO, day, column and count, and nothing moves."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import timedelta

import pytest

from stdm_platform.catalog import dmo
from stdm_platform.sandbox import SandboxHandle
from stdm_platform_tests.changed_rows import changed_rows
from stdm_platform_tests.end_to_end.command import Stdm
from stdm_platform_tests.end_to_end.conftest import FIRST, NOW
from stdm_platform_tests.end_to_end.facts import lake_checksums, tree_hash

ONE_DAY = ("--since", str(FIRST), "--until", str(FIRST + timedelta(days=1)), "--now", NOW)
THAT_DAY = f"::date = date '{FIRST}'"


def source(name: str, column: str) -> str:
    return dmo(name)[column].source


def table(name: str) -> str:
    return f'"{dmo(name).objects[0]}"'


def rows_of_the_day(org: SandboxHandle, name: str, where: str = "true") -> int:
    clock = source(name, dmo(name).clock)
    sql = f"SELECT count(*) FROM {table(name)} WHERE {clock}{THAT_DAY} AND {where}"
    ((count,),) = org.execute(sql)
    return int(count)


def repeat_two_keys(org: SandboxHandle) -> int:
    day = f"{source('sessions', 'started_at')}{THAT_DAY}"
    org.execute(
        f"INSERT INTO {table('sessions')} FROM {table('sessions')} WHERE {day} "
        f"ORDER BY {source('sessions', 'session_id')} LIMIT 2"
    )
    return 2


def take_a_parent_from_three(org: SandboxHandle) -> int:
    key, parent = source("interactions", "interaction_id"), source("interactions", "session_id")
    day = f"{source('interactions', 'started_at')}{THAT_DAY}"
    org.execute(
        f"UPDATE {table('interactions')} SET {parent} = NULL WHERE {key} IN "
        f"(SELECT {key} FROM {table('interactions')} WHERE {day} ORDER BY 1 LIMIT 3)"
    )
    return 3


def serve_another_zone(org: SandboxHandle) -> int:
    """An org that says local times of Tokyo without a zone, which Data 360 reads as UTC."""
    late = f"extract(hour FROM {source('messages', 'sent_at')}) >= 15"
    count = rows_of_the_day(org, "messages", late)
    org.change_settings(column_types={"messages.sent_at": "TIMESTAMP"})
    org.execute("SET GLOBAL TimeZone = 'Asia/Tokyo'")
    return count


def serve_an_end_as_text(org: SandboxHandle) -> int:
    org.change_settings(column_types={"sessions.ended_at": "VARCHAR"})
    return rows_of_the_day(org, "sessions")


def serve_an_end_as_a_date(org: SandboxHandle) -> int:
    org.change_settings(column_types={"steps.ended_at": "DATE"})
    return rows_of_the_day(org, "steps")


def serve_a_clock_as_text(org: SandboxHandle) -> int:
    org.change_settings(column_types={"steps.started_at": "VARCHAR"})
    return rows_of_the_day(org, "steps")


@dataclass(frozen=True)
class Case:
    break_it: Callable[[SandboxHandle], int]
    name: str
    column: str
    check: str
    transport: str = "arrow"


CASES = [
    Case(repeat_two_keys, "sessions", "session_id", "unique_key"),
    Case(take_a_parent_from_three, "interactions", "session_id", "not_null"),
    Case(take_a_parent_from_three, "interactions", "session_id", "not_null", "json"),
    Case(serve_another_zone, "messages", "sent_at", "clock_in_window"),
    Case(serve_an_end_as_text, "sessions", "ended_at", "column_type"),
    Case(serve_an_end_as_text, "sessions", "ended_at", "column_type", "json"),
    Case(serve_an_end_as_a_date, "steps", "ended_at", "column_type"),
    Case(serve_a_clock_as_text, "steps", "started_at", "column_type"),
]


@pytest.mark.parametrize("case", CASES, ids=lambda c: f"{c.break_it.__name__}-{c.transport}")
def test_a_day_that_breaks_its_contract_is_refused_and_nothing_moves(
    held: Stdm, org: SandboxHandle, case: Case
) -> None:
    held_files = [
        held.data_dir / "lake" / case.name,
        held.data_dir / "marts",
        held.data_dir / "marts.duckdb",
    ]
    refused_before = set((held.data_dir / "refused").rglob("*"))
    before, checksums = tree_hash(*held_files), lake_checksums(held.data_dir)
    with ExitStack() as stack:
        stack.enter_context(changed_rows(org, case.name))
        stack.callback(org.execute, "SET GLOBAL TimeZone = 'UTC'")
        count = case.break_it(org)
        assert count > 0
        # Three rows would else wait in quarantine.
        limit = {"STDM_QUARANTINE_LIMIT": "0"} if case.check == "not_null" else {}
        ended = held("extract", *ONE_DAY, STDM_TRANSPORT=case.transport, **limit)

    assert ended.code == 1
    column = source(case.name, case.column)
    (said,) = (line for line in ended.messages.splitlines() if line.startswith("refused:"))
    assert f"{case.name} of {FIRST}: {column}: {count} " in said
    assert f"({case.check})" in said
    assert f"{case.name} of {FIRST}" in ended.messages.splitlines()[-1]

    assert tree_hash(*held_files) == before
    assert lake_checksums(held.data_dir) == checksums

    added = set((held.data_dir / "refused").rglob("*")) - refused_before
    (reason,) = (path for path in added if path.suffix == ".json")
    assert reason.with_suffix(".parquet") in added
    assert reason.parent == held.data_dir / "refused" / case.name / f"date={FIRST}"
    written = json.loads(reason.read_text())
    (failure,) = written["details"]["failures"]
    assert (failure["check"], failure["column"], failure["count"]) == (case.check, column, count)


def test_a_good_reading_after_a_refusal_is_published(held: Stdm) -> None:
    checksums = lake_checksums(held.data_dir)
    held("extract", *ONE_DAY, "--no-marts").succeeded()
    assert lake_checksums(held.data_dir) == checksums
