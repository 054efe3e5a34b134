"""Commands that ask: they agree with the lake and with SQL, and say what they cannot know."""

from __future__ import annotations

import csv
import io
import json
import os
import pty
import subprocess
import sys
from collections import Counter
from collections.abc import Callable

import polars as pl
import pytest

from stdm_platform import Analyzer
from stdm_platform_tests.end_to_end.command import Ended, Stdm
from stdm_platform_tests.end_to_end.facts import lake_rows

Quick = Callable[..., Ended]

ASKING = [
    ["actions"], ["quality-report"], ["quality-report", "--by-agent"], ["find-failed"], ["find"],
    ["find", "--outcome", "escalated"], ["find-hallucinations"], ["find-unresolved"], ["moment-urls"],
]  # fmt: skip
NEVER = [*ASKING, ["find-toxic"], ["find-low-adherence"], ["debug-session", "--session-id", "x"]]
BAD = {
    "a negative limit": ["find-failed", "--limit", "-1"],
    "a limit that is no number": ["find-toxic", "--limit", "all"],
    "a day that is none": ["actions", "--since", "2026-02-30"],
    "a range that ends before it begins": ["find", "--since", "2026-01-15", "--until", "2026-01-14"],
    "an outcome that nobody says": ["find", "--outcome", "resolved"],
    "a definition without its outcome": ["find", "--definition", "judge"],
    "a duration below nothing": ["find", "--min-seconds", "-1"],
    "no session": ["debug-session"],
    "an empty key": ["debug-session", "--session-id", ' " " '],
    "an empty key for moments": ["moment-urls", "--session-id", ""],
    "an unknown format": ["quality-report", "--format", "xml"],
    "bytes that are no text": ["find", "--topic", "\udcff"],
}  # fmt: skip
SENTINELS = ["", "NOT_SET", "UNSET_VALUE", "None"]


@pytest.fixture(scope="module")
def analyzer(held: Stdm) -> Analyzer:
    return Analyzer(held.data_dir, previews=True)


def test_every_session_is_the_same_in_the_lake_and_in_the_marts(analyzer: Analyzer) -> None:
    """What `debug-session` shows is what SQL on `session_timeline` and the summaries says."""
    columns = ["event_number", "event_at", "ended_at", "duration_ms", "event_kind", "event_id", "parent_kind",
               "parent_id", "interaction_id", "turn_number", "step_id", "name", "topic", "previous_topic",
               "is_error", "error_text", "text"]  # fmt: skip
    mart = analyzer.mart("session_timeline").sort("session_id", "event_number").collect()
    mart = mart.filter(pl.col("event_kind") != "llm_call")
    unexplained = dict(
        analyzer.sql("select interaction_id, unexplained_ms from turn_latency").rows()
    )
    summary = analyzer.sql(
        "select session_id, error_count, agent_name, turn_count, started_at, ended_at from session_summary"
    )
    for key, errors, agent, turns, started, ended in summary.rows():
        record = analyzer.session(key)
        assert (record.error_count, record.agent or "(unknown)") == (errors, agent)
        assert (record.started_at, record.ended_at) == (started, ended)
        numbered = [turn for turn in record.turns if turn.number is not None]
        assert len(numbered) == turns
        for turn in numbered:
            assert turn.unexplained_ms == unexplained[turn.interaction_id], turn.interaction_id
        events = analyzer.session_timeline_optimized(key).filter(pl.col("event_kind") != "moment")
        expected = mart.filter(session_id=key)
        assert events.select(columns[1:]).equals(expected.select(columns[1:])), key


def test_actions_are_those_of_the_lake(held: Stdm, quick: Quick) -> None:
    rows = quick(held, "actions", "--previews", "--format", "json").succeeded().json()
    steps = lake_rows(held.data_dir, "steps").filter(step_type="ACTION_STEP")
    failed = steps.filter(
        ~pl.col("error_message_text").fill_null("").is_in(SENTINELS)
        | pl.col("output_value_text").str.contains(r'"mgr\.tool\.status":\s*"error"')
        | pl.col("output_value_text").str.contains(r'action_execution_status__(":|&quot;:)\s*("|&quot;)(?i:fail|error)')
    )  # fmt: skip
    calls, errors = Counter[str](), Counter[str]()
    for row in rows:
        calls[row["action_name"]] += row["calls"]
        errors[row["action_name"]] += row["error_count"]
    assert calls == Counter(steps["step_name"].to_list())
    assert errors == {**dict.fromkeys(calls, 0), **Counter(failed["step_name"].to_list())}


def test_every_ungrounded_answer_is_found_and_no_other(held: Stdm, quick: Quick) -> None:
    steps = lake_rows(held.data_dir, "steps").filter(step_type="LLM_STEP")
    text = pl.col("output_value_text")
    validations = steps.filter(pl.col("step_name").is_in(["AiCopilot__ReactValidationPrompt", "Atlas__GroundednessValidationPrompt"]))  # fmt: skip
    verdict = text.str.extract(r"(?:result\W{1,20}|category=)([A-Z_]+)")
    bad = validations.filter(verdict.is_in(["UNGROUNDED", "NOT_GROUNDED"]))
    ended = quick(held, "find-hallucinations", "--limit", "100000", "--format", "json").succeeded()
    assert {row["step_id"] for row in ended.json()} == set(bad["step_id"].to_list())
    assert bad.height > 0
    assert f"{bad.height:,} found" in ended.messages
    few = quick(held, "find-hallucinations", "--limit", "1", "--format", "json").succeeded()
    assert len(few.json()) == 1
    assert f"{bad.height:,} found, 1 shown" in few.messages


def test_what_was_never_extracted_ends_with_3_and_names_it(held: Stdm, quick: Quick) -> None:
    ended = quick(held, "find-toxic")
    assert (ended.code, ended.raw) == (3, b"")
    assert "content_quality and content_categories were never extracted" in ended.messages
    report = quick(held, "quality-report", "--format", "json").succeeded().json()
    states = {row["signal"]: row["state"] for row in report}
    assert states["groundedness"] == "checked"
    for row in report:
        if row["state"] == "not_extracted":
            assert {row[name] for name in ("checks", "flagged", "flagged_share")} == {None}
    assert states["pii"] == "not_extracted"


def test_without_any_data_every_question_ends_with_3(stdm: Stdm, quick: Quick) -> None:
    for words in NEVER:
        ended = quick(stdm, *words)
        assert (ended.code, ended.raw) == (3, b""), words
        assert "stdm extract" in ended.messages, words


def test_the_help_of_every_question_shows_an_example(stdm: Stdm, quick: Quick) -> None:
    for name in sorted({words[0] for words in NEVER}):
        text = " ".join(quick(stdm, name, "--help").succeeded().out.split())
        assert f"Example: stdm {name}" in text, name


def test_bad_arguments_end_with_4_and_one_line(held: Stdm, quick: Quick) -> None:
    for name, words in BAD.items():
        ended = quick(held, *words)
        assert (ended.code, ended.raw) == (4, b""), (name, ended.code, ended.messages)
        assert len(ended.messages.strip().splitlines()) == 1, (name, ended.messages)


def test_an_agent_bounds_every_answer_and_one_that_is_not_there_is_told(
    held: Stdm, quick: Quick, analyzer: Analyzer
) -> None:
    name = analyzer.sql(
        "select agent_name from session_summary group by all order by count(*) desc, 1 limit 1"
    ).item()
    for words in ASKING:
        rows = quick(held, *words, "--agent", name, "--format", "json").succeeded().json()
        everyone = quick(held, *words, "--format", "json").succeeded().json()
        assert {row["agent_name"] for row in rows if "agent_name" in row} <= {name}, words
        assert words == ["quality-report"] or len(rows) < len(everyone), words
        none = quick(held, *words, "--agent", name[:-1], "--format", "json").succeeded()
        assert none.json() == [], words
        assert f"Did you mean {name}" in none.messages, words


@pytest.mark.parametrize("form", ["json", "csv"])
def test_programs_can_read_every_answer_in_a_terminal_of_twenty_columns(
    held: Stdm, form: str
) -> None:
    """A terminal of its own: what is written to it is what a person would copy."""
    words = ["find-failed", "--limit", "3", "--format", form]
    environment = {**held.environment, "COLUMNS": "20", "LINES": "10"}
    ours, theirs = pty.openpty()
    try:
        done = subprocess.run(
            [sys.executable, "-m", "stdm_platform", *words],
            cwd=held.cwd, env=environment, stdout=theirs, stderr=subprocess.PIPE, check=True,
        )  # fmt: skip
        os.close(theirs)
        raw = b""
        while chunk := _read(ours):
            raw += chunk
    finally:
        os.close(ours)
    assert b"Traceback" not in done.stderr
    text = raw.decode().replace("\r\n", "\n")
    rows = json.loads(text) if form == "json" else list(csv.DictReader(io.StringIO(text)))
    assert len(rows) == 3
    assert {"session_id", "reasons"} <= set(rows[0])


def _read(descriptor: int) -> bytes:
    try:
        return os.read(descriptor, 65536)
    except OSError:  # the other side is closed
        return b""


def test_a_reader_that_has_seen_enough_is_no_failure(held: Stdm) -> None:
    session = lake_rows(held.data_dir, "sessions")["session_id"][0]
    asked = [["debug-session", "--full", "--session-id", session], ["sql", "from range(300000)"]]
    for words in asked:
        command = subprocess.Popen(
            [sys.executable, "-m", "stdm_platform", *words],
            cwd=held.cwd, env=held.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip
        assert command.stdout is not None
        command.stdout.close()  # before anything was written
        messages = command.communicate(timeout=120)[1]
        assert (command.returncode, messages.decode()) == (0, ""), words


def test_notes_hold_no_text_of_conversations(held: Stdm, quick: Quick) -> None:
    texts = {
        text for text in lake_rows(held.data_dir, "messages")["content_text"].to_list()
        if text is not None and len(text) > 20
    }  # fmt: skip
    session = lake_rows(held.data_dir, "sessions")["session_id"][0]
    for words in [*ASKING, ["debug-session", "--session-id", session]]:
        messages = quick(held, *words).succeeded().messages
        assert not [text for text in texts if text in messages], words
