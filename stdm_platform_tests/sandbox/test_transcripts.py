"""Transcripts become Session Tracing rows; malformed ones are refused by name."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pytest

from stdm_platform.catalog import DMOS, dmo
from stdm_platform.errors import ArgumentError
from stdm_platform.sandbox.generator import build_org, truths
from stdm_platform.sandbox.generator.tables import table_name
from stdm_platform.sandbox.transcripts import load_transcripts

REAL = Path(__file__).parents[3] / "shared" / "real" / "gpt-4o-airline.json"
END = date(2026, 1, 14)


def call(name: str, call_id: str, arguments: Any = '{"id":"A1"}') -> dict[str, Any]:
    return {"id": call_id, "type": "function", "function": {"name": name, "arguments": arguments}}


def tool(call_id: str | None, content: Any, name: str | None = None) -> dict[str, Any]:
    return {"role": "tool", "tool_call_id": call_id, "name": name, "content": content}


def user(text: Any) -> dict[str, Any]:
    return {"role": "user", "content": text}


def assistant(text: Any, *calls: dict[str, Any]) -> dict[str, Any]:
    return {"role": "assistant", "content": text, **({"tool_calls": list(calls)} if calls else {})}


def loaded(
    tmp_path: Path, *trajectories: list[dict[str, Any]], **options: Any
) -> duckdb.DuckDBPyConnection:
    path = tmp_path / "small-talk.json"
    path.write_text(json.dumps([{"traj": one, "reward": 1.0} for one in trajectories]))
    con = duckdb.connect()
    con.execute("SET TimeZone = 'UTC'")
    assert load_transcripts(con, path, **{"days": 2, "end": END, "seed": 1, **options}) == len(
        trajectories
    )
    return con


def column(con: duckdb.DuckDBPyConnection, name: str, *lake_names: str) -> list[Any]:
    """Values of lake columns in the order of the clock; bare values for a single column."""
    entry = dmo(name)
    sources = ", ".join(f'"{entry[one].source}"' for one in lake_names)
    query = f'SELECT {sources} FROM {table_name(entry)} ORDER BY "{entry[entry.clock].source}"'
    return [row[0] if len(lake_names) == 1 else row for row in con.execute(query).fetchall()]


CONVERSATION = [
    {"role": "system", "content": "You are an airline agent."},
    assistant("Welcome!"),
    assistant("How can I help?"),
    user('Cancel "A1", s\'il vous plaît'),
    assistant(
        "Let me look.", call("get_reservation_details", "1"), call("cancel_reservation", "2")
    ),
    tool("2", "Error: flown already"),
    tool("1", {"id": "A1"}),
    assistant("It was flown already."),
    user("ok ###STOP###"),
]


def test_the_real_conversations_give_the_known_numbers() -> None:
    if not REAL.exists():
        pytest.skip(f"{REAL} is not here: the numbers of the real conversations are NOT checked")
    con = duckdb.connect()
    assert load_transcripts(con, REAL, days=7, end=END, seed=1) == 200
    found = truths(con)
    assert (found.sessions, found.user_messages, found.turns) == (200, 1_490, 1_490)
    assert (found.action_steps, found.action_errors, found.escalated_sessions) == (1_164, 73, 48)
    assert sorted(found.rows["sessions"].values()) == [28, 28, 28, 29, 29, 29, 29]


def test_turns_messages_and_steps_follow_the_conversation(tmp_path: Path) -> None:
    con = loaded(tmp_path, CONVERSATION)
    assert column(con, "interactions", "interaction_type", "topic_api_name") == [
        ("TURN", "NOT_SET"), ("TURN", "Cancellation"), ("TURN", "Cancellation"), ("SESSION_END", "NOT_SET"),
    ]  # fmt: skip
    assert column(con, "messages", "message_type", "content_text") == [
        ("Output", "Welcome!"), ("Output", "How can I help?"), ("Input", 'Cancel "A1", s\'il vous plaît'),
        ("Output", "Let me look."), ("Output", "It was flown already."), ("Input", "ok ###STOP###"),
    ]  # fmt: skip
    steps = column(
        con, "steps", "step_type", "step_name", "output_value_text", "error_message_text"
    )
    assert [step[0] for step in steps] == ["LLM_STEP"] * 3 + ["ACTION_STEP"] * 2 + [
        "LLM_STEP",
        "SESSION_END",
    ]
    assert steps[3][1:] == ("get_reservation_details", '{"id": "A1"}', "NOT_SET")
    assert steps[4][1:] == ("cancel_reservation", "Error: flown already", "Error: flown already")
    assert steps[6][1] == "CLOSED_USER_REQUEST"


def test_the_reward_stands_in_the_session_variables(tmp_path: Path) -> None:
    con = loaded(tmp_path, CONVERSATION)
    assert [json.loads(text)["reward"] for text in column(con, "sessions", "variable_text")] == [
        1.0
    ]


def test_a_transfer_closes_the_session_as_transferred(tmp_path: Path) -> None:
    con = loaded(tmp_path, [user("a human!"), assistant(None, call("transfer_to_human_agents", "1")), tool("1", "Transfer successful")])  # fmt: skip
    assert column(con, "steps", "step_name")[-1] == "CLOSED_TRANSFERRED"
    assert column(con, "interactions", "interaction_type") == ["TURN", "SESSION_END"]
    assert column(con, "messages", "message_type") == ["Input"]


def test_a_conversation_that_just_stops_has_no_end(tmp_path: Path) -> None:
    con = loaded(tmp_path, [user("hi"), assistant("hello")])
    assert column(con, "interactions", "interaction_type") == ["TURN"]


def test_an_answer_finds_its_call_by_name_when_its_id_is_unknown(tmp_path: Path) -> None:
    con = loaded(
        tmp_path,
        [user("x"), assistant(None, call("think", "1")), tool("other", "Error: no", "think")],
    )
    assert column(con, "steps", "step_name", "error_message_text")[1:] == [("think", "Error: no")]


def test_an_answer_without_any_call_is_kept_as_an_action(tmp_path: Path) -> None:
    con = loaded(tmp_path, [user("x"), tool("9", "42", "calculate")])
    assert column(con, "steps", "step_type", "step_name", "input_value_text", "output_value_text")[-1] == (
        "ACTION_STEP", "calculate", "NOT_SET", "42",
    )  # fmt: skip


def test_a_call_without_answer_is_no_error(tmp_path: Path) -> None:
    con = loaded(tmp_path, [user("x"), assistant("", call("think", "1", None))])
    row = ("ACTION_STEP", "NOT_SET", "NOT_SET", "NOT_SET")
    assert (
        column(
            con, "steps", "step_type", "input_value_text", "output_value_text", "error_message_text"
        )[-1]
        == row
    )
    assert column(con, "messages", "message_type") == ["Input"]


def test_content_can_be_parts_objects_or_null(tmp_path: Path) -> None:
    parts = [{"type": "text", "text": "one"}, {"type": "text", "text": "two"}]
    con = loaded(tmp_path, [user(parts), assistant({"a": "é"}), user(None), assistant(parts, call("f", "1", {"x": 1})), tool("1", [1, 2])])  # fmt: skip
    assert column(con, "messages", "content_text") == ["one\ntwo", '{"a": "é"}', "", "one\ntwo"]
    assert column(con, "steps", "input_value_text", "output_value_text")[-1] == (
        '{"x": 1}',
        "[1, 2]",
    )


def test_half_a_surrogate_pair_does_not_stop_the_load(tmp_path: Path) -> None:
    con = loaded(tmp_path, [user("broken \ud83d emoji")])
    assert column(con, "messages", "content_text")[0].startswith("broken ")


def test_an_empty_trajectory_is_a_session_without_turns(tmp_path: Path) -> None:
    con = loaded(tmp_path, [])
    assert (truths(con).sessions, truths(con).turns) == (1, 0)


def test_sessions_are_dealt_out_over_the_days(tmp_path: Path) -> None:
    con = loaded(tmp_path, *[CONVERSATION] * 5)
    assert truths(con).rows["sessions"] == {date(2026, 1, 13): 3, END: 2}


def test_the_same_file_and_seed_give_the_same_rows_and_another_seed_other_keys(
    tmp_path: Path,
) -> None:
    def content(seed: int) -> list[list[Any]]:
        con = loaded(tmp_path, CONVERSATION, CONVERSATION, seed=seed)
        return [
            con.execute(f"SELECT * FROM {table_name(entry)} ORDER BY ALL").fetchall()
            for entry in DMOS
        ]

    assert content(1) == content(1)
    for first, second in zip(content(1), content(2), strict=True):
        assert {row[0] for row in first}.isdisjoint({row[0] for row in second})


def test_transcripts_join_the_sessions_that_are_there(tmp_path: Path) -> None:
    path = tmp_path / "one.json"
    path.write_text(json.dumps([{"traj": CONVERSATION}]))
    con = duckdb.connect()
    build_org(con, days=1, sessions_per_day=10, seed=1, end=END)
    load_transcripts(con, path, days=1, end=END, seed=1)
    assert truths(con).rows["sessions"] == {END: 11}


def test_keys_are_unique_and_children_lie_inside_their_parents(tmp_path: Path) -> None:
    con = loaded(tmp_path, *[CONVERSATION] * 20)
    for entry in DMOS:
        keys = column(con, entry.name, entry.key)
        assert len(keys) == len(set(keys))
    turns, steps = table_name(dmo("interactions")), table_name(dmo("steps"))
    outside = con.execute(
        f"SELECT count(*) FROM {steps} s LEFT JOIN {turns} t ON t.ssot__Id__c = s.ssot__AiAgentInteractionId__c"
        " WHERE t.ssot__Id__c IS NULL OR s.ssot__StartTimestamp__c < t.ssot__StartTimestamp__c"
        " OR s.ssot__EndTimestamp__c > t.ssot__EndTimestamp__c"
    ).fetchall()
    assert outside == [(0,)]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("{", "is no JSON"),
        ('{"traj": []}', "holds an object and no list"),
        ("[1]", "transcript 0: it is a number and no object"),
        ("[{}]", "transcript 0: it has nothing as `traj`"),
        ('[{"traj": []}, {"traj": "x"}]', "transcript 1: it has a text as `traj`"),
        ('[{"traj": [], "reward": "high"}]', "has a text as `reward`"),
        ('[{"traj": [], "reward": NaN}]', "has nan as `reward`"),
        ('[{"traj": ["x"]}]', "transcript 0, message 0: it is a text"),
        ('[{"traj": [{"content": "x"}]}]', "message 0: it has the role None"),
        ('[{"traj": [{"role": "bot"}]}]', "has the role 'bot'"),
        ('[{"traj": [{"role": "user", "content": 1}]}]', "has a number as content"),
        ('[{"traj": [{"role": "assistant", "tool_calls": {}}]}]', "has an object as `tool_calls`"),
        ('[{"traj": [{"role": "assistant", "tool_calls": [{"id": "1"}]}]}]', "has no `function.name` in tool call 0"),
    ],
)  # fmt: skip
def test_malformed_transcripts_are_refused_by_file_index_and_problem(
    tmp_path: Path, text: str, problem: str
) -> None:
    path = tmp_path / "bad.json"
    path.write_text(text)
    con = duckdb.connect()
    with pytest.raises(ArgumentError) as caught:
        load_transcripts(con, path, days=1, end=END, seed=1)
    assert problem in str(caught.value)
    assert str(path) in str(caught.value)
    assert con.execute("SELECT count(*) FROM duckdb_tables()").fetchall() == [(0,)]


def test_a_missing_file_and_days_below_one_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ArgumentError, match="cannot be read"):
        load_transcripts(duckdb.connect(), tmp_path / "none.json", days=1, end=END, seed=1)
    with pytest.raises(ArgumentError, match="days is 0"):
        load_transcripts(duckdb.connect(), tmp_path / "none.json", days=0, end=END, seed=1)


def test_each_llm_step_has_what_its_model_wrote_and_nothing_was_detected(tmp_path: Path) -> None:
    con = loaded(tmp_path, CONVERSATION)
    steps = table_name(dmo("steps"))
    named = con.execute(
        f"SELECT s.ssot__OutputValueText__c, g.responseText__c FROM {steps} s"
        f" JOIN {table_name(dmo('generations'))} g ON g.generationId__c = s.ssot__GenerationId__c"
    ).fetchall()
    assert len(named) == len(column(con, "generations", "generation_id")) > 0
    assert all(output == response for output, response in named)
    for name in ("gateway_requests", "content_quality", "content_categories", "feedback", "tags"):
        assert column(con, name, dmo(name).key) == []
