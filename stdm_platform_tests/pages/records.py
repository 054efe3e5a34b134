"""Sessions as records, written by hand or by formula."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from stdm_platform.insight.served_values import variable_changes
from stdm_platform.insight.session_record import Event, Moment, SessionRecord, Turn

START = datetime(2026, 1, 14, 10, 46, 3, tzinfo=UTC)
STEP_TYPES = ("LLM_STEP", "ACTION_STEP", "TRUST_GUARDRAILS_STEP", "TOPIC_STEP")


def at(milliseconds: int) -> datetime:
    return START + timedelta(milliseconds=milliseconds)


def message(row_id: str, turn: str, ms: int, type_: str, text: str | None) -> Event:
    return Event("message", row_id, turn, turn, 0, at(ms), None, type_, text=text)


def step(
    row_id: str, turn: str, ms: int, length: int | None, type_: str, name: str, **more: object
) -> Event:
    until = None if length is None else at(ms + length)
    return Event("step", row_id, turn, turn, 0, at(ms), until, type_, name=name, **more)  # type: ignore[arg-type]


def record(
    turns: tuple[Turn, ...], *, loose: tuple[Event, ...] = (), moments: tuple[Moment, ...] = (), **more: object
) -> SessionRecord:  # fmt: skip
    said: dict[str, object] = {
        "session_id": "01a1e674-fed0-7c11-a495-8d7628dbf7d6",
        "org_id": "00Dxx",
        "agent": "Order_Support",
        "agent_version": "v3",
        "agents": ("Order_Support",),
        "channel": "Web",
        "end_type": None,
        "started_at": START,
        "ended_at": at(60_000),
        "variables": {"language": "en"},
        "previous_session_id": None,
        "turns": turns,
        "loose": loose,
        "moments": moments,
        "links": {},
        "notes": (),
        "read_at": at(86_400_000),
        **more,
    }
    return SessionRecord(**said)  # type: ignore[arg-type]


def long_record(steps: int, *, turns: int = 1) -> SessionRecord:
    """A session of that many steps, with inputs, outputs and variables of two kilobytes a step."""
    made = []
    each = steps // turns
    for turn in range(turns):
        events = []
        for number in range(each):
            before = {"count": number, "note": "n" * 200}
            after = {**before, "count": number + 1}
            events.append(
                step(
                    f"step-{turn}-{number}", f"turn-{turn}", turn * 100_000 + number * 10, 8, STEP_TYPES[number % 3],
                    f"Orders.GetOrder{number % 40}", input=f'{{"number": {number}, "text": "{"i" * 800}"}}',
                    output=f'{{"answer": {number}, "text": "{"o" * 800}"}}', before=before, after=after,
                    changes=variable_changes(before, after), is_error=number % 500 == 499,
                    error="The flow failed." if number % 500 == 499 else None,
                )
            )  # fmt: skip
        made.append(
            Turn(turn + 1, f"turn-{turn}", "TURN", "Orders", None, at(turn * 100_000),
                 at(turn * 100_000 + each * 10), tuple(events))
        )  # fmt: skip
    return record(tuple(made))
