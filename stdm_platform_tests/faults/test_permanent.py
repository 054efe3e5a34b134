"""Faults that do not pass: an error that names object, day and next action; old files stay."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from stdm_platform.cli import run
from stdm_platform.sandbox import SandboxHandle
from stdm_platform_tests.faults.world import (
    SINCE,
    UNTIL,
    Rows,
    client,
    environment,
    extract,
    half_written,
    lake_rows,
    published_hash,
    stdm,
)
from stdm_platform_tests.session_objects import SESSION_DMOS

RANGE = ("--since", SINCE, "--until", UNTIL)
QUERY = {"on": "*.submit", "permanent": True}
OBJECT = r"(sessions|participants|interactions|steps|messages|moments)"
DAY = r"2026-01-1[456]"
# fault; the exit code; what the error says beside object and day; the next action
PERMANENT: dict[str, tuple[dict[str, Any], int, str, str]] = {
    "403": ({"kind": "forbidden", **QUERY}, 1, "HTTP 403", "cdp_query_api"),
    "bad SQL": ({"kind": "bad_sql", **QUERY}, 1, "SQL was refused", "Correct the SQL"),
    "missing field": ({"kind": "missing_field", **QUERY}, 1, "no such field", "stdm doctor"),
    "503 always": (
        {"kind": "server_error", "status": 503, "on": ["v3.*", "connect.*"], "permanent": True},
        1,
        "failed 3 times, the last time with HTTP 503",
        "STDM_MAX_ATTEMPTS",
    ),
    "429 always": (
        {"kind": "rate_limit_seconds", "seconds": 0, "on": ["v3.*", "connect.*"]},
        1,
        "failed 3 times, the last time with HTTP 429",
        "STDM_MAX_ATTEMPTS",
    ),
    "reset always": (
        {"kind": "reset", "on": ["v3.*", "connect.*"]},
        1,
        "failed 3 times, the last time with a broken connection",
        "STDM_MAX_ATTEMPTS",
    ),
    "silence": (
        {"kind": "hang", "seconds": 30, "on": ["v3.*", "connect.*"]},
        1,
        "the last time with a timeout",
        "STDM_MAX_ATTEMPTS",
    ),
    "wrong count always": (
        {"kind": "wrong_row_count", **QUERY},
        1,
        "rows",
        "again",
    ),
    "lost query always": ({"kind": "query_lost", "on": "*"}, 1, "lost or expired", "again"),
}


@pytest.fixture(scope="module")
def good_days(one_org: SandboxHandle, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data directory that nothing has disturbed yet."""
    data_dir = tmp_path_factory.mktemp("good")
    with client(one_org) as asked:
        extract(asked, data_dir)
    (data_dir / "marts" / "gen-1").mkdir(parents=True)
    (data_dir / "marts.duckdb").write_bytes(b"the last good marts")
    return data_dir


@pytest.fixture
def held(
    org: SandboxHandle, good_days: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Path]:
    """A data directory with good days, and the environment of the command set to it."""
    data_dir = tmp_path / "held"
    shutil.copytree(good_days, data_dir)
    for name, value in environment(org, data_dir).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("STDM_MAX_ATTEMPTS", "3")
    monkeypatch.setenv("STDM_READ_TIMEOUT_SECONDS", "0.3")
    yield data_dir
    shutil.rmtree(data_dir)


@pytest.mark.parametrize("transport", ["arrow", "json"])
@pytest.mark.parametrize("name", PERMANENT)
def test_a_fault_that_stays_is_told_and_changes_no_file(
    org: SandboxHandle,
    held: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    name: str,
    transport: str,
) -> None:
    fault, code, said, action = PERMANENT[name]
    monkeypatch.setenv("STDM_TRANSPORT", transport)
    before = published_hash(held)
    org.set_faults([fault])
    if name == "lost query always":  # a small answer to a Connect submit would be whole
        org.change_settings(page_bytes=300)
    assert run(["extract", *RANGE]) == code
    shown = capsys.readouterr()
    lines = [line for line in shown.err.splitlines() if line.startswith("stdm: ")]
    assert len(lines) == 1, shown.err
    assert re.match(rf"stdm: {OBJECT}\b.* of {DAY}", lines[0]), lines[0]
    assert said in lines[0]
    assert action in lines[0]
    assert "Traceback" not in shown.err
    assert org.served()[fault["kind"]] >= 1
    assert published_hash(held) == before
    assert half_written(held) == []


@pytest.mark.parametrize(
    "column", ["sessions.session_id", "steps.interaction_id", "messages.sent_at"]
)
def test_a_required_field_that_the_org_lost_is_named_and_the_others_go_on(
    org: SandboxHandle, held: Path, capsys: pytest.CaptureFixture[str], column: str
) -> None:
    name = column.partition(".")[0]
    before = published_hash(held / "lake" / name)
    org.change_settings(hide_columns=[column])
    assert run(["extract", "--no-marts", *RANGE]) == 1
    shown = capsys.readouterr()
    (line,) = [line for line in shown.err.splitlines() if line.startswith("stdm: ")]
    assert re.match(rf"stdm: {name} .* of {SINCE}", line), line
    assert "is required" in line
    assert "other_sources" in line
    assert published_hash(held / "lake" / name) == before
    assert "3 failed" in shown.out
    assert shown.out.count("3 published") == len(SESSION_DMOS) - 1


@pytest.mark.parametrize("name", ["sessions", "moments"])
@pytest.mark.parametrize("transport", ["arrow", "json"])
def test_an_object_that_the_org_lacks_is_skipped_and_reported(
    org: SandboxHandle,
    tmp_path: Path,
    undisturbed: Rows,
    name: str,
    transport: str,
) -> None:
    org.change_settings(hide_objects=[name])
    variables = environment(org, tmp_path, STDM_TRANSPORT=transport)
    ended = stdm(variables, "extract", "--no-marts", *RANGE)
    assert ended.returncode == 0, ended.stderr
    (row,) = [line for line in ended.stdout.splitlines() if f" {name} " in line]
    assert "3 absent" in row
    rest = {key: rows for key, rows in undisturbed.items() if key[0] != name}
    assert lake_rows(tmp_path) == rest


def test_an_object_that_is_gone_fails_its_days_and_leaves_the_held_ones(
    org: SandboxHandle, held: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = published_hash(held / "lake" / "moments")
    org.set_faults([{"kind": "missing_object", "on": "*.submit", "name": "x__dlm"}])
    assert run(["extract", "--no-marts", *RANGE]) == 1
    shown = capsys.readouterr()
    assert shown.out.count("3 failed") == len(SESSION_DMOS)
    assert 'objects=(…) of Dmo(name="moments")' in shown.err
    assert org.served()["missing_object"] >= len(SESSION_DMOS)
    assert published_hash(held / "lake" / "moments") == before


@pytest.mark.parametrize(
    ("on", "kind", "code"),
    [("token.login", "token_error", 2), ("token.exchange", "forbidden", 2)],
)
def test_no_token_ends_with_the_exit_code_of_authentication(
    org: SandboxHandle,
    held: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    on: str,
    kind: str,
    code: int,
) -> None:
    monkeypatch.setenv("STDM_TRANSPORT", "arrow")
    before = published_hash(held)
    org.set_faults([{"kind": kind, "on": on}])
    assert run(["extract", *RANGE]) == code
    assert org.served()[kind] >= 1
    (line,) = [line for line in capsys.readouterr().err.splitlines() if line.startswith("stdm: ")]
    assert line.endswith(".")
    assert published_hash(held) == before


def test_an_org_that_is_not_there_is_said_to_be_so(
    held: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("STDM_LOGIN_URL", "http://127.0.0.1:9")
    before = published_hash(held)
    assert run(["extract", *RANGE]) == 1
    (line,) = [line for line in capsys.readouterr().err.splitlines() if line.startswith("stdm: ")]
    assert "failed 3 times" in line
    assert "broken connection" in line
    assert published_hash(held) == before
