"""The order of a session's rows, and what happened inside of what.

Belongs here: true order at equal instants, nesting by time. Does not: reading or naming rows.

Salesforce gives steps no parent but their interaction, and a chain of previous steps (Data 360 page, section
5.5). Rows of one millisecond are therefore put in the chain's order. A step is inside of another when that
one can contain steps and its time does.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, TypeVar

from stdm_platform.insight.session_record import Event

SPANNING_TYPES = frozenset({"TOPIC_STEP", "RELATED_AGENT_STEP"})
"""Steps that other steps can run inside of: a topic can span its turn."""

T = TypeVar("T")
Place = tuple[datetime, int]


def interactions_in_order(rows: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Interactions by their start, then by the chain."""
    chain = {row["interaction_id"]: row["previous_interaction_id"] for row in rows}
    by_key = sorted(rows, key=lambda row: str(row["interaction_id"]))
    return _in_order(
        by_key, lambda row: (row["started_at"], 0), lambda row: str(row["interaction_id"]), chain
    )


def events_in_order(events: Sequence[Event], chain: Mapping[str, str | None]) -> list[Event]:
    """Events by their start; at one instant what the user said, steps by their chain, what the agent said.

    Of steps that no chain orders, the longest comes first, as it may span the others.
    """
    longest_first = sorted(events, key=lambda event: (-(event.duration_ms or -1), event.row_id))
    return _in_order(
        longest_first, lambda event: (event.at, _rank(event)), lambda event: event.row_id, chain
    )


def nested(events: Sequence[Event]) -> list[Event]:
    """The events, in order, with their parent and depth: inside of the innermost step that spans them."""
    around: list[Event] = []
    placed = []
    for event in events:
        while around and not _spans(around[-1], event):
            around.pop()
        if around and event.kind == "step":
            event = replace(event, parent_id=around[-1].row_id, depth=len(around))
        placed.append(event)
        if event.type in SPANNING_TYPES and event.duration_ms:
            around.append(event)
    return placed


def _rank(event: Event) -> int:
    if event.kind == "message":
        return 0 if (event.type or "").upper() == "INPUT" else 2
    return 1


def _spans(outer: Event, inner: Event) -> bool:
    if outer.until is None:
        return False
    return inner.at < outer.until and (inner.until is None or inner.until <= outer.until)


def _in_order(
    rows: Sequence[T],
    place: Callable[[T], Place],
    key: Callable[[T], str],
    chain: Mapping[str, str | None],
) -> list[T]:
    """Sorted by place, then by how many rows of the same place the chain puts before; else as given."""
    places = {key(row): place(row) for row in rows}
    links: dict[str, int] = {}
    for start in places:
        path: dict[str, None] = {start: None}
        here = start
        while here not in links:
            before = chain.get(here)
            if before is None or before in path or places.get(before) != places[here]:
                links[here] = 0
                break
            path[before] = None
            here = before
        first = links[here]
        for more, each in enumerate(reversed(path)):
            links[each] = first + more
    return sorted(rows, key=lambda row: (*place(row), links[key(row)]))
