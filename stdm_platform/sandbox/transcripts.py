"""Chat transcripts as Session Tracing rows.

Belongs here: what becomes of a conversation. Does not: reading it (`transcript_file.py`), making
one up (`generator/`).

A user message is a TURN with an Input message. An assistant message is an LLM_STEP, and an Output
message if it holds text. A tool call with its answer is an ACTION_STEP, an error if the answer
begins with `Error`. A session that calls `transfer_to_human_agents` ends CLOSED_TRANSFERRED, one
whose last user message holds `###STOP###` ends CLOSED_USER_REQUEST, and another has no end.
"""

from __future__ import annotations

import hashlib
import json
import re
import uuid
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from stdm_platform.catalog import DMOS, arrow_schema
from stdm_platform.errors import ArgumentError
from stdm_platform.sandbox.generator import ORG_ID, create_tables
from stdm_platform.sandbox.generator.tables import table_name
from stdm_platform.sandbox.transcript_file import Conversation, Reply, Turn, read_conversations
from stdm_platform.sandbox.transcript_topics import TRANSFER, turn_topics

STOP = "###STOP###"
NOT_SET = "NOT_SET"
PLANNER_ID = "16jHu0000000TrnIAE"
FIRST_HOUR, HOURS = 6, 14
"""Sessions start between these hours: none reaches the next day."""

Rows = dict[str, list[dict[str, Any]]]


def load_transcripts(
    con: duckdb.DuckDBPyConnection,
    path: Path,
    *,
    days: int,
    end: date,
    seed: int,
    org_id: str = ORG_ID,
) -> int:
    """Add the conversations of a file to the org's tables and say how many they were.

    They are dealt out over the `days` UTC days that end at `end`, included. Keys depend on the
    content of the file, the seed and `end`.

    Raises:
        ArgumentError: the file is malformed (nothing was added), or `days` is below 1.
    """
    if days < 1:
        raise ArgumentError(f"days is {days}.", action="Ask for at least one day.")
    conversations = read_conversations(path)
    salt = f"{hashlib.sha256(path.read_bytes()).hexdigest()}/{seed}/{end}"
    agent = re.sub(r"\W+", "_", path.stem).strip("_") or "Transcripts"
    rows: Rows = {dmo.name: [] for dmo in DMOS}
    for index, conversation in enumerate(conversations):
        day = end - timedelta(days=days - 1 - index % days)
        _SessionRows(rows, f"{salt}/{index}", day, agent).add(conversation)
    create_tables(con, replace=False)
    _insert(con, rows, org_id)
    return len(conversations)


class _SessionRows:
    """The rows of one conversation, laid out on a clock of its own."""

    def __init__(self, rows: Rows, salt: str, day: date, agent: str) -> None:
        self.rows, self.salt, self.agent = rows, salt, agent
        self.drawn = 0
        midnight = datetime.combine(day, time(FIRST_HOUR), UTC)
        self.now = midnight + timedelta(milliseconds=self._draw(0, HOURS * 3_600_000))
        self.session_id = self._key("session")
        self.user_id, self.agent_id = self._key("user"), self._key("agent")
        self.interaction_id = self.step_id = self.input_id = NOT_SET

    def add(self, conversation: Conversation) -> None:
        start = self.now
        for turn, topic in zip(conversation.turns, turn_topics(conversation), strict=True):
            self._wait(5_000 + 50 * len(turn.user_text or ""), most=90_000)
            self._turn(turn, topic)
        closed_as = _closed_as(conversation)
        if closed_as is not None:
            self._wait(self._draw(200, 2_000))
            self._interaction("SESSION_END", NOT_SET)
            self._step("SESSION_END", closed_as, 5)
            self._close_interaction()
        self._wait(self._draw(10, 200))
        variables: dict[str, Any] = {"__resolved_locale__": "en_US"}
        if conversation.reward is not None:
            variables["reward"] = conversation.reward
        self._row("sessions", session_id=self.session_id, started_at=start, ended_at=self.now,
                  channel_type="E & O", end_type=NOT_SET, variable_text=json.dumps(variables),
                  session_owner_id=NOT_SET, session_owner_object="MessagingEndUser",
                  previous_session_id=NOT_SET)  # fmt: skip
        for key, role, record, kind in (
            (self.user_id, "USER", f"0PAHu000000{self._hash('record')[:4]}", "MessagingEndUser"),
            (self.agent_id, "AGENT", PLANNER_ID, "GenAiPlannerDefinition"),
        ):
            self._row("participants", participant_id=key, session_id=self.session_id, started_at=start,
                      ended_at=self.now, participant_role=role, agent_type="EinsteinServiceAgent",
                      agent_api_name=self.agent if role == "AGENT" else NOT_SET,
                      agent_version_api_name="v1" if role == "AGENT" else NOT_SET,
                      participant_record_id=record, participant_object=kind)  # fmt: skip

    def _turn(self, turn: Turn, topic: str) -> None:
        self._interaction("TURN", topic)
        self.input_id = NOT_SET
        if turn.user_text is not None:
            self.input_id = self._message("Input", turn.user_text)
        for reply in turn.replies:
            self._reply(reply)
        self._close_interaction()

    def _reply(self, reply: Reply) -> None:
        called = [{"name": call.name, "arguments": call.arguments} for call in reply.calls]
        prompt = {"promptName": "AiCopilot__ReactInitialPrompt",
                  "messages": [{"role": "user", "content": reply.prompt}]}  # fmt: skip
        output = {"llmResponse": reply.text, "toolInvocations": called}
        self._step("LLM_STEP", "AiCopilot__ReactInitialPrompt", self._draw(500, 1_500),
                   input_value_text=json.dumps(prompt, ensure_ascii=False),
                   output_value_text=json.dumps(output, ensure_ascii=False))  # fmt: skip
        self._generation(json.dumps(output, ensure_ascii=False))
        if reply.text is not None:
            self._message("Output", reply.text)
        for call in reply.calls:
            answer = NOT_SET if call.answer is None else call.answer
            self._step("ACTION_STEP", call.name, self._draw(150, 640),
                       input_value_text=NOT_SET if call.arguments is None else call.arguments,
                       output_value_text=answer,
                       error_message_text=answer if answer.startswith("Error") else NOT_SET)  # fmt: skip

    def _interaction(self, kind: str, topic: str) -> None:
        previous, self.interaction_id = self.interaction_id, self._key("interaction")
        self.step_id = NOT_SET
        self._row("interactions", interaction_id=self.interaction_id, session_id=self.session_id,
                  started_at=self.now, interaction_type=kind, topic_api_name=topic,
                  previous_interaction_id=previous, telemetry_trace_id="", telemetry_trace_span_id="",
                  attribute_text=f"{{&quot;internalTraceId&quot;:&quot;{self._hash('trace')[:32]}&quot;}}",
                  session_owner_object="MessagingEndUser")  # fmt: skip
        self._wait(5)

    def _close_interaction(self) -> None:
        self._wait(self._draw(10, 60))
        self.rows["interactions"][-1]["ended_at"] = self.now

    def _step(self, kind: str, name: str, milliseconds: int, **texts: str) -> None:
        previous, self.step_id = self.step_id, self._key("step")
        start = self.now
        self._wait(milliseconds)
        self._row("steps", step_id=self.step_id, interaction_id=self.interaction_id, started_at=start,
                  ended_at=self.now, step_type=kind, step_name=name, previous_step_id=previous,
                  **{"error_message_text": NOT_SET, **texts})  # fmt: skip
        self._wait(2)

    def _generation(self, output: str) -> None:
        """What the LLM of the newest step wrote; of its model, tokens and safety the file says nothing."""
        step = self.rows["steps"][-1]
        step["generation_id"] = str(uuid.uuid5(uuid.UUID(step["step_id"]), "generation"))
        self._row("generations", generation_id=step["generation_id"], response_text=output,
                  gateway_response_id=NOT_SET, occurred_at=step["ended_at"])  # fmt: skip

    def _message(self, kind: str, text: str) -> str:
        message_id = self._key("message")
        self._row("messages", message_id=message_id, interaction_id=self.interaction_id,
                  session_id=self.session_id, sent_at=self.now, message_type=kind,
                  participant_id=self.user_id if kind == "Input" else self.agent_id,
                  content_type="text/plain", content_text=text,
                  parent_message_id=NOT_SET if kind == "Input" else self.input_id)  # fmt: skip
        self._wait(3)
        return message_id

    def _row(self, dmo: str, **values: Any) -> None:
        self.rows[dmo].append(values)

    def _wait(self, milliseconds: int, most: int = 3_600_000) -> None:
        self.now += timedelta(milliseconds=min(milliseconds, most))

    def _hash(self, purpose: str) -> str:
        self.drawn += 1
        return hashlib.sha256(f"{self.salt}/{purpose}/{self.drawn}".encode()).hexdigest()

    def _draw(self, least: int, most: int) -> int:
        return least + int(self._hash("draw")[:12], 16) % (most - least + 1)

    def _key(self, purpose: str) -> str:
        """A UUIDv4, for sessions a UUIDv7 of their start."""
        made = uuid.UUID(self._hash(purpose)[:32], version=4)
        if purpose != "session":
            return str(made)
        epoch_ms = int(self.now.timestamp() * 1000 + 0.5)
        return str(uuid.UUID(int=epoch_ms << 80 | 0x7 << 76 | made.int & ((1 << 76) - 1)))


def _closed_as(conversation: Conversation) -> str | None:
    if any(call.name == TRANSFER for call in conversation.calls):
        return "CLOSED_TRANSFERRED"
    if conversation.turns and STOP in (conversation.turns[-1].user_text or ""):
        return "CLOSED_USER_REQUEST"
    return None


def _insert(con: duckdb.DuckDBPyConnection, rows: Rows, org_id: str) -> None:
    for dmo in DMOS:
        made = [{**row, "internal_organization_id": org_id} for row in rows[dmo.name]]
        frame = pa.Table.from_pylist(made, schema=arrow_schema(dmo).remove_metadata())
        con.register("transcript_rows", frame)
        con.execute(f"INSERT INTO {table_name(dmo)} SELECT * FROM transcript_rows")
        con.unregister("transcript_rows")
