"""One session as data: its facts, its turns with their events as a tree, and one list of all events.

Belongs here: what a terminal, a page or a notebook shows of one session, in the order in which it happened.
Does not: finding the rows (`session_rows.py`), rendering (`cli`), figures over many sessions.

    record = session_record(lake, store, session_id)
    record.turns[0].events            the tree: messages and steps of a turn, each with what it changed
    session_events(record)            the same as one frame, a row per event
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from stdm_platform.insight.served_values import VariableChange

Kind = Literal["message", "step"]


@dataclass(frozen=True)
class Event:
    """One message or step, with what was served of it; instants are UTC.

    `type` is the message's type as served or the step's in capitals, `name` the step's name. `text` is what
    a message says; `input` and `output` are a step's, as served. `before` and `after` are the variables
    around a step, `changes` those that differ. `error` is the error's text, or the failing state when the
    text was not asked for; `is_error` is None when nobody can tell. `parent_id` is the key of the step that
    it happened inside of, else of its interaction; `depth` is 0 right under the interaction.
    """

    kind: Kind
    row_id: str
    interaction_id: str | None
    parent_id: str | None
    depth: int
    at: datetime
    until: datetime | None
    type: str | None
    name: str | None = None
    text: str | None = None
    input: str | None = None
    output: str | None = None
    before: Mapping[str, Any] | None = None
    after: Mapping[str, Any] | None = None
    changes: tuple[VariableChange, ...] = ()
    error: str | None = None
    is_error: bool | None = False
    generation_id: str | None = None

    @property
    def duration_ms(self) -> int | None:
        """End minus start in milliseconds; None without an end, or when it lies before the start."""
        return milliseconds(self.at, self.until)


@dataclass(frozen=True)
class Turn:
    """One interaction with its events in their order.

    `number` counts the TURN interactions from 1 and is None for others, like the end of a session.
    `previous_topic` is the topic before, turns without one passed over. The times of a turn are unions of
    intervals, so what runs at once counts once: `unexplained_ms` is the part of the turn that no step but
    a topic choice covers.
    """

    number: int | None
    interaction_id: str
    type: str | None
    topic: str | None
    previous_topic: str | None
    started_at: datetime
    ended_at: datetime | None
    events: tuple[Event, ...] = ()
    trace_id: str | None = None

    @property
    def duration_ms(self) -> int | None:
        """End minus start in milliseconds; None without an end."""
        return milliseconds(self.started_at, self.ended_at)

    @property
    def is_topic_change(self) -> bool:
        """Whether the topic differs from the one before it."""
        return None not in (self.topic, self.previous_topic) and self.topic != self.previous_topic

    @property
    def unexplained_ms(self) -> int | None:
        """The part of the turn that no step covers, topic choices left out; None without an end."""
        if self.duration_ms is None or self.ended_at is None:
            return None
        spans = [
            (max(event.at, self.started_at), min(event.until, self.ended_at))
            for event in self.events
            if event.kind == "step" and event.type != "TOPIC_STEP" and event.until is not None
        ]
        return self.duration_ms - covered_ms(spans)


@dataclass(frozen=True)
class Moment:
    """A request that an LLM found in the session, with the page where Salesforce shows it."""

    moment_id: str
    started_at: datetime
    ended_at: datetime | None
    agent: str | None
    request: str | None
    response: str | None
    url: str


@dataclass(frozen=True)
class SessionRecord:
    """Everything that is held of one session; instants are UTC, values without sentinels.

    `turns` are all interactions in their order, `loose` the events whose interaction is not held.
    `links` are pages in Salesforce by what they show. `notes` say what is not known and why, as sentences.
    `read_at` is when the newest of the rows was read from the org.
    """

    session_id: str
    org_id: str
    agent: str | None
    agent_version: str | None
    agents: tuple[str, ...]
    channel: str | None
    end_type: str | None
    started_at: datetime
    ended_at: datetime | None
    variables: Mapping[str, Any] | None
    previous_session_id: str | None
    turns: tuple[Turn, ...]
    loose: tuple[Event, ...]
    moments: tuple[Moment, ...]
    links: Mapping[str, str]
    notes: tuple[str, ...]
    read_at: datetime
    is_whole: bool = field(default=False)

    @property
    def duration_ms(self) -> int | None:
        """End minus start in milliseconds; None while it is open."""
        return milliseconds(self.started_at, self.ended_at)

    @property
    def events(self) -> tuple[Event, ...]:
        """All messages and steps: turn by turn, then the loose ones."""
        return (*(event for turn in self.turns for event in turn.events), *self.loose)

    @property
    def error_count(self) -> int | None:
        """Steps with an error; None when of one nobody can tell."""
        verdicts = [event.is_error for event in self.events if event.kind == "step"]
        return None if None in verdicts else sum(bool(each) for each in verdicts)


def milliseconds(start: datetime, end: datetime | None) -> int | None:
    """Whole milliseconds from start to end; None without an end or when it lies before the start."""
    if end is None or end < start:
        return None
    span = end - start
    return (span.days * 86_400 + span.seconds) * 1000 + span.microseconds // 1000


def covered_ms(spans: list[tuple[datetime, datetime]]) -> int:
    """Milliseconds that at least one of the spans covers.

    >>> from datetime import timedelta
    >>> t = datetime(2026, 1, 14)
    >>> second = timedelta(seconds=1)
    >>> covered_ms([(t, t + 2 * second), (t + second, t + 3 * second), (t + 5 * second, t)])
    3000
    """
    total, reached = 0, None
    for start, end in sorted(spans):
        begin = start if reached is None else max(start, reached)
        if end > begin:
            total += milliseconds(begin, end) or 0
            reached = end
    return total
