"""The events of one session in their order, by its key alone.

Belongs here: finding the day of a session, and its rows in the lake. Does not: figures over many sessions
(`summaries.py`), formatting (`cli`).

A key says nothing certain of its day. A UUID of the seventh kind says when it was made, and that day is
looked at first; then the published marts are asked, which know the day of every session they hold; then all
days of the lake. So the usual question costs the same whatever the history.
Source: RFC 9562, section 5.7 (the first 48 bits are milliseconds since 1970).
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import polars as pl

from stdm_platform.errors import NotExtractedError
from stdm_platform.lake import Lake, Snapshot
from stdm_platform.marts import CHILD_HORIZON, MartStore

NAMES = ("sessions", "interactions", "messages", "steps")
ONE_DAY = timedelta(days=1)


def timeline(lake: Lake, store: MartStore, session_id: str) -> pl.DataFrame:
    """The rows of a session that the lake holds within the child horizon, as events.

    Returns:
        One row per turn or other interaction, message and step: `at` (UTC), `until`, `kind`
        (`interaction`, `message`, `step`), `name` (type of the interaction or message, name of the step),
        `topic` (as served, interactions only), `text` (messages only), `error` (as served, steps only),
        `row_id`, `interaction_id`; earliest first, at one instant the interaction before its message
        before its steps. No rows when only the session itself is held.

    Raises:
        NotExtractedError: no held day has the session.
    """
    for day in _days_to_try(lake, store, session_id):
        reach = [day + later * ONE_DAY for later in range(CHILD_HORIZON + 1)]
        with lake.temporary_snapshot(NAMES, reach) as snapshot:
            if _holds(snapshot, session_id, day):
                return _events(snapshot, session_id)
    raise NotExtractedError(
        f"No held day has the session {session_id}.",
        action="Look at the key, or extract the day on which it started.",
    )


def _days_to_try(lake: Lake, store: MartStore, session_id: str) -> Iterator[date]:
    held = lake.days("sessions")
    tried: set[date] = set()
    for source in (_days_by_key(session_id), _days_by_marts(store, session_id), reversed(held)):
        for day in source:
            if day in held and day not in tried:
                tried.add(day)
                yield day


def _days_by_key(session_id: str) -> Iterator[date]:
    """The day on which the key was made, then its neighbours."""
    try:
        key = UUID(session_id)
        made = datetime.fromtimestamp((key.int >> 80) / 1000, UTC).date()
    except (ValueError, OverflowError, OSError):
        return
    if key.version == 7 and date.min < made < date.max:
        yield from (made, made + ONE_DAY, made - ONE_DAY)


def _days_by_marts(store: MartStore, session_id: str) -> Iterator[date]:
    try:
        connection = store.connect()
    except NotExtractedError:
        return
    with connection:
        rows = connection.execute(
            "select session_date from session_summary where session_id = ?", [session_id]
        ).fetchall()
    yield from (row[0] for row in rows)


def _holds(snapshot: Snapshot, session_id: str, day: date) -> bool:
    found = snapshot.scan("sessions").filter(date=day, session_id=session_id).select("date")
    return not found.head(1).collect().is_empty()


def _events(snapshot: Snapshot, session_id: str) -> pl.DataFrame:
    turns = snapshot.scan("interactions").filter(session_id=session_id).collect()
    turns = turns.unique("interaction_id", keep="last", maintain_order=True)
    of_turns = pl.col("interaction_id").is_in(turns["interaction_id"].to_list())
    messages = snapshot.scan("messages").filter((pl.col("session_id") == session_id) | of_turns)
    steps = snapshot.scan("steps").filter(of_turns)
    events = [
        _as_events(turns.lazy(), 0, "interaction", "interaction_id", "started_at", "interaction_type",
                   until="ended_at", topic="topic_api_name"),
        _as_events(messages, 1, "message", "message_id", "sent_at", "message_type", text="content_text"),
        _as_events(steps, 2, "step", "step_id", "started_at", "step_name",
                   until="ended_at", error="error_message_text"),
    ]  # fmt: skip
    rows = pl.concat(pl.collect_all(events)).unique(["kind", "row_id"], keep="last")
    return rows.sort("at", "rank", "row_id").drop("rank")


def _as_events(
    rows: pl.LazyFrame, rank: int, kind: str, key: str, at: str, name: str, **others: str
) -> pl.LazyFrame:
    more: dict[str, pl.DataType] = {
        "until": pl.Datetime("us", "UTC"),
        "topic": pl.String(),
        "text": pl.String(),
        "error": pl.String(),
    }
    return rows.select(
        pl.col(at).dt.cast_time_unit("us").alias("at"),
        *(
            (pl.col(others[each]) if each in others else pl.lit(None)).cast(kind_of).alias(each)
            for each, kind_of in more.items()
        ),
        pl.lit(kind).alias("kind"),
        pl.col(name).alias("name"),
        pl.col(key).alias("row_id"),
        "interaction_id",
        pl.lit(rank).alias("rank"),
    )
