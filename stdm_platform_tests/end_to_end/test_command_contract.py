"""What scripts rely on: exit codes, formats, what goes where, and a help that teaches."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import polars as pl
import pytest

from stdm_platform.sandbox import SandboxHandle
from stdm_platform_tests.end_to_end.command import Ended, Stdm
from stdm_platform_tests.end_to_end.conftest import DAYS, FIRST, SESSIONS_PER_DAY
from stdm_platform_tests.end_to_end.facts import lake_counts, tree_hash

COMMANDS = [
    ["demo"],
    ["dev"],
    ["sandbox", "serve"],
    ["doctor"],
    ["extract"],
    ["count"],
    ["analyze"],
    ["topics"],
    ["sql"],
]
READING = {
    "analyze": ["analyze"],
    "topics": ["topics"],
    "routing": ["topics", "--routing"],
    "sql": ["sql", "from session_summary order by session_id"],
    "sums": [
        "sql",
        "select agent_name, sum(turn_count) as turns from session_summary group by all order by 1",
    ],
}
BAD = {
    "a month that is none": ["extract", "--since", "2026-13-01"],
    "no number of days": ["extract", "--days", "0"],
    "days that are no number": ["extract", "--days", "x"],
    "days beside dates": ["extract", "--days", "1", "--since", str(FIRST)],
    "an end before the start": ["extract", "--since", "2026-01-15", "--until", "2026-01-14"],
    "an unknown table": ["extract", "--days", "1", "--table", "nothing"],
    "a clock that is none": ["extract", "--days", "1", "--now", "noon"],
    "an alias that is a path": ["extract", "--days", "1", "--org", "../x"],
    "an unknown flag": ["extract", "--day", "1"],
    "an unknown command": ["extrakt"],
    "an unknown table to count": ["count", "--days", "1", "--table", "nothing"],
    "an end before the start to count": ["count", "--since", "2026-01-15", "--until", "2026-01-14"],
    "a day that is none to analyze": ["analyze", "--since", "2026-02-30"],
    "an end before the start to analyze": ["analyze", "--since", "2026-01-15", "--until", "2026-01-14"],
    "an unknown format": ["analyze", "--format", "xml"],
    "SQL that is none": ["sql", "selekt 1"],
    "SQL that writes": ["sql", "create table mine as from session_summary"],
    "no SQL": ["sql"],
    "no directory for the org": ["sandbox", "serve"],
    "an org without days": ["sandbox", "serve", "--data", "org", "--days", "0"],
    "an org that ends tomorrow": ["sandbox", "serve", "--data", "org", "--end", "2999-01-01"],
}  # fmt: skip
BAD_VARIABLES = {
    "STDM_TRANSPORT": "pigeon",
    "STDM_TEXT": "some",
    "STDM_MAX_ATTEMPTS": "0",
    "STDM_START_DATE": "yesterday",
}


Quick = Callable[..., Ended]


def test_the_real_command_ends_with_the_same_codes(stdm: Stdm) -> None:
    bad = ["extract", "--days", "0"]
    helped, refused = side_by_side(stdm, [["extract", "--help"], bad])
    assert "stdm extract --since" in helped.succeeded().out
    assert (refused.code, refused.raw) == (4, b"")


def side_by_side(stdm: Stdm, commands: list[list[str]]) -> list[Ended]:
    with ThreadPoolExecutor(2) as pool:
        return list(pool.map(lambda words: stdm(*words), commands))


def test_the_help_of_every_command_works_and_shows_an_example(stdm: Stdm, quick: Quick) -> None:
    for words in COMMANDS:
        ended = quick(stdm, *words, "--help").succeeded()
        text = " ".join(ended.out.split())
        assert "Usage:" in text
        assert f"stdm {' '.join(words)}" in text, f"no example in the help of {words}"


def test_the_first_help_says_where_to_start_and_what_exit_codes_mean(stdm: Stdm) -> None:
    helps = side_by_side(stdm, [["--help"], []])
    for ended in helps:
        for words in ("stdm demo", "stdm doctor", "stdm extract", "UTC", "[since, until)"):
            assert words in ended.out
        for code in ("0 ok", "1 failure", "2 authentication", "3 never extracted", "4 bad"):
            assert code in " ".join(ended.out.split())
    assert helps[0].code == 0


def test_bad_arguments_end_with_4_one_line_and_no_change(held: Stdm, quick: Quick) -> None:
    before = tree_hash(held.data_dir)
    for name, words in BAD.items():
        ended = quick(held, *words)
        assert ended.code == 4, (name, ended.code, ended.messages)
        assert ended.raw == b"", name
        assert len(ended.messages.strip().splitlines()) == 1, (name, ended.messages)
    assert tree_hash(held.data_dir) == before


@pytest.mark.parametrize("name", BAD_VARIABLES)
def test_a_variable_that_cannot_be_used_is_named_with_exit_4(
    held: Stdm, quick: Quick, name: str
) -> None:
    ended = quick(held, "doctor", **{name: BAD_VARIABLES[name]})
    assert ended.code == 4
    assert name in ended.messages


def test_an_empty_range_ends_with_0(stdm: Stdm) -> None:
    empty = ["--since", str(FIRST), "--until", str(FIRST)]
    extracted, counted = side_by_side(
        stdm, [["extract", *empty], ["count", *empty, "--format", "json"]]
    )
    assert extracted.succeeded().raw == b""
    assert "empty" in extracted.messages
    assert counted.succeeded().json() == []
    assert not (stdm.data_dir / "lake").exists()


def test_days_without_sessions_are_an_empty_array_and_exit_0(held: Stdm) -> None:
    days = ["--since", "2020-01-01", "--until", "2020-02-01", "--format", "json"]
    for ended in side_by_side(held, [["analyze", *days], ["topics", *days]]):
        assert ended.succeeded().json() == []
        assert ended.messages


def test_what_was_never_extracted_ends_with_3(stdm: Stdm) -> None:
    asked = [["analyze"], ["topics"], ["sql", "from session_summary"]]
    for words, ended in zip(asked, side_by_side(stdm, asked), strict=True):
        assert ended.code == 3, words
        assert ended.raw == b""
        assert "stdm extract" in ended.messages


@pytest.mark.parametrize("words", READING.values(), ids=READING)
def test_every_format_holds_the_same_rows_and_nothing_else(
    held: Stdm, quick: Quick, words: list[str]
) -> None:
    as_json, as_csv, as_parquet = (
        quick(held, *words, "--format", form) for form in ("json", "csv", "parquet")
    )
    rows = as_json.succeeded().json()
    assert rows
    parquet = pl.read_parquet(io.BytesIO(as_parquet.succeeded().raw))
    csv = pl.read_csv(io.BytesIO(as_csv.succeeded().raw), infer_schema=False)
    assert csv.columns == parquet.columns == list(rows[0])
    assert csv.height == parquet.height == len(rows)
    for name, kind in parquet.schema.items():
        for row, value in zip(rows, parquet[name].to_list(), strict=True):
            said = row[name]
            if value is None:
                assert said is None
            elif kind.is_numeric():
                assert type(said) in (int, float)
                assert said == value
            elif isinstance(kind, pl.Datetime):
                assert said.endswith("Z")
                assert said == f"{value:%Y-%m-%dT%H:%M:%S}.{value.microsecond // 1000:03}Z"
            elif kind == pl.Boolean:
                assert said is value
            else:
                assert said == str(value)


def test_count_says_what_the_org_and_the_lake_hold(held: Stdm, org: SandboxHandle) -> None:
    days = ["--since", str(FIRST - timedelta(days=1)), "--until", str(DAYS[1])]
    rows = held("count", *days, "--format", "json").succeeded().json()
    in_lake = lake_counts(held.data_dir)
    for row in rows:
        if row["day"] == str(FIRST):
            assert row["org_rows"] == row["lake_rows"] == in_lake[row["table"], FIRST]
        else:
            assert row["org_rows"] == 0
            assert row["lake_rows"] is None
    assert len(rows) == 12


def test_the_flag_wins_over_the_variable_and_output_is_its_other_name(
    held: Stdm, tmp_path: Path
) -> None:
    elsewhere = ["--data-dir", str(tmp_path / "empty")]
    assert held("analyze", *elsewhere).code == 3
    flags = ["--output", str(tmp_path / "here"), "--table", "sessions", "--no-marts"]
    held("extract", "--since", str(FIRST), "--until", str(DAYS[1]), *flags).succeeded()
    assert list(tmp_path.glob("here/lake/sessions/date=*/*.parquet"))
    assert lake_counts(tmp_path / "here") == {("sessions", FIRST): SESSIONS_PER_DAY}


def test_a_range_that_ends_after_now_is_cut_with_a_note(stdm: Stdm) -> None:
    now = f"{DAYS[-1]}T12:00:00Z"
    flags = ["--since", str(DAYS[-1]), "--until", "2026-02-01", "--now", now]
    ended = stdm("extract", *flags, "--table", "sessions", "--no-marts").succeeded()
    assert f"cut to now, {now}" in ended.messages
    assert "cut" not in ended.out
    assert {day for _, day in lake_counts(stdm.data_dir)} == {DAYS[-1]}


def test_sql_can_come_from_stdin_and_a_closed_pipe_is_no_error(held: Stdm) -> None:
    stdm = f'"{sys.executable}" -m stdm_platform'
    script = f"""
        echo 'select 1 as one' | {stdm} sql - --format json
        {stdm} sql 'select * from range(300000)' --format csv | head -1
    """
    done = subprocess.run(
        ["sh", "-c", script],
        cwd=held.cwd,
        env=held.environment,
        capture_output=True,
        text=True,
        check=True,
    )
    first, second = done.stdout.splitlines()
    assert json.loads(first) == [{"one": 1}]
    assert second == "range"
    assert done.stderr == ""


def test_doctor_mends_the_views_of_a_directory_that_moved(stdm: Stdm, held: Stdm) -> None:
    """Moved there and back: other modules use the directory."""
    moved = held.with_variables(STDM_DATA_DIR=str(held.data_dir.with_name("moved")))
    held.data_dir.rename(moved.data_dir)
    try:
        assert moved("analyze").code != 0
        moved("doctor").succeeded()
        rows = moved("sql", "select count(*) as n from session_summary", "--format", "json")
        assert rows.succeeded().json() == [{"n": len(DAYS) * SESSIONS_PER_DAY}]
    finally:
        moved.data_dir.rename(held.data_dir)
        held("doctor").succeeded()
    assert held("analyze", "--format", "json").succeeded().json()
