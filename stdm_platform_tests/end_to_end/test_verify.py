"""`stdm verify` against a sandbox org that changes after it was extracted."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from stdm_platform.catalog import dmo
from stdm_platform.lake import Lake
from stdm_platform.sandbox import SandboxHandle
from stdm_platform_tests.changed_rows import changed_rows
from stdm_platform_tests.end_to_end.command import Ended, Stdm
from stdm_platform_tests.end_to_end.conftest import DAYS, FIRST, NOW
from stdm_platform_tests.extraction.fake_org import FakeOrg
from stdm_platform_tests.extraction.world import extract, rows_of
from stdm_platform_tests.session_objects import SESSION_DMOS

Quick = Callable[..., Ended]
SESSIONS, STEPS = "ssot__AIAgentSession__dlm", "ssot__AIAgentInteractionStep__dlm"
DAY = DAYS[1]


@pytest.fixture
def user(stdm: Stdm, held: Stdm) -> Stdm:
    """Somebody who has extracted all days, in a directory of their own."""
    shutil.rmtree(stdm.data_dir)  # the lent parse; theirs is copied too
    shutil.copytree(held.data_dir, stdm.data_dir, symlinks=True)
    shutil.rmtree(stdm.data_dir / "verified", ignore_errors=True)
    return stdm


def test_all_is_equal_and_then_nothing_is_asked(
    user: Stdm, quick: Quick, org: SandboxHandle
) -> None:
    org.sql_log(clear=True)
    dry = quick(user, "verify", "--dry-run").succeeded()
    assert org.sql_log() == []
    assert "COUNT(DISTINCT" in dry.out
    windows = len(SESSION_DMOS) * len(DAYS)
    first = quick(user, "verify", "--all", "--format", "json").succeeded()
    found = {(each["table"], each["day"]): each for each in first.json()}
    assert {each["difference"] for each in found.values()} == {0}
    assert {name for name, _ in found} >= {dmo.name for dmo in SESSION_DMOS} | {
        "session_summary.turn_count"
    }
    session_day = found["sessions", str(FIRST)]
    assert session_day["source_rows"] == session_day["lake_rows"] == session_day["mart_rows"] == 35
    billed = sum(each["lake_rows"] for each in found.values() if each["source_rows"] is not None)
    assert f"All is equal ({windows} windows of {windows} tables and days, 3 mart days; {windows} queries, {billed:,} rows processed)" in first.messages  # fmt: skip
    assert len([each for each in org.sql_log() if "COUNT(DISTINCT" in each["sql"]]) == windows
    org.sql_log(clear=True)
    second = quick(user, "verify").succeeded()
    assert second.out == ""
    assert "Nothing to verify" in second.messages
    assert org.sql_log() == []
    status = quick(user, "status", "--now", NOW, "--format", "json").succeeded().json()
    assert {each["verified_share"] for each in status} == {1}


def test_rows_without_a_clock_are_of_no_day_and_are_told(
    user: Stdm, quick: Quick, org: SandboxHandle
) -> None:
    key, clock = (
        SESSION_DMOS[0][SESSION_DMOS[0].key].source,
        SESSION_DMOS[0][SESSION_DMOS[0].clock].source,
    )
    table = f'"{SESSION_DMOS[0].objects[0]}"'
    org.execute(f"INSERT INTO {table} (\"{key}\") VALUES ('no-clock-1'), ('no-clock-2')")
    try:
        for transport in ("arrow", "json"):
            told = quick(user, "verify", "--since", str(FIRST), STDM_TRANSPORT=transport)
            assert told.code == 1
            assert f"sessions: 2 rows of the org have no {clock}" in told.messages
    finally:
        org.execute(f"DELETE FROM {table} WHERE \"{key}\" LIKE 'no-clock-%'")
    assert quick(user, "verify", "--since", str(FIRST)).code == 0


def test_what_differs_is_named_on_both_transports_until_it_is_extracted_again(
    user: Stdm, quick: Quick, org: SandboxHandle
) -> None:
    of_day = f"\"ssot__StartTimestamp__c\" >= '{DAY}' AND \"ssot__StartTimestamp__c\" < '{DAYS[2]}'"
    with changed_rows(org, "sessions", "steps"):
        quick(user, "verify").succeeded()
        org.execute(f'UPDATE "{SESSIONS}" SET "ssot__AiAgentSessionEndType__c" = \'TIMEOUT\' WHERE {of_day}')  # fmt: skip
        org.execute(f'DELETE FROM "{STEPS}" WHERE "ssot__Id__c" = (SELECT min("ssot__Id__c") FROM "{STEPS}" WHERE {of_day})')  # fmt: skip
        wanted = ("verify", "--since", str(DAY), "--until", str(DAYS[2]))
        answers = [
            quick(user, *wanted, "--format", "json", STDM_TRANSPORT=transport)
            for transport in ("arrow", "json")
        ]
        for ended in answers:
            assert ended.code == 1
            assert [(each["table"], each["day"], each["difference"]) for each in ended.json()] == [
                ("sessions", str(DAY), 0),
                ("steps", str(DAY), -1),
            ]
            assert "ssot__AiAgentSessionEndType__c" in ended.json()[0]["reason"]
        table = quick(user, "verify")
        assert (table.code, table.out.count("stdm extract --table")) == (1, 2)
        again = ("--since", str(DAY), "--until", str(DAYS[2]), "--now", NOW)
        quick(user, "extract", *again, "--table", "sessions", "--table", "steps", "--no-marts")
        older = quick(user, "verify", "--format", "json")
        assert older.code == 1
        assert {each["table"] for each in older.json()} == {"session_summary"}
        assert {each["action"] for each in older.json()} == {"stdm extract-incremental"}


def test_exit_codes_tell_what_is_wrong(
    stdm: Stdm, user: Stdm, quick: Quick, org: SandboxHandle, tmp_path: Path
) -> None:
    empty = stdm.with_variables(STDM_DATA_DIR=str(tmp_path / "empty"))
    assert quick(empty, "verify").code == 3
    assert quick(user, "verify", STDM_CONSUMER_KEY="wrong").code == 2
    assert quick(user, "verify", "--since", "2026-01-16", "--until", "2026-01-15").code == 4
    foreign = FakeOrg()
    foreign.put(dmo("sessions"), rows_of(dmo("sessions"), [DAY]))
    extract(foreign, Lake(empty.data_dir), days=[DAY])
    org.sql_log(clear=True)
    other = quick(empty, "verify")
    assert other.code == 4
    assert f"holds org {foreign.org_id}" in other.messages
    assert org.sql_log() == []


def test_a_fault_on_one_day_leaves_the_other_days(
    user: Stdm, quick: Quick, org: SandboxHandle
) -> None:
    org.set_faults([{"kind": "server_error", "on": "*.submit", "at": [3]}])
    ended = quick(user, "verify", "--table", "moments", "--all", STDM_MAX_ATTEMPTS="1")
    assert ended.code == 1
    assert ended.messages.count("failed: moments of 2026-01-") == 1
    assert "What was compared is equal (2 windows" in ended.messages
    assert ended.out.count(" moments ") == 2
    quick(user, "verify", "--table", "moments").succeeded()
