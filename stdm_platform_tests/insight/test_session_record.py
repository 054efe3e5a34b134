"""One session as data: every verdict by hand, on the smallest rows for which a wrong rule would differ."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from stdm_platform.insight import session_events, session_record
from stdm_platform.insight.session_record import SessionRecord, Turn
from stdm_platform.insight.session_rows import NAMES, session_rows
from stdm_platform.lake import Lake
from stdm_platform.marts import MartStore
from stdm_platform_tests.marts.lakes import DAY, NEXT, READ_AT, Rows, at, hold

START = at("10:00")


def after(milliseconds: int) -> Any:
    return START + timedelta(milliseconds=milliseconds)


class Session:
    """Rows of one session under construction: times in milliseconds after its start."""

    def __init__(self) -> None:
        self.rows = Rows()
        self.rows.session("s", START, after(60_000))

    def turn(self, key: str, start: int = 0, end: int = 1000, **more: Any) -> None:
        row = {"interaction_id": key, "session_id": "s", "interaction_type": "TURN"}
        self.rows.add(
            "interactions", **{**row, **more}, started_at=after(start), ended_at=after(end)
        )

    def step(self, key: str, start: int, end: int | None, turn: str = "t", **more: Any) -> None:
        row = {"step_id": key, "interaction_id": turn, "step_type": "LLM_STEP"}
        ended = None if end is None else after(end)
        self.rows.add("steps", **{**row, **more}, started_at=after(start), ended_at=ended)

    def record(self, folder: Path, **more: Any) -> SessionRecord:
        lake = Lake(folder)
        self.rows.publish(lake, [DAY], **more)
        return session_record(lake, MartStore(folder), "s")


@pytest.fixture
def session() -> Session:
    made = Session()
    made.turn("t")
    return made


def the_turn(record: SessionRecord) -> Turn:
    assert len(record.turns) == 1
    return record.turns[0]


@pytest.mark.parametrize(
    ("row", "error"),
    [
        ({"error_message_text": "It broke"}, "It broke"),
        ({"error_message_text": "NOT_SET"}, None),
        ({"error_message_text": "None"}, None),
        ({"error_message_text": ""}, None),
        ({"error_message_text": None}, None),
        ({"output_value_text": '{"mgr.tool.status":"error"}'}, "the action says: error"),
        ({"output_value_text": '{"mgr.tool.status":"success"}'}, None),
        (
            {"output_value_text": '{&quot;actionResponse&quot;:{&quot;__action_execution_status__&quot;:&quot;FAILED&quot;}}'},
            "the action says: failed",
        ),
        ({"output_value_text": "an error happened"}, None),
        ({"step_type": "LLM_STEP", "output_value_text": '{"mgr.tool.status":"error"}'}, None),
    ],
)  # fmt: skip
def test_an_error_is_a_real_text_or_the_state_of_an_action(
    session: Session, tmp_path: Path, row: dict[str, Any], error: str | None
) -> None:
    session.step("a", 0, 100, **{"step_type": "ACTION_STEP", **row})
    record = session.record(tmp_path)
    (event,) = the_turn(record).events
    assert (event.error, event.is_error) == (error, error is not None)
    assert record.error_count == (error is not None)


def test_an_error_that_was_not_asked_for_is_unknown_and_never_none(
    session: Session, tmp_path: Path
) -> None:
    session.step("a", 0, 100)
    record = session.record(tmp_path, absent=["ssot__ErrorMessageText__c"])
    assert record.error_count is None
    assert session_events(record).filter(event_kind="step")["is_error"].to_list() == [None]
    assert any("steps.error_message_text" in note for note in record.notes)


@pytest.mark.parametrize(
    ("before", "after_", "changed"),
    [
        ('{"a":1,"b":2}', '{"a":1,"b":3,"c":[4]}', [("b", 2, 3), ("c", None, [4])]),
        ("{&quot;a&quot;:1}", "{'a': 2}", [("a", 1, 2)]),
        ('{"a":1}', "{}", [("a", 1, None)]),
        ("NOT_SET", '{"a":1}', []),
        ('{"a":1}', "NOT_SET", []),
        ("[" * 5000, "{'a': " * 3000, []),
        ("__import__('os').remove('x')", "{}", []),
    ],
)
def test_what_a_step_changed_is_told_only_when_both_sides_can_be_read(
    session: Session, tmp_path: Path, before: str, after_: str, changed: list[Any]
) -> None:
    session.step("a", 0, 1, pre_step_variable_text=before, post_step_variable_text=after_)
    (event,) = the_turn(session.record(tmp_path)).events
    assert [(each.name, each.before, each.after) for each in event.changes] == changed


def test_steps_of_one_millisecond_stand_in_the_order_of_their_chain(
    session: Session, tmp_path: Path
) -> None:
    session.step("a", 5, 6, previous_step_id="b")
    session.step("b", 5, 5, previous_step_id="c")
    session.step("c", 5, 5, previous_step_id="NOT_SET")
    session.step("d", 4, 9, previous_step_id="a")  # another instant: the clock decides
    assert [event.row_id for event in the_turn(session.record(tmp_path)).events] == list("dcba")


def test_the_longer_of_two_steps_of_one_instant_comes_first(
    session: Session, tmp_path: Path
) -> None:
    session.step("a", 5, 6)
    session.step("b", 5, 90)
    session.step("c", 5, None)
    assert [event.row_id for event in the_turn(session.record(tmp_path)).events] == list("bac")


def test_a_chain_that_bites_its_tail_does_no_harm(session: Session, tmp_path: Path) -> None:
    for key, before in (("a", "b"), ("b", "a"), ("c", "c")):
        session.step(key, 5, 6, previous_step_id=before)
    events = the_turn(session.record(tmp_path)).events
    assert sorted(event.row_id for event in events) == ["a", "b", "c"]


def test_a_step_is_inside_of_the_topic_that_spans_it_and_of_nothing_else(
    session: Session, tmp_path: Path
) -> None:
    session.step("topic", 10, 100, step_type="TOPIC_STEP")
    session.step("inside", 20, 90)
    session.step("reaches out", 50, 101)
    session.step("later", 100, 110)
    session.step("point", 120, 120, step_type="TOPIC_STEP")
    session.step("after the point", 120, 130)
    parents = {event.row_id: event.parent_id for event in the_turn(session.record(tmp_path)).events}
    assert parents.pop("inside") == "topic"
    assert set(parents.values()) == {"t"}


def test_time_that_no_step_covers_is_unexplained_and_overlaps_count_once(
    session: Session, tmp_path: Path
) -> None:
    session.step("topic", 0, 1000, step_type="TOPIC_STEP")
    session.step("a", 100, 400)
    session.step("b", 300, 600)
    session.step("outside", 900, 5000)
    session.step("no end", 700, None)
    assert the_turn(session.record(tmp_path)).unexplained_ms == 1000 - 500 - 100


def test_turns_are_numbered_without_the_end_of_the_session(tmp_path: Path) -> None:
    session = Session()
    session.turn("second", 2000, 2500, topic_api_name="B_16jHu000000kQ1x")
    session.turn("end", 9000, 9000, interaction_type="SESSION_END", topic_api_name="NOT_SET")
    session.turn("router", 1000, 1500, topic_api_name="NOT_SET")
    session.turn("first", 0, 500, topic_api_name="A_PlannerPreview-0199")
    turns = session.record(tmp_path).turns
    assert [(turn.interaction_id, turn.number) for turn in turns] == [
        ("first", 1), ("router", 2), ("second", 3), ("end", None),
    ]  # fmt: skip
    assert [turn.is_topic_change for turn in turns] == [False, False, True, False]
    assert (turns[2].previous_topic, turns[2].topic) == ("A", "B")


def test_a_message_whose_turn_is_not_held_is_shown_and_said(
    session: Session, tmp_path: Path
) -> None:
    row = {"message_id": "m", "interaction_id": "gone", "session_id": "s"}
    session.rows.add("messages", **row, message_type="Input", sent_at=after(10))
    record = session.record(tmp_path)
    assert [event.row_id for event in record.loose] == ["m"]
    assert any("interaction that is not held" in note for note in record.notes)


@pytest.mark.parametrize(
    ("served", "text"),
    [("None", "None"), ("", ""), ("NOT_SET", None), ("a &lt;b&gt; &amp;amp;", "a <b> &amp;")],
)
def test_what_was_said_is_no_sentinel_and_loses_one_level_of_entities(
    session: Session, tmp_path: Path, served: str, text: str | None
) -> None:
    row = {"message_id": "m", "interaction_id": "t", "session_id": "s", "message_type": "Input"}
    session.rows.add("messages", **row, sent_at=after(10), content_text=served)
    (event,) = the_turn(session.record(tmp_path)).events
    assert event.text == text


def test_moments_stand_where_they_began_and_belong_to_no_turn(
    session: Session, tmp_path: Path
) -> None:
    """A15: the seed gave moments turn 0 and the order of their source."""
    row = {"moment_id": "m", "session_id": "s", "request_summary_text": "x"}
    session.rows.add("moments", **row, started_at=after(500))
    session.turn("u", 900, 1000)
    events = session_events(session.record(tmp_path))
    kinds = events["event_kind"].to_list()
    assert kinds == ["session_start", "turn", "moment", "turn", "session_end"]
    assert events.filter(event_kind="moment")["turn_number"].to_list() == [None]


def test_objects_that_were_never_extracted_are_said(tmp_path: Path) -> None:
    lake = Lake(tmp_path)
    hold(lake, "sessions", [{"session_id": "s", "started_at": START}])
    record = session_record(lake, MartStore(tmp_path), "s")
    for name in NAMES[1:]:
        assert any(note.startswith(f"{name} of this session") for note in record.notes), name


def test_the_key_may_be_quoted_as_the_gateway_writes_it(session: Session, tmp_path: Path) -> None:
    session.record(tmp_path)
    assert session_rows(Lake(tmp_path), MartStore(tmp_path), ' "s" ').session_id == "s"


def test_names_in_links_are_encoded_and_ids_that_are_none_give_no_link(tmp_path: Path) -> None:
    session = Session()
    session.rows.of["sessions"][DAY][0] |= {
        "related_messaging_session_id": "0MwQy0000064c2fAAB",
        "related_voice_call_id": "NOT_SET",
        "session_owner_id": "javascript:alert(1)",
    }
    row = {"moment_id": "m", "session_id": "s", "started_at": START}
    session.rows.add("moments", **row, agent_api_name="A&B=c#", request_summary_text="Ü?")
    record = session.record(tmp_path)
    assert record.links == {"messaging session": "/lightning/r/0MwQy0000064c2fAAB/view"}
    assert "c__agentApiName=A%26B%3Dc%23&c__title=%C3%9C%3F" in record.moments[0].url
    assert record.agent == "A&B=c#"


@pytest.mark.parametrize("hours", [-1, 1])
def test_of_a_row_under_two_days_the_newest_reading_counts(
    session: Session, tmp_path: Path, hours: int
) -> None:
    session.step("p", 10, 20, step_name="Here")
    session.rows.publish(Lake(tmp_path), [DAY])
    there = {"step_id": "p", "interaction_id": "t", "step_name": "There"}
    read_at = READ_AT + timedelta(hours=hours)
    hold(
        Lake(tmp_path), "steps", [there | {"started_at": at("00:10", NEXT)}], day=NEXT, read_at=read_at
    )  # fmt: skip
    record = session_record(Lake(tmp_path), MartStore(tmp_path), "s")
    assert [event.name for event in record.events] == ["Here" if hours < 0 else "There"]


@pytest.mark.parametrize("hours", [-1, 1])
def test_a_session_stands_on_the_day_of_its_newest_reading(
    session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, hours: int
) -> None:
    session.rows.publish(Lake(tmp_path), [DAY])
    start = at("00:05", NEXT)
    moved = [{"session_id": "s", "started_at": start}]
    hold(Lake(tmp_path), "sessions", moved, day=NEXT, read_at=READ_AT + timedelta(hours=hours))
    turn = {"interaction_id": "u", "session_id": "s", "interaction_type": "TURN"}
    later = NEXT + timedelta(days=1)
    hold(Lake(tmp_path), "interactions", [turn | {"started_at": at("00:05", later)}], day=later)
    monkeypatch.setattr(
        "stdm_platform.insight.session_rows._days_by_key", lambda _session_id: iter([DAY])
    )
    record = session_record(Lake(tmp_path), MartStore(tmp_path), "s")
    expected = (START, ["t"]) if hours < 0 else (start, ["u"])
    assert (record.started_at, [each.interaction_id for each in record.turns]) == expected


def test_the_topic_of_what_is_no_turn_changes_nothing(session: Session, tmp_path: Path) -> None:
    session.turn("u", 2000, 3000, topic_api_name="Orders")
    session.turn("v", 4000, 5000, topic_api_name="Returns", interaction_type="SESSION_START")
    session.turn("w", 6000, 7000, topic_api_name="Orders")
    record = session.record(tmp_path)
    assert [turn.previous_topic for turn in record.turns] == [None, None, None, "Orders"]
    assert "topic_change" not in session_events(record)["event_kind"].to_list()
