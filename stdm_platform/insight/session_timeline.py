"""The events of one session in their order, as a frame.

Belongs here: the frame of events of one session. Does not: figures over many sessions (`summaries.py`),
finding rows (`session_rows.py`), the same as a tree (`session_record.py`), formatting (`cli`).

The mart `session_timeline` has the same events under the same names for all sessions; from the lake come,
besides, what the mart leaves out for its size: inputs, outputs and variables of steps, and moments.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import polars as pl

from stdm_platform.insight.session_building import build_record
from stdm_platform.insight.session_record import Event, SessionRecord, Turn
from stdm_platform.insight.session_rows import session_rows
from stdm_platform.lake import Lake
from stdm_platform.marts import MartStore

INSTANT = pl.Datetime("us", "UTC")
EVENT_SCHEMA = pl.Schema(
    {
        "session_id": pl.String(),
        "event_number": pl.Int64(),
        "event_at": INSTANT,
        "ended_at": INSTANT,
        "duration_ms": pl.Int64(),
        "event_kind": pl.String(),
        "event_type": pl.String(),
        "event_id": pl.String(),
        "parent_kind": pl.String(),
        "parent_id": pl.String(),
        "interaction_id": pl.String(),
        "turn_number": pl.Int64(),
        "step_id": pl.String(),
        "inside_step_id": pl.String(),
        "name": pl.String(),
        "topic": pl.String(),
        "previous_topic": pl.String(),
        "is_error": pl.Boolean(),
        "error_text": pl.String(),
        "text": pl.String(),
        "input": pl.String(),
        "output": pl.String(),
        "variables_before": pl.String(),
        "variables_after": pl.String(),
        "variables_changed": pl.String(),
        "generation_id": pl.String(),
        "url": pl.String(),
    }
)
RANKS = {
    "session_start": 0,
    "turn": 1,
    "topic_change": 2,
    "input": 3,
    "step": 4,
    "error": 6,
    "message": 7,
    "interaction": 8,
    "session_end": 9,
    "moment": 10,
}
"""What comes first of events of one instant; an input counts as one, any other message as the last word."""


def session_record(
    lake: Lake, store: MartStore, session_id: str, *, host: str = ""
) -> SessionRecord:
    """Everything that is held of a session, as a tree of turns; see `SessionRecord`.

    `host` is put before links to Salesforce, which are relative otherwise.

    Raises:
        NotExtractedError: no held day has the session, and it was not read as a whole either.
    """
    return build_record(session_rows(lake, store, session_id), host=host)


def timeline(lake: Lake, store: MartStore, session_id: str) -> pl.DataFrame:
    """The events of a session, as `session_events` shows them.

    Raises:
        NotExtractedError: no held day has the session, and it was not read as a whole either.
    """
    return session_events(session_record(lake, store, session_id))


def session_events(record: SessionRecord) -> pl.DataFrame:
    """The events of a record, one row each.

    Returns:
        The columns of `EVENT_SCHEMA`, in the order in which it happened. `event_kind` is
        `session_start`, `turn`, `interaction`, `topic_change`, `message`, `step`, `error` (at the end
        of its step), `session_end` or `moment`. `inside_step_id` is the topic or delegation whose time
        spans that of the step. `event_at` and `ended_at` are UTC, `duration_ms`
        milliseconds; topics are without planner suffix. Variables are JSON text; `variables_changed`
        lists name, before and after. `is_error` is null when nobody can tell, `url` a page in Salesforce.
    """
    events = sorted(_rows(record), key=_order)
    rows = [
        {"session_id": record.session_id, "event_number": number, **row}
        for number, row in enumerate(events, start=1)
    ]
    return pl.DataFrame(rows, schema=EVENT_SCHEMA)


def _order(row: dict[str, Any]) -> tuple[Any, int]:
    kind = row["event_kind"]
    if kind == "message" and (row["event_type"] or "").upper() == "INPUT":
        kind = "input"
    return row["event_at"], RANKS[kind]


def _rows(record: SessionRecord) -> Iterator[dict[str, Any]]:
    ends = {"event_id": record.session_id, "parent_id": None}
    yield {"event_at": record.started_at, "event_kind": "session_start", "event_type": record.channel,
           "ended_at": record.ended_at, "duration_ms": record.duration_ms, **ends}  # fmt: skip
    for turn in record.turns:
        yield from _of_turn(turn, record.session_id)
        for event in turn.events:
            yield from _of_event(event, turn, record.session_id)
    for event in record.loose:
        yield from _of_event(event, None, record.session_id)
    if record.ended_at is not None:
        yield {"event_at": record.ended_at, "event_kind": "session_end", "event_type": record.end_type,
               **ends, "parent_kind": "session", "parent_id": record.session_id}  # fmt: skip
    for moment in record.moments:
        yield {
            "event_at": moment.started_at,
            "ended_at": moment.ended_at,
            "event_kind": "moment",
            "event_id": moment.moment_id,
            "parent_kind": "session",
            "parent_id": record.session_id,
            "name": moment.agent,
            "text": moment.request,
            "output": moment.response,
            "url": moment.url,
        }


def _of_turn(turn: Turn, session_id: str) -> Iterator[dict[str, Any]]:
    kind = "turn" if turn.number is not None else "interaction"
    both = {
        "event_at": turn.started_at,
        "event_id": turn.interaction_id,
        "interaction_id": turn.interaction_id,
        "turn_number": turn.number,
        "topic": turn.topic,
    }
    yield {
        **both,
        "event_kind": kind,
        "event_type": turn.type,
        "ended_at": turn.ended_at,
        "duration_ms": turn.duration_ms,
        "parent_kind": "session",
        "parent_id": session_id,
        "name": turn.type,
    }
    if turn.is_topic_change:
        yield {
            **both,
            "event_kind": "topic_change",
            "event_type": turn.type,
            "parent_kind": kind,
            "parent_id": turn.interaction_id,
            "name": turn.topic,
            "previous_topic": turn.previous_topic,
        }


def _of_event(event: Event, turn: Turn | None, session_id: str) -> Iterator[dict[str, Any]]:
    both = {
        "interaction_id": event.interaction_id,
        "turn_number": None if turn is None else turn.number,
        "topic": None if turn is None else turn.topic,
        "event_id": event.row_id,
    }
    parent = "session" if turn is None else "interaction" if turn.number is None else "turn"
    is_step = event.kind == "step"
    yield {
        **both,
        "event_at": event.at,
        "ended_at": event.until,
        "duration_ms": event.duration_ms,
        "event_kind": event.kind,
        "event_type": event.type,
        "parent_kind": parent,
        "parent_id": session_id if turn is None else turn.interaction_id,
        "step_id": event.row_id if is_step else None,
        "inside_step_id": event.parent_id if event.depth else None,
        "name": event.name if is_step else event.type,
        "is_error": event.is_error if is_step else None,
        "error_text": event.error,
        "text": event.text,
        "input": event.input,
        "output": event.output,
        "variables_before": _json(event.before),
        "variables_after": _json(event.after),
        "variables_changed": _changed(event),
        "generation_id": event.generation_id,
    }
    if event.is_error:
        yield {
            **both,
            "event_at": event.until or event.at,
            "event_kind": "error",
            "event_type": None,
            "parent_kind": "step",
            "parent_id": event.row_id,
            "step_id": event.row_id,
            "name": event.name,
            "is_error": True,
            "error_text": event.error,
        }


def _changed(event: Event) -> str | None:
    changes = [
        {"name": each.name, "before": each.before, "after": each.after} for each in event.changes
    ]
    return _json(changes) if changes else None


def _json(value: object) -> str | None:
    return None if value is None else json.dumps(value, ensure_ascii=False, default=str)
