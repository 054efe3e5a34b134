"""The page of a session: each millisecond of a turn once, each text once, nothing left out."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from stdm_platform.insight.session_record import Event, Turn
from stdm_platform.pages import session_page
from stdm_platform.pages.turn_parts import parts_of, response_ms, segments_of, step_class
from stdm_platform_tests.pages.page_reading import data_of
from stdm_platform_tests.pages.records import at, long_record, message, record, step

NOW = datetime(2026, 1, 15, tzinfo=UTC)


def turn(*events: Event, end: int | None = 1000) -> Turn:
    ended = None if end is None else at(end)
    return Turn(1, "t1", "TURN", "Orders", None, at(0), ended, events)


def llm(start: int, length: int | None, name: str = "Prompt") -> Event:
    return step(f"llm-{start}", "t1", start, length, "LLM_STEP", name)


def action(start: int, length: int | None) -> Event:
    return step(f"action-{start}", "t1", start, length, "ACTION_STEP", "Orders.GetOrder")


@pytest.mark.parametrize(
    ("type_", "name", "expected"),
    [
        ("LLM_STEP", "AiCopilot__ReactInitialPrompt", "llm"),
        ("LLM_STEP", "AiCopilot__ReactValidationPrompt", "groundedness"),
        ("LLM_STEP", "My_Groundedness_Check", "groundedness"),
        ("ACTION_STEP", "Orders.GetOrder", "action"),
        ("TOPIC_STEP", "Orders", "topic"),
        ("TRUST_GUARDRAILS_STEP", "x", "guardrail"),
        ("CLASSIFIER_STEP", "InputGuardrail", "guardrail"),
        ("CLASSIFIER_STEP", "intent", "other"),
        ("SOMETHING_NEW", "x", "other"),
    ],
)
def test_steps_have_the_classes_of_the_marts(type_: str, name: str, expected: str) -> None:
    assert step_class(step("s", "t1", 0, 1, type_, name)) == expected


def test_a_millisecond_belongs_to_the_step_that_started_first() -> None:
    parts = parts_of(segments_of(turn(action(100, 500), llm(200, 600))))
    assert (parts["action"], parts["llm"], parts["unexplained"]) == (500, 200, 300)


def test_a_step_inside_of_another_adds_nothing_and_topics_explain_nothing() -> None:
    topic = step("topic", "t1", 0, 1000, "TOPIC_STEP", "Orders")
    parts = parts_of(segments_of(turn(topic, action(100, 500), llm(200, 100))))
    assert (parts["action"], parts["llm"], parts["unexplained"]) == (500, 0, 500)


def test_what_reaches_out_of_the_turn_is_cut_and_the_parts_add_up() -> None:
    segments = segments_of(turn(llm(-500, 700), action(900, 900)))
    assert [(each.start_ms, each.length_ms, each.step_class) for each in segments] == [
        (0, 200, "llm"), (200, 700, "unexplained"), (900, 100, "action"),
    ]  # fmt: skip
    assert sum(parts_of(segments).values()) == 1000


def test_a_turn_without_an_end_is_not_divided() -> None:
    assert segments_of(turn(llm(0, 10), end=None)) == []


def test_a_step_without_an_end_leaves_its_time_unexplained() -> None:
    assert parts_of(segments_of(turn(llm(0, None))))["unexplained"] == 1000


def test_the_response_is_the_first_answer_after_the_first_question() -> None:
    said = (
        message("m0", "t1", 5, "Output", "Hello"),
        message("m1", "t1", 10, "Input", "a"),
        message("m2", "t1", 50, "Input", "b"),
        message("m3", "t1", 210, "Output", "c"),
    )
    assert response_ms(turn(*said)) == 200
    assert response_ms(turn(*said[:3])) is None
    assert response_ms(turn(said[0])) is None


def test_every_event_is_on_the_page_and_a_repeated_text_once() -> None:
    data = data_of(session_page(long_record(50), NOW))
    (made,) = data["turns"]  # type: ignore[misc]
    assert len(made["events"]) == 50
    texts = data["texts"]
    assert isinstance(texts, list)
    assert len(texts) == len(set(texts))
    first, second = made["events"][:2]
    assert first["after"] == second["before"]
    assert [name for name, _, _ in first["changes"]] == ["count"]


def test_what_nobody_can_tell_is_no_zero() -> None:
    untold = step("s", "t1", 0, 10, "ACTION_STEP", "x", is_error=None)
    page = session_page(record((turn(untold, end=None),)), NOW)
    (made,) = data_of(page)["turns"]  # type: ignore[misc]
    assert made["errors"] is None
    assert made["parts"] is None
    assert made["events"][0]["untold"] is True
    assert "cannot be told" in page


def test_events_whose_interaction_is_not_held_are_shown() -> None:
    page = session_page(record((), loose=(llm(5, 10),)), NOW)
    assert len(data_of(page)["loose"]) == 1  # type: ignore[arg-type]


def test_only_whole_addresses_are_links() -> None:
    links = {"session owner": "https://acme.my.salesforce.com/lightning/r/005/view", "individual": "/lightning/r/1/view"}  # fmt: skip
    page = session_page(record((), links=links), NOW)
    assert page.count("<a href=") - page.count('<a href="#') - page.count('href="#waterfall"') <= 1
    assert '<a href="https://acme.my.salesforce.com/lightning/r/005/view"' in page
    assert "<code>/lightning/r/1/view</code>" in page
