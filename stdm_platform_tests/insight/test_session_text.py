"""One session in a terminal: whatever a trace holds, it is shown, and nothing of it is obeyed."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from stdm_platform.cli import run
from stdm_platform.harmless import folded, harmless, harmless_json
from stdm_platform.insight.served_values import VariableChange
from stdm_platform.insight.session_record import Event, Moment, SessionRecord, Turn
from stdm_platform.insight.session_text import session_lines
from stdm_platform.lake import Lake
from stdm_platform_tests.marts.lakes import DAY, Rows, at

START = datetime(2026, 1, 14, 10, tzinfo=UTC)
HOSTILE = "\x1b]0;owned\x07\x1b[2J\x9b31m[bold red]x[/] \u202egnp.exe\u2066 \U000e0041שלום <script>"  # noqa: RUF001
RAW = [code for code in HOSTILE if not code.isprintable()]


def event(number: int, text: str = "x") -> Event:
    at_ = START + timedelta(milliseconds=number)
    key = f"{number}-{text}"
    change = VariableChange(text, text, {text: text})
    return Event("step", key, "t", "t", 0, at_, at_, text, text, text, text, text, {text: 1},
                 {text: 2}, (change,), text, True)  # fmt: skip


def record(*events: Event, text: str = "x") -> SessionRecord:
    turn = Turn(1, "t", "TURN", text, f"{text} ", START, START + timedelta(seconds=1), events)
    moment = Moment("m", START, None, text, text, text, "/lightning")
    return SessionRecord(
        session_id=text, org_id="o", agent=text, agent_version=text, agents=(text, f"{text}2"),
        channel=text, end_type=text, started_at=START, ended_at=None, variables={text: text},
        previous_session_id=text, turns=(turn,), loose=events, moments=(moment,),
        links={"messaging session": "/x"}, notes=(), read_at=START,
    )  # fmt: skip


def shown(made: SessionRecord, *, width: int = 80, full: bool = False) -> list[str]:
    return [line.text for line in session_lines(made, width=width, full=full)]


@pytest.mark.parametrize("full", [False, True])
@pytest.mark.parametrize("width", [20, 80, 10_000])
def test_nothing_that_a_terminal_obeys_is_left(width: int, full: bool) -> None:
    lines = shown(record(event(1, HOSTILE), text=HOSTILE), width=width, full=full)
    for line in lines:
        assert all(code.isprintable() for code in line), line
    text = "".join("".join(lines).split())
    assert "[boldred]x[/]" in text
    assert "שלום" in text


def test_each_of_the_characters_is_shown_by_its_name() -> None:
    assert len(RAW) >= 6
    assert harmless("\x1b[2J") == "␛[2J"
    assert harmless("\u202e\u2066\x9b\U000e0041") == "<U+202E><U+2066><U+009B><U+E0041>"
    assert harmless("\ud800") == "<U+D800>"
    assert harmless("日本語 👩‍💻 é שלום") == "日本語 👩‍💻 é שלום"


def test_json_in_a_terminal_holds_the_same_values_and_nothing_to_obey() -> None:
    text = harmless_json(json.dumps([HOSTILE + "\x7f"], ensure_ascii=False))
    assert json.loads(text) == [HOSTILE + "\x7f"]
    assert all(code.isprintable() for code in text)


def test_folded_lines_are_as_wide_as_they_may_and_hold_everything() -> None:
    for text in ("word " * 50, "x" * 300, "日本語" * 50, "a\n\nb"):
        lines = folded(text, 20)
        assert "".join("".join(lines).split()) == "".join(text.split())
        assert all(len(line) <= 20 for line in lines)


def test_ten_thousand_steps_with_errors_are_all_rendered() -> None:
    made = record(*(event(number) for number in range(10_000)))
    lines = shown(made, width=100)
    assert sum(" error " in line for line in lines) == 20_000  # in the turn, and as loose ones


def test_a_megabyte_is_cut_and_its_length_is_told() -> None:
    text = "x" * 1_000_000
    lines = shown(record(event(1, text), text=text))
    assert sum(map(len, lines)) < 20_000
    assert any("(1,000,000 characters)" in line for line in lines)
    assert sum(map(len, shown(record(event(1, text)), full=True))) > 1_000_000


def test_an_error_and_a_changed_variable_stand_under_their_step() -> None:
    lines = shown(record(event(5)), width=10_000)
    place = next(number for number, line in enumerate(lines) if "+5 ms" in line)
    assert lines[place + 1].split() == ["│", "error", "x"]
    assert lines[place + 2].split("variable")[1].strip() == 'x: "x" → {"x": "x"}'


@pytest.mark.parametrize("form", ["table", "json", "csv"])
def test_the_command_takes_hostile_traces_in_every_form(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfdbinary: pytest.CaptureFixture[bytes],
    form: str,
) -> None:
    rows = Rows()
    rows.session("s", at("10:00"), at("10:01"))
    rows.turn("s", "t", at("10:00"), HOSTILE)
    rows.of["messages"][DAY][0]["content_text"] = HOSTILE
    rows.publish(Lake(tmp_path), [DAY])
    monkeypatch.setenv("COLUMNS", "20")
    flags = ["--session-id", "s", "--data-dir", str(tmp_path), "--format", form]
    assert run(["debug-session", *flags]) == 0
    out, messages = capfdbinary.readouterr()
    assert b"Traceback" not in messages
    if form == "json":
        events = json.loads(out)
        assert HOSTILE in [row["text"] for row in events]
        assert events[0]["event_at"] == "2026-01-14T10:00:00.000Z"
    elif form == "table":
        assert b"\x1b" not in out


def test_a_session_that_nobody_holds_ends_with_3(
    tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    assert run(["debug-session", "--session-id", "no\x1b[2J", "--data-dir", str(tmp_path)]) == 3
    out, messages = capfdbinary.readouterr()
    assert out == b""
    assert b"\x1b" not in messages
    assert b"stdm extract-tree" in messages
