"""The whole org: tables, then chunk after chunk of sessions with all that hangs on them.

Belongs here: `build_org`. Does not: any row of its own.
"""

from __future__ import annotations

from datetime import date, timedelta

import duckdb

from stdm_platform.errors import ArgumentError
from stdm_platform.sandbox.generator.agents import load_agents
from stdm_platform.sandbox.generator.calls import insert_calls, plan_calls
from stdm_platform.sandbox.generator.day_shape import load_day_shape
from stdm_platform.sandbox.generator.feedback import insert_feedback, plan_feedback
from stdm_platform.sandbox.generator.messages import insert_messages
from stdm_platform.sandbox.generator.moments import insert_moments, plan_moments
from stdm_platform.sandbox.generator.participants import insert_participants
from stdm_platform.sandbox.generator.planted import create_planted, note_planted
from stdm_platform.sandbox.generator.platform_rows import insert_platform_rows
from stdm_platform.sandbox.generator.quality import insert_quality, plan_quality
from stdm_platform.sandbox.generator.session_plan import Chunk, plan_sessions
from stdm_platform.sandbox.generator.sessions import insert_sessions
from stdm_platform.sandbox.generator.skeletons import load_skeletons
from stdm_platform.sandbox.generator.steps import insert_steps, plan_steps
from stdm_platform.sandbox.generator.tables import ORG_ID, create_tables
from stdm_platform.sandbox.generator.tags import insert_tags, load_tags, plan_tags
from stdm_platform.sandbox.generator.turns import insert_interactions, plan_turns, time_turns

SESSIONS_PER_CHUNK = 20_000
"""About 600,000 rows: bounds the memory, and is large enough for the engine to be busy."""

WORK_TABLES = (
    "agent",
    "topic",
    "user",
    "rhythm",
    "plant",
    "skeleton",
    "session",
    "draft",
    "step",
    "turn",
    "end",
    "tag",
    "moment_turn",
    "marked",
    "call",
    "judged",
    "feedback",
)


def build_org(
    con: duckdb.DuckDBPyConnection,
    *,
    days: int,
    sessions_per_day: int,
    seed: int,
    end: date,
    text_bytes: int = 0,
    org_id: str = ORG_ID,
) -> None:
    """Create the org's tables and fill them with the `days` UTC days that end at `end`, included.

    A day's rows depend on the seed, the date and `sessions_per_day`, not on the other days.
    `text_bytes` pads the prompts of LLM steps, for benchmarks of volume.

    Raises:
        ArgumentError: there can be no such org.
    """
    if days < 1:
        raise ArgumentError(f"days is {days}.", action="Ask for at least one day.")
    if sessions_per_day < 0:
        raise ArgumentError(f"sessions_per_day is {sessions_per_day}.", action="Ask for 0 or more.")
    create_tables(con, replace=True)
    load_agents(con, seed)
    load_skeletons(con)
    load_day_shape(con, sessions_per_day)
    load_tags(con, org_id)
    create_planted(con)
    first_day, total = end - timedelta(days=days - 1), days * sessions_per_day
    for start in range(0, total, SESSIONS_PER_CHUNK):
        stop = min(start + SESSIONS_PER_CHUNK, total)
        _build_chunk(con, Chunk(seed, first_day, sessions_per_day, start, stop), org_id, text_bytes)
    for name in WORK_TABLES:
        con.execute(f"DROP TABLE IF EXISTS work_{name}")


def _build_chunk(
    con: duckdb.DuckDBPyConnection, chunk: Chunk, org_id: str, text_bytes: int
) -> None:
    plan_sessions(con, chunk)
    plan_turns(con)
    plan_steps(con)
    time_turns(con)
    insert_sessions(con, org_id)
    insert_participants(con, org_id)
    insert_interactions(con, org_id)
    insert_steps(con, org_id, text_bytes)
    insert_messages(con, org_id)
    plan_moments(con)
    insert_moments(con, org_id)
    plan_tags(con)
    insert_tags(con, org_id)
    plan_calls(con)
    insert_calls(con, org_id)
    plan_quality(con)
    insert_quality(con, org_id)
    plan_feedback(con)
    insert_feedback(con, org_id)
    insert_platform_rows(con, org_id)
    note_planted(con)
