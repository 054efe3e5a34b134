"""Where the time of one turn goes: each millisecond once, and what no step explains.

Belongs here: classes of steps and the division of a turn's time. Does not: figures over many turns
(dbt model `turn_latency`, which divides in the same way; a test compares the two).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from stdm_platform.insight.session_record import Event, Turn, milliseconds

UNEXPLAINED = "unexplained"
CLASSES = ("llm", "action", "guardrail", "groundedness", "other")


@dataclass(frozen=True)
class Segment:
    """A stretch of a turn: milliseconds since its start, how many, and the class of its step."""

    start_ms: int
    length_ms: int
    step_class: str


def step_class(event: Event) -> str:
    """What a step is: `llm`, `action`, `guardrail`, `groundedness`, `topic` or `other`."""
    kind, name = event.type or "", (event.name or "").lower()
    if kind == "LLM_STEP":
        is_check = "reactvalidationprompt" in name or "groundedness" in name
        return "groundedness" if is_check else "llm"
    if kind == "ACTION_STEP":
        return "action"
    if kind == "TOPIC_STEP":
        return "topic"
    if kind == "TRUST_GUARDRAILS_STEP" or (kind == "CLASSIFIER_STEP" and "guardrail" in name):
        return "guardrail"
    return "other"


def segments_of(turn: Turn) -> list[Segment]:
    """The turn from its start to its end, without overlaps; `unexplained` where no step runs.

    A millisecond belongs to the step that started first, so a model that is called inside an action is time of
    the action. Steps reach no further than the turn, and topic choices span others and count for nothing.
    Nothing of a turn without an end.
    """
    end = turn.duration_ms
    if end is None or turn.ended_at is None:
        return []
    found: list[Segment] = []
    covered = 0
    for start, until, kind in sorted(
        _spans(turn, turn.ended_at), key=lambda span: (span[0], -span[1])
    ):
        if until <= covered:
            continue
        begin = max(start, covered)
        if begin > covered:
            found.append(Segment(covered, begin - covered, UNEXPLAINED))
        found.append(Segment(begin, until - begin, kind))
        covered = until
    if covered < end:
        found.append(Segment(covered, end - covered, UNEXPLAINED))
    return found


def parts_of(segments: list[Segment]) -> dict[str, int]:
    """Milliseconds by class, `unexplained` too; those without any are 0."""
    parts = dict.fromkeys((*CLASSES, UNEXPLAINED), 0)
    for segment in segments:
        parts[segment.step_class] += segment.length_ms
    return parts


def response_ms(turn: Turn) -> int | None:
    """Milliseconds from the first user message to the first answer after it; None without both."""
    said = [event for event in turn.events if event.kind == "message"]
    asked = [event.at for event in said if (event.type or "").upper() == "INPUT"]
    if not asked:
        return None
    answers = [
        event.at
        for event in said
        if (event.type or "").upper() == "OUTPUT" and event.at >= min(asked)
    ]
    return milliseconds(min(asked), min(answers)) if answers else None


def _spans(turn: Turn, end: datetime) -> list[tuple[int, int, str]]:
    spans = []
    for event in turn.events:
        kind = step_class(event)
        if event.kind != "step" or kind == "topic" or event.until is None:
            continue
        first, last = max(event.at, turn.started_at), min(event.until, end)
        if last > first:
            begin = milliseconds(turn.started_at, first) or 0
            spans.append((begin, milliseconds(turn.started_at, last) or 0, kind))
    return spans
