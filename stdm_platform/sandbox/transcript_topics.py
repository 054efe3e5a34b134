"""The topics of a transcript, which has none of its own.

Belongs here: the rule that derives them. Does not: rows (`transcripts.py`).

The topic of a turn is the family of its tools: Booking, Changes, Cancellation, Compensation, or
Information when it only looked something up. A turn without tools keeps the topic of the turn
before it; those before the first tool take the first topic to come.
A greeting turn has none.
"""

from __future__ import annotations

import re

from stdm_platform.sandbox.transcript_file import Conversation, ToolCall

NOT_SET = "NOT_SET"
TRANSFER = "transfer_to_human_agents"
FAMILIES = (
    ("Booking", ("book", "order", "purchase")),
    ("Changes", ("update", "modify", "change", "exchange")),
    ("Cancellation", ("cancel", "return", "refund")),
    ("Compensation", ("send", "issue")),
    ("Information", ("get", "search", "list", "find", "calculate", "think", "lookup")),
)


def turn_topics(conversation: Conversation) -> list[str]:
    """The topic of each turn."""
    own = [
        _family([call for reply in turn.replies for call in reply.calls])
        for turn in conversation.turns
    ]
    topic = next((family for family in own if family is not None), "Information")
    topics = []
    for turn, family in zip(conversation.turns, own, strict=True):
        topic = family or topic
        topics.append(NOT_SET if turn.user_text is None and family is None else topic)
    return topics


def _family(calls: list[ToolCall]) -> str | None:
    """The first family, in the order above, that one of the calls belongs to."""
    words = {
        word
        for call in calls
        if call.name != TRANSFER
        for word in re.split(r"\W|_", call.name.lower())
    }
    return next(
        (family for family, verbs in FAMILIES if words & set(verbs)),
        "Information" if words else None,
    )
