"""The plan of sessions: how many, when, with whom, how long, how they end.

Belongs here: everything that is decided once per session. Does not: rows (`sessions.py`,
`participants.py`), turns (`turns.py`).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import duckdb

from stdm_platform.sandbox.generator.agents import AGENTS, DELEGATING, USER_COUNT
from stdm_platform.sandbox.generator.day_shape import PLANTED_AGENTS
from stdm_platform.sandbox.generator.draws import (
    below,
    bits,
    literal,
    share,
    uuid4,
    uuid7,
    weighted,
)

DAY_MS = 86_400_000
EPOCH = date(1970, 1, 1)
VOICE = "channel IN ('Voice', 'PSTN', 'Builder: Voice Preview')"

CHANNELS = (
    ("E & O", 13_894), ("Builder", 1_546), ("SCRT2 - EmbeddedMessaging", 957), ("Unknown (Internal)", 200),
    ("API", 150), ("LightningDesktopCopilot", 63), ("Voice", 41), ("PSTN", 41),
    ("Builder: Voice Preview", 10), ("NGC", 2),
)  # fmt: skip
STAFF_CHANNELS = (("LightningDesktopCopilot", 60), ("Builder", 40))
TURNS = (24, 24, 19, 13, 8, 5, 3, 2, 1, 0.5, 0.3, 0.2)  # weights of 1, 2, … turns
# 2,613 + 354 + 84 of about 4,600 sessions have a named end; active and turnless ones never do
ENDS = (("CLOSED_USER_REQUEST", 2_613), ("CLOSED_TRANSFERRED", 354), ("CLOSED_ACTION", 84))
ENDS_OF = 4_600 * 0.93
ACTIVE_SHARE, CHAINED_SHARE, TURNLESS_SHARE = 0.035, 0.02, 0.3
LATE_HOUR, CROSSING_SHARE = 21, 0.3
"""Of the sessions from this hour on, this share waits with its second turn for the next day."""


@dataclass(frozen=True)
class Chunk:
    """A run of sessions: ordinals `[start, stop)` counted from the first day's first session."""

    seed: int
    first_day: date
    sessions_per_day: int
    start: int
    stop: int


def plan_sessions(con: duckdb.DuckDBPyConnection, chunk: Chunk) -> None:
    """Make `work_session`: one row per session of the chunk with all that is decided for it."""
    con.execute(f"CREATE OR REPLACE TEMP TABLE work_session AS {_identified(chunk)}")


def _started(chunk: Chunk) -> str:
    """Key, day and start; one session before the chunk comes along, for `previous_session_id`."""
    day = f"({(chunk.first_day - EPOCH).days} + o // {chunk.sessions_per_day})"
    return f"""
        numbered AS (
            SELECT o, {day} AS day, o % {chunk.sessions_per_day} AS i,
                hash(concat('session/{chunk.seed}/', {day}, '/', o % {chunk.sessions_per_day})) AS h
            FROM range({max(chunk.start - 1, 0)}, {chunk.stop}) t(o)
        ),
        placed AS (
            SELECT n.*, p.plant, (i + {share("n.h", "start")}) / {chunk.sessions_per_day} AS drawn,
                (day + 3) % 7 >= 5 AS weekend
            FROM numbered n LEFT JOIN work_plant p USING (i)
        ),
        started AS (
            SELECT p.* EXCLUDE (drawn, weekend), day * {DAY_MS} + CASE plant
                WHEN 'first millisecond' THEN 0 WHEN 'last millisecond' THEN {DAY_MS - 1}
                ELSE least({DAY_MS - 1}, CAST(
                    floor((r.hour + (drawn - low) / (least(high, 1) - low)) * 3600000) AS BIGINT)) END AS start_ms
            FROM placed p JOIN work_rhythm r ON r.weekend = p.weekend AND drawn >= low AND drawn < high
        )"""


def _identified(chunk: Chunk) -> str:
    return f"""
        WITH {_started(chunk)}, {_drawn(chunk)}, {_met()}, {_shaped()}
        SELECT s.* EXCLUDE (agent_draw, channel_draw, turns_draw, end_draw, drawn_active, greeted),
            greeted AND turn_count > 0 AS greeted, {_closed_as()} AS closed_as,
            {_owner_object()} AS owner_object,
            CASE owner_object WHEN 'User' THEN staff_id18 WHEN 'MessagingEndUser' THEN customer_id18
                ELSE u.individual_id END AS owner_id,
            CASE WHEN {share("h", "individual")} < 0.2 THEN u.individual_id ELSE 'NOT_SET' END
                AS individual_id,
            first_name || ' ' || surname AS user_name,
            customer_id15, customer_id18, staff_id15, staff_id18,
            '_PlannerPreview-' || {uuid4(bits("h", "preview high"), bits("h", "preview low"))}
                AS preview_suffix
        FROM shaped s JOIN work_user u USING (user_no)"""


def _drawn(chunk: Chunk) -> str:
    """Keys and draws; the session before the chunk goes once it has served as a predecessor."""
    return f"""
        drawn AS (
            SELECT *, {uuid7("start_ms", "h", "session")} AS session_id,
                {share("h", "agent")} AS agent_draw, {share("h", "channel")} AS channel_draw,
                {share("h", "turns")} AS turns_draw, {share("h", "end")} AS end_draw,
                {share("h", "active")} < {ACTIVE_SHARE} AS drawn_active,
                {below("h", "user", USER_COUNT)} AS user_no
            FROM started
        ),
        chained AS (
            SELECT *, CASE WHEN {share("h", "chain")} < {CHAINED_SHARE}
                THEN lag(session_id) OVER (PARTITION BY day ORDER BY i) END AS previous_session_id
            FROM drawn
        ),
        staffed AS (
            SELECT *, {_agent_no()} AS agent_no, {_version_no()} AS version_no
            FROM chained WHERE o >= {chunk.start}
        )"""


def _met() -> str:
    """The agent and the channel."""
    channel = weighted("channel_draw", [(literal(name), weight) for name, weight in CHANNELS])
    staff_channel = weighted("channel_draw", [(literal(n), w) for n, w in STAFF_CHANNELS])
    return f"""
        met AS (
            SELECT s.*, a.* EXCLUDE (agent_no, version_no), CASE
                WHEN plant IN ('NGC', 'Voice', 'PSTN', 'Builder: Voice Preview', 'API') THEN plant
                WHEN plant = 'turnless' THEN 'Unknown (Internal)'
                WHEN plant IN ('older staff', 'staff') THEN 'LightningDesktopCopilot'
                WHEN plant IS NOT NULL THEN 'E & O'
                WHEN a.staff THEN {staff_channel} ELSE {channel} END AS channel
            FROM staffed s JOIN work_agent a USING (agent_no, version_no)
        )"""


def _shaped() -> str:
    """Preview or not, active or not, over midnight or not, and the number of turns."""
    turns = [(str(count), weight) for count, weight in enumerate(TURNS, start=1)]
    two_turns = "plant IN ('interrupt', 'general error', 'ungrounded')"
    return f"""
        shaped AS (
            SELECT *, channel LIKE 'Builder%' OR channel = 'Unknown (Internal)' AS is_preview,
                drawn_active AND plant IS NULL AS active,
                plant IS NOT DISTINCT FROM 'delegation'
                    OR (agent_no = {DELEGATING} AND {share("h", "delegates")} < 0.12) AS delegates,
                plant IS NOT DISTINCT FROM 'last millisecond' OR (NOT active
                    AND start_ms % {DAY_MS} >= {LATE_HOUR} * 3600000
                    AND {share("h", "late")} < {CROSSING_SHARE}) AS crosses,
                greets AND {share("h", "greeting")} < 0.35 AS greeted,
                CASE WHEN plant = 'turnless' OR (is_preview AND plant IS NULL
                    AND {share("h", "turnless")} < {TURNLESS_SHARE}) THEN 0
                    ELSE greatest({weighted("turns_draw", turns)}, crosses::INTEGER * 2,
                        coalesce({two_turns}, false)::INTEGER * 2) END AS turn_count
            FROM met
        )"""


def _closed_as() -> str:
    ends: list[tuple[str, float]] = [(literal(name), weight) for name, weight in ENDS]
    ends.append(("NULL", ENDS_OF - sum(weight for _, weight in ENDS)))
    return f"""CASE WHEN plant = 'CLOSED_ACTION' THEN plant
        WHEN active OR turn_count = 0 THEN NULL ELSE {weighted("end_draw", ends)} END"""


def _agent_no() -> str:
    planted = " ".join(
        f"WHEN plant = {literal(plant)} THEN {agent}"
        for plant, (agent, _) in PLANTED_AGENTS.items()
    )
    drawn = weighted("agent_draw", [(str(n), agent.weight) for n, agent in enumerate(AGENTS)])
    return f"CASE {planted} ELSE {drawn} END"


def _version_no() -> str:
    planted = " ".join(
        f"WHEN plant = {literal(plant)} THEN {version}"
        for plant, (_, version) in PLANTED_AGENTS.items()
    )
    return f"CASE {planted} ELSE ({share('h', 'version')} < 0.7)::INTEGER END"


def _owner_object() -> str:
    return (
        f"CASE WHEN staff OR is_preview THEN 'User' WHEN {VOICE} THEN 'Individual'"
        " ELSE 'MessagingEndUser' END"
    )
