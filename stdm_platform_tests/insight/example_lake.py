"""The lake on which the examples in docstrings run: four sessions of an `Orders_Bot`, written by hand.

s1  two turns: an order is shown; its return times out after 12 s, the answer is ungrounded, and the
    user is handed over
s2  one turn: an order is shown, against the instructions and without resolving the task
s3  a preview in the Builder, of one turn, without an end
s4  the next day, one turn: its answer is toxic, and a moment was made of it
"""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from stdm_platform.lake import Lake
from stdm_platform_tests.marts.lakes import DAY, NEXT, Rows, at

AGENT = "Orders_Bot"
QUESTION, ANSWER, WRONG = "Where is my order?", "It is on its way.", "It arrives tomorrow."


class Example(Rows):
    """Rows of sessions as the org serves them; times of events are milliseconds after their turn."""

    def begin(self, key: str, start: datetime, minutes: int | None, channel: str = "E & O") -> None:
        end = None if minutes is None else start + timedelta(minutes=minutes)
        self.session(key, start, end, channel_type=channel, end_type="NOT_SET")
        self.agent(key, start, AGENT)
        self.of["participants"][start.date()][-1]["agent_version_api_name"] = "v1"

    def ask(
        self, session: str, number: int, start: datetime, took: int, topic: str, answer: str
    ) -> str:
        """A turn with a question and an answer; gives its key."""
        key = f"{session}-{number}"
        end = start + timedelta(milliseconds=took)
        self.add("interactions", interaction_id=key, session_id=session, interaction_type="TURN",
                 topic_api_name=f"{topic}_16jHu000000kQ1x", started_at=start, ended_at=end,
                 previous_interaction_id=f"{session}-{number - 1}" if number > 1 else "NOT_SET")  # fmt: skip
        both = {"interaction_id": key, "session_id": session, "content_type": "text/plain"}
        self.add("messages", **both, message_id=f"{key}-in", message_type="Input", sent_at=start,
                 content_text=QUESTION)  # fmt: skip
        self.add("messages", **both, message_id=f"{key}-out", message_type="Output", sent_at=end,
                 content_text=answer)  # fmt: skip
        return key

    def did(self, turn: str, start: datetime, at_ms: int, took: int, type_: str, name: str,
            **more: Any) -> str:  # fmt: skip
        """A step of a turn; gives its key."""
        key = f"{turn}-{at_ms}"
        begun = start + timedelta(milliseconds=at_ms)
        row = {"error_message_text": "NOT_SET", "output_value_text": "NOT_SET"}
        self.add("steps", step_id=key, interaction_id=turn, step_type=type_, step_name=name,
                 started_at=begun, ended_at=begun + timedelta(milliseconds=took), **{**row, **more})  # fmt: skip
        return key

    def validated(self, turn: str, start: datetime, at_ms: int, verdict: str) -> None:
        said = '{"llmResponse":"{\\"result\\":\\"%s\\",\\"reason\\":\\"No source says so.\\"}"}'
        self.did(turn, start, at_ms, 400, "LLM_STEP", "AiCopilot__ReactValidationPrompt",
                 output_value_text=said % verdict)  # fmt: skip


def hold_example(lake: Lake) -> None:
    """Hold the example; objects that it has no rows of are held empty."""
    rows = Example()
    _returned(rows, at("10:00"))
    _against_instructions(rows, at("11:00"))
    rows.begin("s3", at("12:00"), None, "Builder")
    rows.ask("s3", 1, at("12:00"), 900, "Orders", ANSWER)
    rows.did("s3-1", at("12:00"), 100, 300, "ACTION_STEP", "Orders.GetOrder")
    _toxic(rows, at("09:00", NEXT))
    rows.publish(lake)


def _returned(rows: Example, start: datetime) -> None:
    rows.begin("s1", start, 5)
    first, second = start + timedelta(seconds=10), start + timedelta(seconds=60)
    rows.ask("s1", 1, first, 2000, "Orders", ANSWER)
    rows.did("s1-1", first, 100, 200, "ACTION_STEP", "Orders.GetOrder")
    rows.validated("s1-1", first, 1000, "GROUNDED")
    rows.ask("s1", 2, second, 15_000, "Returns", WRONG)
    rows.did("s1-2", second, 500, 12_000, "ACTION_STEP", "Returns.CreateReturn",
             error_message_text="Request timed out", pre_step_variable_text='{"retries":0}',
             post_step_variable_text='{"retries":1}')  # fmt: skip
    rows.validated("s1-2", second, 13_000, "NOT_GROUNDED")
    rows.end("s1", start + timedelta(minutes=5), "CLOSED_TRANSFERRED")


def _against_instructions(rows: Example, start: datetime) -> None:
    rows.begin("s2", start, 1)
    rows.ask("s2", 1, start, 1000, "Orders", ANSWER)
    rows.did("s2-1", start, 100, 250, "ACTION_STEP", "Orders.GetOrder")
    verdicts = '{"mgr.sensitive.step.result":"InstructionAdherence=LOW, TaskResolution=UNRESOLVED"}'
    rows.did("s2-1", start, 800, 90, "TRUST_GUARDRAILS_STEP", "InstructionAdherence",
             output_value_text=verdicts, error_message_text="None")  # fmt: skip
    rows.end("s2", start + timedelta(minutes=1))


def _toxic(rows: Example, start: datetime) -> None:
    rows.begin("s4", start, 1)
    rows.ask("s4", 1, start, 1500, "Orders", WRONG)
    rows.did(
        "s4-1", start, 100, 700, "LLM_STEP", "AiCopilot__ReactInitialPrompt", generation_id="g1"
    )
    rows.did("s4-1", start, 900, 500, "LLM_STEP", "AiCopilot__ReactInitialPrompt")
    scored = {"occurred_at": start + timedelta(seconds=1)}
    rows.add("generations", **scored, generation_id="g1", response_text=WRONG)
    rows.add("content_quality", **scored, content_quality_id="q1", generation_id="g1",
             content_type="OUTPUT", is_toxicity_detected="true")  # fmt: skip
    for category, value in (("profanity", "0.9"), ("hate", "0.1"), ("safety_score", "0.99")):
        rows.add("content_categories", **scored, content_category_id=f"c-{category}", parent_id="q1",
                 detector_type="TOXICITY", category=category, category_value=value)  # fmt: skip
    rows.add("moments", moment_id="m1", session_id="s4", started_at=start, agent_api_name=AGENT,
             ended_at=start + timedelta(seconds=2), request_summary_text="Where is it?",
             response_summary_text="It comes tomorrow.")  # fmt: skip


def example_lake(data_dir: Path) -> Lake:
    """A lake that holds the example."""
    lake = Lake(data_dir)
    hold_example(lake)
    return lake


__all__ = ["DAY", "NEXT", "example_lake", "hold_example"]
