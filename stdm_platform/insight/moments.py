"""Moments with their pages in Salesforce.

Belongs here: SQL on `moment_links`. Does not: the address of a page (`links.py`).
"""

from __future__ import annotations

from datetime import date, timedelta

import polars as pl

from stdm_platform.errors import NotExtractedError
from stdm_platform.insight.asking import frame
from stdm_platform.insight.coverage import require
from stdm_platform.insight.scope import Scope, session_key
from stdm_platform.marts import MartStore


def moment_urls(
    store: MartStore, scope: Scope, session_id: str | None = None, *, host: str = ""
) -> pl.DataFrame:
    """The moments of one session, or of all sessions of the scope, previews included and marked.

    Returns:
        One row per moment: `session_id`, `moment_id`, `agent_name`, `agent_version`, `is_preview`,
        `started_at` and `ended_at` (UTC), `first_turn_number` and `last_turn_number`, `intent`,
        `quality_score` (1 to 5), `request_summary` and `response_summary` (an LLM's words), `url`
        (relative to the org's host unless `host` is given); sessions newest first, moments as they began.

    Raises:
        ArgumentError: the key of the session is empty.
        NotExtractedError: moments were never extracted, or the marts do not hold the session.
    """
    where, values = scope.with_previews().where()
    if session_id is not None:
        session_id = session_key(session_id)
        where, values = f"{where} and session_id = ?", [*values, session_id]
        day = _day_of(store, session_id)
        scope = Scope(day, day + timedelta(days=1))
    require(store, scope, ("moments",))
    moments = frame(
        store,
        f"""
        select
            session_id, moment_id, agent_name, agent_version, is_preview, started_at, ended_at,
            first_turn_number, last_turn_number, intent, quality_score, request_summary, response_summary,
            url
        from moment_links
        where {where}
        order by max(started_at) over (partition by session_id) desc, session_id, started_at, moment_id
        """,
        values,
    )
    return moments.with_columns((pl.lit(host) + pl.col("url")).alias("url"))


def _day_of(store: MartStore, session_id: str) -> date:
    found = frame(
        store, "select session_date from session_summary where session_id = ?", [session_id]
    )
    if found.is_empty():
        raise NotExtractedError(
            f"No published mart has the session {session_id[:80]}.",
            action="Look at the key, or extract the day on which it started; "
            f"stdm debug-session --session-id {session_id[:80]} looks in the lake itself.",
        )
    day: date = found["session_date"][0]
    return day
