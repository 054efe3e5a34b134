"""`STDM_TEXT=none`: the org is never asked for what people said, and the marts still build."""

from __future__ import annotations

import re

from stdm_platform.sandbox import SandboxHandle
from stdm_platform_tests.end_to_end.command import Stdm
from stdm_platform_tests.end_to_end.conftest import DAYS, RANGE
from stdm_platform_tests.end_to_end.facts import (
    all_marts,
    assert_same_marts,
    lake_counts,
    lake_rows,
)
from stdm_platform_tests.session_objects import SESSION_DMOS

TEXT = {dmo.name: [c for c in dmo.columns if c.sensitivity == "text"] for dmo in SESSION_DMOS}
NEEDS_TEXT = {
    "session_summary": ["error_count", "action_error_count"],
    "topic_routing": [],
    "topic_summary": ["action_error_count"],
}
"""Verdicts on errors rest on the error message."""


def test_no_text_column_is_asked_for_and_the_marts_build(
    stdm: Stdm, org: SandboxHandle, held: Stdm
) -> None:
    org.sql_log(clear=True)
    stdm("extract", *RANGE, STDM_TEXT="none").succeeded()
    asked = [entry["sql"] for entry in org.sql_log()]
    names = {n.lower() for cs in TEXT.values() for c in cs for n in (c.name, *c.candidates)}
    assert len(names) > 10
    windows = 0
    for sql in asked:
        if "*" in sql.replace("COUNT(*)", ""):
            assert sql.endswith("LIMIT 0"), "a look at the columns asks for no row"
            continue
        windows += "CAST(?" in sql
        assert names.isdisjoint(re.findall(r"\w+", sql.lower()))
    assert windows == len(SESSION_DMOS) * len(DAYS)

    assert lake_counts(stdm.data_dir) == lake_counts(held.data_dir)
    for name, columns in TEXT.items():
        rows = lake_rows(stdm.data_dir, name)
        assert all(rows[column.name].null_count() == rows.height for column in columns)

    marts, with_text = all_marts(stdm.data_dir), all_marts(held.data_dir)
    for mart, columns in NEEDS_TEXT.items():
        for column in columns:
            acted = marts[mart].filter(with_text[mart][column].is_not_null())
            steps = "action_step_count" if "action" in column else "step_count"
            had_steps = acted.filter(acted[steps] > 0)
            assert had_steps.height > 0
            assert had_steps[column].null_count() == had_steps.height
        marts[mart], with_text[mart] = marts[mart].drop(columns), with_text[mart].drop(columns)
    assert_same_marts(marts, with_text)
    overview = stdm("analyze", "--format", "json").succeeded().json()
    assert {row["action_error_count"] for row in overview} <= {None, 0}
    assert_questions_say_what_they_cannot_know(stdm)


def assert_questions_say_what_they_cannot_know(stdm: Stdm) -> None:
    """Nothing that rests on texts is answered with a zero, and a session can still be looked at."""
    for words in (["quality-report"], ["find-hallucinations"], ["find", "--error", "time"]):
        ended = stdm(*words)
        assert (ended.code, ended.raw) == (3, b""), words
        assert "STDM_TEXT" in ended.messages, words
    actions = stdm("actions", "--format", "json").succeeded().json()
    assert sum(row["calls"] for row in actions) > 0
    assert {row["error_count"] for row in actions} == {None}
    session = lake_rows(stdm.data_dir, "messages")["session_id"][0]
    shown = stdm("debug-session", "--session-id", session).succeeded()
    assert "(not held)" in shown.out
    assert "messages.content_text" in shown.messages
    assert stdm("find-failed", "--format", "json").succeeded().json()
