"""One session as lines for a terminal: a tree of turns, each event with its place in the turn's time.

Belongs here: layout of a `SessionRecord`. Does not: what happened (`session_record.py`),
printing (`cli`).

    Turn 2 · Returns, before it Order_Inquiries · 10:46:03.062 UTC · 2,981 ms, 102 ms of them unexplained
    │     +3 ms              user      Where is my parcel?
    │   +860 ms  ▕█▏ 177 ms  action    Returns.GetOrderStatus
    │                        error     The flow failed.
    │                        variable  retries: 1 → 2
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from typing import NamedTuple

from stdm_platform.harmless import cut, folded, harmless
from stdm_platform.insight.session_record import Event, Moment, SessionRecord, Turn

LONGEST_TEXT = 600
"""Characters of a message or an error that are shown unless all are asked for."""
LONGEST_PAYLOAD = 200
BAR_CELLS = 16
BAR_WIDTH = 100
"""Columns from which on there is room for bars."""
LEAST_TEXT_WIDTH = 24
LABEL_WIDTH = 9
LONGEST_LABEL = 24
LABELS = {
    "INPUT": "user",
    "OUTPUT": "agent",
    "LLM_STEP": "llm",
    "TOPIC_STEP": "topic",
    "ACTION_STEP": "action",
    "TRUST_GUARDRAILS_STEP": "guardrail",
    "CLASSIFIER_STEP": "classify",
    "VARIABLE_UPDATE_STEP": "set",
    "RELATED_AGENT_STEP": "delegate",
    "SESSION_END": "end",
    "INTERRUPT_STEP": "interrupt",
}
STYLES = {
    "user": "cyan",
    "agent": "green",
    "error": "red",
    "variable": "yellow",
    "topic": "magenta",
}


class Line(NamedTuple):
    """One line with how it looks: `bold`, `dim`, a colour, or nothing."""

    text: str
    style: str = ""


def session_lines(record: SessionRecord, *, width: int, full: bool = False) -> Iterator[Line]:
    """The lines of a session; `full` shows all text and every step's input and output."""
    yield from _head(record)
    for turn in record.turns:
        yield Line("")
        yield from _turn_lines(turn, width, full)
    if record.loose:
        yield Line("")
        yield Line(f"Events whose interaction is not held ({len(record.loose):,})", "bold")
        for event in record.loose:
            yield from _event_lines(event, record.started_at, None, width, full)
    if record.moments:
        yield Line("")
        yield Line(f"Moments ({len(record.moments):,})", "bold")
        for moment in record.moments:
            yield from _moment_lines(moment, width, full)


def _head(record: SessionRecord) -> Iterator[Line]:
    version = f" {record.agent_version}" if record.agent_version else ""
    yield Line(harmless(cut(f"Session {record.session_id}", LONGEST_PAYLOAD)), "bold")
    span = f"{_instant(record.started_at)} to "
    if record.ended_at is None:
        span += "(no end seen)"
    else:
        span += f"{_instant(record.ended_at)}, {_milliseconds(record.duration_ms)}"
    turns = sum(turn.number is not None for turn in record.turns)
    errors = record.error_count
    said = f"{errors:,}" if errors is not None else "unknown"
    facts = {
        "agent": f"{record.agent or '(unknown)'}{version}",
        "also": ", ".join(record.agents[1:]),
        "channel": record.channel or "(not set)",
        "end type": record.end_type or "",
        "time": f"{span} (UTC)",
        "holds": f"{turns:,} turns, {len(record.events):,} messages and steps, errors: {said}",
        "variables": _json(record.variables) if record.variables else "",
        "follows": record.previous_session_id or "",
        "read": f"{_instant(record.read_at)}, {'as a whole' if record.is_whole else 'by days'}",
        **dict(record.links),
    }
    name_width = max(len(name) for name, value in facts.items() if value)
    for name, value in facts.items():
        if value:
            yield Line(f"  {name:<{name_width}}  {harmless(cut(value, LONGEST_TEXT))}")


def _turn_lines(turn: Turn, width: int, full: bool) -> Iterator[Line]:
    title = f"Turn {turn.number}" if turn.number is not None else turn.type or "Interaction"
    parts = [title, turn.topic or "(no topic)" if turn.number is not None else ""]
    if turn.is_topic_change:
        parts[1] += f", before it {turn.previous_topic}"
    parts.append(f"{turn.started_at:%H:%M:%S}.{turn.started_at.microsecond // 1000:03} UTC")
    if turn.duration_ms is not None:
        parts.append(f"{_milliseconds(turn.duration_ms)}, {_milliseconds(turn.unexplained_ms)} of them unexplained")  # fmt: skip
    yield Line(harmless(" · ".join(cut(part, LONGEST_PAYLOAD) for part in parts if part)), "bold")
    for event in turn.events:
        yield from _event_lines(event, turn.started_at, turn.duration_ms, width, full)


def _event_lines(
    event: Event, start: datetime, turn_ms: int | None, width: int, full: bool
) -> Iterator[Line]:
    label = LABELS.get(
        (event.type or "").upper(), (event.type or event.kind).removesuffix("_STEP").lower()
    )
    bar = _bar(event, start, turn_ms) if width >= BAR_WIDTH else ""
    took = _milliseconds(event.duration_ms) if event.kind == "step" and event.until else ""
    offset = _offset(start, event.at)
    place = f"│ {offset:>11} {bar}{took:>9} {'  ' * event.depth}"
    indent = f"│ {'':>11} {' ' * len(bar)}{'':>9} {'  ' * event.depth}"
    text = event.text if event.kind == "message" else event.name
    text = text if text is not None else "(not held)" if event.kind == "message" else "(unnamed)"
    yield from _labelled(place, indent, label, text, width, LONGEST_TEXT if not full else None)
    if event.error:
        longest = None if full else LONGEST_TEXT
        yield from _labelled(indent, indent, "error", event.error, width, longest)
    for change in event.changes:
        told = f"{change.name}: {_json(change.before)} → {_json(change.after)}"
        longest = None if full else LONGEST_PAYLOAD
        yield from _labelled(indent, indent, "variable", told, width, longest)
    if full or event.type == "ACTION_STEP":
        for name, payload in (("in", event.input), ("out", event.output)):
            if payload is not None:
                longest = None if full else LONGEST_PAYLOAD
                yield from _labelled(indent, indent, name, payload, width, longest)


def _moment_lines(moment: Moment, width: int, full: bool) -> Iterator[Line]:
    longest = None if full else LONGEST_TEXT
    place, indent = f"│ {moment.started_at:%H:%M:%S} ", f"│ {'':>8} "
    yield from _labelled(place, indent, "asked", moment.request or "(not held)", width, longest)
    if moment.response:
        yield from _labelled(indent, indent, "answered", moment.response, width, longest)
    yield Line(f"{indent}{'link':<{LABEL_WIDTH}} {harmless(moment.url)}", "dim")


def _labelled(
    first: str, others: str, label: str, text: str, width: int, longest: int | None
) -> Iterator[Line]:
    """The text beside its label, folded into the room that is left of the terminal's width."""
    shown = text if longest is None else cut(text, longest)
    room = max(LEAST_TEXT_WIDTH, width - len(others) - LABEL_WIDTH - 1)
    style = STYLES.get(label, "")
    for number, line in enumerate(folded(shown, room)):
        start, name = (first, harmless(label[:LONGEST_LABEL])) if number == 0 else (others, "")
        yield Line(f"{start}{name:<{LABEL_WIDTH}} {line}".rstrip(), style)


def _bar(event: Event, start: datetime, turn_ms: int | None) -> str:
    """Where in the turn it happened, as cells; a message is a point."""
    if not turn_ms:
        return " " * (BAR_CELLS + 2)
    first = (event.at - start).total_seconds() * 1000 / turn_ms * BAR_CELLS
    begin = min(max(int(first), 0), BAR_CELLS - 1)
    took = (event.duration_ms or 0) / turn_ms * BAR_CELLS
    end = min(max(round(first + took), begin + 1), BAR_CELLS)
    mark = "·" if event.kind == "message" else "─" if event.type == "TOPIC_STEP" else "█"
    return f"▕{' ' * begin}{mark * (end - begin)}{' ' * (BAR_CELLS - end)}▏"


def _offset(start: datetime, at: datetime) -> str:
    span = round((at - start).total_seconds() * 1000)
    return f"{span:+,} ms"


def _milliseconds(count: int | None) -> str:
    return "?" if count is None else f"{count:,} ms"


def _instant(instant: datetime) -> str:
    return f"{instant:%Y-%m-%d %H:%M:%S}.{instant.microsecond // 1000:03}"


def _json(value: object) -> str:
    return "none" if value is None else json.dumps(value, ensure_ascii=False, default=str)
