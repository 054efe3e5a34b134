"""The page of one session: its turns as a waterfall, and everything that was said and done in them.

Belongs here: a `SessionRecord` as the data of the page. Does not: drawing (`assets/session.js`), finding rows
(`insight`).

Long texts are many times the same (variables after a step are those before the next one), so each stands once
in `texts`, and events name it by its place.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from stdm_platform.harmless import harmless, harmless_lines
from stdm_platform.insight.session_record import (
    Event,
    Moment,
    SessionRecord,
    Turn,
    milliseconds,
)
from stdm_platform.pages.document import asset, document
from stdm_platform.pages.turn_parts import parts_of, response_ms, segments_of, step_class

LABELS = {"TOPIC_STEP": "topic", "VARIABLE_UPDATE_STEP": "set", "RELATED_AGENT_STEP": "delegate",
          "INTERRUPT_STEP": "interrupt", "CLASSIFIER_STEP": "classify", "SESSION_END": "end"}  # fmt: skip


class Texts:
    """Texts of the page, each once, harmless; an event says the place of its own."""

    def __init__(self) -> None:
        self._places: dict[str, int] = {}

    def place(self, text: str | None) -> int | None:
        """The place of a text; None without one."""
        return None if text is None else self._places.setdefault(text, len(self._places))

    def all(self) -> list[str]:
        """The texts in their places."""
        return [harmless_lines(text) for text in self._places]


def session_page(record: SessionRecord, made_at: datetime) -> str:
    """The page of a session as one HTML document in UTF-8; `made_at` (UTC) is when it is made.

    Links to Salesforce can be followed where the record has the org's host, else they are shown as text.
    """
    texts = Texts()
    data = {
        "turns": [_turn(turn, record.started_at, texts) for turn in record.turns],
        "loose": [_event(event, record.started_at, texts) for event in record.loose],
    }
    return document(
        "session.html",
        {**data, "texts": texts.all()},
        style=asset("page.css") + asset("session.css"),
        scripts=[asset("tables.js"), asset("session.js")],
        record=record,
        title=f"Session {harmless(record.session_id)}",
        facts=list(_facts(record)),
        variables=_pretty(record.variables),
        links=[*record.links.items()],
        moments=record.moments,
        link_of_moment=_moment_title,
        made_at=f"{made_at:%Y-%m-%d %H:%M} UTC",
        read_at=f"{record.read_at:%Y-%m-%d %H:%M} UTC",
    )


def _facts(record: SessionRecord) -> Iterator[tuple[str, str]]:
    version = f" {record.agent_version}" if record.agent_version else ""
    numbered = sum(turn.number is not None for turn in record.turns)
    steps = sum(event.kind == "step" for event in record.events)
    yield "agent", f"{record.agent or '(unknown)'}{version}"
    if len(record.agents) > 1:
        yield "agents", ", ".join(record.agents)
    yield "channel", record.channel or "not set"
    yield "started at", _instant(record.started_at)
    yield "ended at", _instant(record.ended_at) if record.ended_at else "not known"
    yield "duration", _ms(record.duration_ms)
    yield "end type", record.end_type or "not set"
    yield "turns", f"{numbered:,}"
    yield "messages", f"{len(record.events) - steps:,}"
    yield "steps", f"{steps:,}"
    yield "errors", "cannot be told" if record.error_count is None else f"{record.error_count:,}"
    if record.previous_session_id:
        yield "previous session", record.previous_session_id
    yield "org", record.org_id


def _turn(turn: Turn, session_start: datetime, texts: Texts) -> dict[str, Any]:
    segments = segments_of(turn)
    errors = [event.is_error for event in turn.events if event.kind == "step"]
    return {
        "number": turn.number,
        "key": harmless(turn.interaction_id),
        "type": harmless(turn.type or "(unknown)"),
        "topic": None if turn.topic is None else harmless(turn.topic),
        "left": harmless(turn.previous_topic or "") if turn.is_topic_change else None,
        "trace": None if turn.trace_id is None else harmless(turn.trace_id),
        "at": f"{turn.started_at:%H:%M:%S}.{turn.started_at.microsecond // 1000:03d}",
        "since": milliseconds(session_start, turn.started_at),
        "duration": turn.duration_ms,
        "response": response_ms(turn),
        "parts": parts_of(segments) if turn.duration_ms is not None else None,
        "segments": [[each.start_ms, each.length_ms, each.step_class] for each in segments],
        "errors": None if None in errors else sum(bool(each) for each in errors),
        "events": [_event(event, turn.started_at, texts) for event in turn.events],
    }


def _event(event: Event, since: datetime, texts: Texts) -> dict[str, Any]:
    """What is not known is left out: ten thousand events are to be read in a moment."""
    said = {
        "key": harmless(event.row_id),
        "kind": step_class(event) if event.kind == "step" else _side(event),
        "label": None if event.kind == "message" else LABELS.get(event.type or ""),
        "type": harmless(event.type or "(unknown)"),
        "name": None if event.name is None else harmless(event.name),
        "at": _signed(since, event.at),
        "duration": event.duration_ms,
        "depth": event.depth or None,
        "isError": event.is_error or None,
        "untold": True if event.kind == "step" and event.is_error is None else None,
        "error": texts.place(event.error),
        "text": texts.place(event.text),
        "input": texts.place(event.input),
        "output": texts.place(event.output),
        "before": texts.place(_pretty(event.before)),
        "after": texts.place(_pretty(event.after)),
        "changes": [
            [harmless(each.name), texts.place(_short(each.before)), texts.place(_short(each.after))]
            for each in event.changes
        ] or None,
        "generation": None if event.generation_id is None else harmless(event.generation_id),
    }  # fmt: skip
    return {name: value for name, value in said.items() if value is not None}


def _side(event: Event) -> str:
    return {"INPUT": "user", "OUTPUT": "agent"}.get((event.type or "").upper(), "message")


def _signed(start: datetime, at: datetime) -> int:
    """Milliseconds since the start; an event that lies before its turn has a negative place."""
    later = milliseconds(start, at)
    return later if later is not None else -(milliseconds(at, start) or 0)


def _moment_title(moment: Moment) -> str:
    return moment.request or moment.moment_id


def _pretty(value: Mapping[str, Any] | None) -> str | None:
    return None if value is None else json.dumps(value, indent=1, ensure_ascii=False, default=str)


def _short(value: object) -> str | None:
    if value is None or isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False, default=str)


def _instant(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M:%S}.{at.microsecond // 1000:03d} UTC"


def _ms(count: int | None) -> str:
    return "not known" if count is None else f"{count:,} ms"
