"""Make a `SessionRecord` of a session's rows.

Belongs here: order, turns, parents and verdicts of one session's rows. Does not: finding rows
(`session_rows.py`), what single values mean (`served_values.py`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from stdm_platform.insight.links import moment_url, record_url
from stdm_platform.insight.served_values import (
    decoded_json,
    error_status,
    known,
    spoken,
    topic_of,
    variable_changes,
    variables_of,
)
from stdm_platform.insight.session_order import events_in_order, interactions_in_order, nested
from stdm_platform.insight.session_record import Event, Moment, SessionRecord, Turn
from stdm_platform.insight.session_rows import SessionRows

Row = Mapping[str, Any]
LINKED_RECORDS = {
    "messaging session": "related_messaging_session_id",
    "voice call": "related_voice_call_id",
    "session owner": "session_owner_id",
    "individual": "individual_id",
}


def build_record(rows: SessionRows, *, host: str = "") -> SessionRecord:
    """The record of a session; `host` is put before links that would be relative."""
    session = rows.frames["sessions"].row(0, named=True)
    agents = _agents(rows)
    turns, loose = _turns_and_loose(rows)
    closed = [turn.ended_at or turn.started_at for turn in turns if turn.type == "SESSION_END"]
    links = {
        name: record_url(session[column], host=host) for name, column in LINKED_RECORDS.items()
    }
    return SessionRecord(
        session_id=session["session_id"],
        org_id=rows.org_id,
        agent=agents[0][0] if agents else None,
        agent_version=agents[0][1] if agents else None,
        agents=tuple(dict.fromkeys(name for name, _ in agents)),
        channel=known(session["channel_type"]),
        end_type=known(session["end_type"]),
        started_at=session["started_at"],
        ended_at=session["ended_at"] or max(closed, default=None),
        variables=variables_of(session["variable_text"]),
        previous_session_id=known(session["previous_session_id"]),
        turns=turns,
        loose=loose,
        moments=tuple(_moments(rows, host)),
        links={name: url for name, url in links.items() if url is not None},
        notes=tuple(_notes(rows, turns, loose)),
        read_at=rows.read_at,
        is_whole=rows.is_whole,
    )


def _agents(rows: SessionRows) -> list[tuple[str, str | None]]:
    """Names with versions: of participants in the role AGENT as they joined, else of moments."""
    joined = rows.frames["participants"].sort("started_at", "participant_id")
    named = [
        (row["agent_api_name"], known(row["agent_version_api_name"]))
        for row in joined.iter_rows(named=True)
        if known(row["agent_api_name"]) and (row["participant_role"] or "").upper() == "AGENT"
    ]
    return named or [
        (row["agent_api_name"], known(row["agent_version_api_name"]))
        for row in rows.frames["moments"].sort("started_at", "moment_id").iter_rows(named=True)
        if known(row["agent_api_name"])
    ]


def _turns_and_loose(rows: SessionRows) -> tuple[tuple[Turn, ...], tuple[Event, ...]]:
    messages = [_message(row) for row in rows.frames["messages"].iter_rows(named=True)]
    of_errors = "steps.error_message_text" not in rows.unasked
    steps = rows.frames["steps"].to_dicts()
    chain = {row["step_id"]: row["previous_step_id"] for row in steps}
    chain |= {event.row_id: None for event in messages}
    by_turn: dict[str | None, list[Event]] = {}
    for event in [*messages, *(_step(row, of_errors) for row in steps)]:
        by_turn.setdefault(event.interaction_id, []).append(event)
    turns: list[Turn] = []
    number, topic = 0, None
    for row in interactions_in_order(rows.frames["interactions"].to_dicts()):
        type_ = _code(row["interaction_type"])
        events = nested(events_in_order(by_turn.pop(row["interaction_id"], []), chain))
        if type_ != "TURN":  # no turn changes its topic here, whatever this one says
            turns.append(_turn(row, type_, None, None, events))
            continue
        number += 1
        turns.append(_turn(row, type_, number, topic, events))
        topic = turns[-1].topic or topic
    left = [event for events in by_turn.values() for event in events]
    return tuple(turns), tuple(events_in_order(left, chain))


def _turn(
    row: Row, type_: str | None, number: int | None, before: str | None, events: Sequence[Event]
) -> Turn:
    said = decoded_json(row["attribute_text"])
    trace = known(row["telemetry_trace_id"]) or (
        said.get("internalTraceId") if isinstance(said, dict) else None
    )
    return Turn(
        number=number,
        interaction_id=row["interaction_id"],
        type=type_,
        topic=topic_of(row["topic_api_name"]),
        previous_topic=before,
        started_at=row["started_at"],
        ended_at=row["ended_at"],
        events=tuple(events),
        trace_id=trace,
    )


def _message(row: Row) -> Event:
    return Event(
        kind="message",
        row_id=row["message_id"],
        interaction_id=row["interaction_id"],
        parent_id=row["interaction_id"],
        depth=0,
        at=row["sent_at"],
        until=None,
        type=known(row["message_type"]),
        text=spoken(row["content_text"]),
    )


def _step(row: Row, is_text_held: bool) -> Event:
    before, after = (variables_of(row[f"{when}_step_variable_text"]) for when in ("pre", "post"))
    type_ = _code(row["step_type"])
    text = known(row["error_message_text"])
    state = error_status(type_, row["output_value_text"])
    has_error = text is not None or state is not None
    return Event(
        kind="step",
        row_id=row["step_id"],
        interaction_id=row["interaction_id"],
        parent_id=row["interaction_id"],
        depth=0,
        at=row["started_at"],
        until=row["ended_at"],
        type=type_,
        name=known(row["step_name"]),
        input=known(row["input_value_text"]),
        output=known(row["output_value_text"]),
        before=before,
        after=after,
        changes=variable_changes(before, after),
        error=text or (f"the action says: {state}" if state else None),
        is_error=True if has_error else False if is_text_held else None,
        generation_id=known(row["generation_id"]),
    )


def _code(value: str | None) -> str | None:
    value = known(value)
    return None if value is None else value.upper()


def _moments(rows: SessionRows, host: str) -> Iterable[Moment]:
    for row in rows.frames["moments"].sort("started_at", "moment_id").iter_rows(named=True):
        agent, request = known(row["agent_api_name"]), known(row["request_summary_text"])
        yield Moment(
            moment_id=row["moment_id"],
            started_at=row["started_at"],
            ended_at=row["ended_at"],
            agent=agent,
            request=request,
            response=known(row["response_summary_text"]),
            url=moment_url(row["moment_id"], row["session_id"], agent, request, host=host),
        )


def _notes(rows: SessionRows, turns: Sequence[Turn], loose: Sequence[Event]) -> Iterable[str]:
    for name in rows.missing:
        yield f"{name} of this session's day were never extracted, so none are shown."
    texts = sorted(each for each in rows.unasked if each.endswith("_text"))
    if texts:
        yield f"Not asked for, or the org has it not: {', '.join(texts)}."
    if loose:
        yield f"{len(loose):,} messages or steps name an interaction that is not held; they stand at the end."
    if not turns and "interactions" not in rows.missing:
        yield "No interaction of it is held: turns land minutes to days after their session."
