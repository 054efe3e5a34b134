"""Turns: topics, traits, words and times of each turn; and the rows of interactions.

Belongs here: everything that is decided once per turn, and the clock that lays turns into a
session. Does not: steps (`steps.py`), messages (`messages.py`).
"""

from __future__ import annotations

import duckdb

from stdm_platform.catalog import dmo
from stdm_platform.sandbox.generator.agents import AGENTS, DELEGATE
from stdm_platform.sandbox.generator.draws import (
    below,
    between,
    bits,
    child,
    hexadecimal,
    instant,
    literal,
    share,
    uuid4,
    weighted,
)
from stdm_platform.sandbox.generator.session_plan import DAY_MS
from stdm_platform.sandbox.generator.skeletons import Trait
from stdm_platform.sandbox.generator.tables import insert_sql
from stdm_platform.sandbox.generator.wording import answer, slots, utterance

SWITCH_SHARE = 0.18
ACTION_COUNTS = (("0", 58), ("1", 27), ("2", 11), ("3", 4))
VERDICTS = (
    ("'GROUNDED'", 92), ("'NOT_GROUNDED'", 3), ("'UNGROUNDED'", 1.5), ("'SMALL_TALK'", 3.5),
)  # fmt: skip
SECOND_VERDICTS = (("'GROUNDED'", 65), ("'NOT_GROUNDED'", 20), ("'UNGROUNDED'", 15))
NEGATIVE = "('NOT_GROUNDED', 'UNGROUNDED')"


def plan_turns(con: duckdb.DuckDBPyConnection) -> None:
    """Make `work_draft`: one row per interaction, still without times."""
    con.execute(f"CREATE OR REPLACE TEMP TABLE work_draft AS {_worded()}")


def time_turns(con: duckdb.DuckDBPyConnection) -> None:
    """Make `work_turn` (drafts with times) and `work_end` (when each session ended)."""
    con.execute(_timed())
    con.execute(f"""
        CREATE OR REPLACE TEMP TABLE work_end AS
        SELECT s.h, CASE WHEN s.active THEN NULL
            WHEN last_ms IS NULL THEN s.start_ms + {between("s.h", "idle", 800, 60_000)}
            WHEN s.closed_as IS NOT NULL THEN last_ms
            ELSE last_ms + {between("s.h", "idle", 60_000, 1_800_000)} END AS session_end_ms
        FROM work_session s
        LEFT JOIN (SELECT h, max(end_ms) AS last_ms FROM work_turn GROUP BY h) t USING (h)""")


def insert_interactions(con: duckdb.DuckDBPyConnection, org_id: str) -> None:
    """Insert the turns and the ends of sessions."""
    trace = hexadecimal("t", "trace", 16) + " || " + hexadecimal("t", "trace more", 16)
    span = hexadecimal("t", "span", 16)
    # escaped as text, not by replacing: this is the widest of all interaction columns
    attributes = (
        f"""concat('{{&quot;internalTraceId&quot;:&quot;', {trace},"""
        f""" '&quot;,&quot;internalSpanId&quot;:&quot;', {span},"""
        """ '&quot;,&quot;channel&quot;:&quot;', replace(s.channel, '&', '&amp;'),"""
        """ '&quot;,&quot;planner&quot;:&quot;', s.planner, '&quot;}')"""
    )
    has_trace = f"{share('t', 'trace is kept')} < 0.35"
    values = {
        "interaction_id": "t.interaction_id",
        "session_id": "s.session_id",
        "started_at": instant("t.start_ms"),
        "ended_at": instant("t.end_ms"),
        "interaction_type": "CASE WHEN shape = 'end' THEN 'SESSION_END' ELSE 'TURN' END",
        "topic_api_name": "t.topic_api_name",
        "previous_interaction_id": "t.previous_interaction_id",
        "telemetry_trace_id": f"CASE WHEN {has_trace} THEN {trace} ELSE '' END",
        "telemetry_trace_span_id": f"CASE WHEN {has_trace} THEN {span} ELSE '' END",
        "attribute_text": attributes,
        "session_owner_id": "s.owner_id",
        "session_owner_object": "s.owner_object",
        "individual_id": "s.individual_id",
    }
    source = "FROM work_turn t JOIN work_session s USING (h)"
    con.execute(insert_sql(dmo("interactions"), values, source, org_id))


def _numbered() -> str:
    """One row per interaction: key, shape, and how often the topic has changed so far."""
    return f"""
        numbered AS (
            SELECT s.*, unnest(range((NOT greeted)::INTEGER,
                turn_count + (closed_as IS NOT NULL)::INTEGER + 1)) AS turn_no
            FROM work_session s WHERE turn_count > 0
        ),
        keyed AS (SELECT *, {child("h", "turn_no")} AS t FROM numbered),
        drawn AS (
            SELECT *, CASE WHEN turn_no = 0 THEN 'greeting' WHEN turn_no > turn_count THEN 'end'
                    WHEN planner = 'classic' AND plant IS NULL AND {share("t", "flash")} < 0.08 THEN 'flash'
                    ELSE planner END AS shape,
                delegates AND turn_no = turn_count AS related,
                closed_as IS NOT DISTINCT FROM 'CLOSED_TRANSFERRED' AND turn_no = turn_count AS hands_over,
                {share("t", "actions")} AS action_draw, {share("t", "verdict")} AS verdict_draw,
                {share("t", "second verdict")} AS second_draw, {share("t", "special topic")} AS special_draw,
                sum(CASE WHEN turn_no > 1 AND {share("t", "switch")} < {SWITCH_SHARE} THEN 1 ELSE 0 END)
                    OVER (PARTITION BY h ORDER BY turn_no ROWS UNBOUNDED PRECEDING) AS switches
            FROM keyed
        )"""


def _decided() -> str:
    """Topic, verdicts and number of actions of each turn."""
    place = f"(({below('h', 'first topic', 'topic_count')} + switches * (1 + {below('h', 'topic step', 'topic_count - 1')})) % topic_count)::BIGINT"
    return f"""
        decided AS (
            SELECT *, CASE WHEN related THEN {DELEGATE} ELSE agent_no END AS topic_agent_no,
                CASE WHEN related THEN {place} % {len(AGENTS[DELEGATE].topics)} ELSE {place} END AS topic_place,
                CASE WHEN shape IN ('greeting', 'end', 'flash') THEN 0
                    WHEN plant = 'general error' AND turn_no = 1 THEN 1
                    ELSE {weighted("action_draw", ACTION_COUNTS)} END AS action_count,
                CASE WHEN plant = 'ungrounded' THEN 'UNGROUNDED'
                    ELSE {weighted("verdict_draw", VERDICTS)} END AS verdict,
                CASE WHEN plant = 'ungrounded' THEN 'UNGROUNDED'
                    ELSE {weighted("second_draw", SECOND_VERDICTS)} END AS second_verdict,
                plant IS NOT DISTINCT FROM 'ungrounded' OR {share("t", "checked")} <
                    CASE WHEN planner = 'classic' THEN 0.92 ELSE 0.6 END AS checked
            FROM drawn
        ),
        retrying AS (
            SELECT *, checked AND verdict IN {NEGATIVE}
                AND (plant IS NOT NULL OR {share("t", "retry")} < 0.6) AS retried
            FROM decided
        )"""


def _traits() -> str:
    conditions = {
        Trait.ONE_ACTION: "action_count >= 1",
        Trait.TWO_ACTIONS: "action_count >= 2",
        Trait.THREE_ACTIONS: "action_count >= 3",
        Trait.VARIABLES: f"{share('t', 'variables')} < 0.35",
        Trait.CLASSIFIED: f"{share('t', 'classified')} < 0.49",
        Trait.ROUTED: f"hands_over OR turn_no = 1 OR {share('t', 'routed')} < 0.7",
        Trait.CHECKED: "checked",
        Trait.RETRIED: "retried",
        Trait.GUARDED: f"{share('t', 'guarded')} < CASE WHEN planner = 'newer' THEN 0.43 ELSE 0.08 END",
        Trait.RELATED: "related",
        Trait.INTERRUPTED: "plant IS NOT DISTINCT FROM 'interrupt' AND turn_no = turn_count",
    }
    return " + ".join(
        f"CASE WHEN {condition} THEN {int(trait)} ELSE 0 END"
        for trait, condition in conditions.items()
    )


def _worded() -> str:
    newer = "r.planner = 'newer'"
    special = f"""CASE WHEN related THEN NULL
        WHEN hands_over AND special_draw < 0.5 THEN CASE WHEN {newer} THEN 'escalation' ELSE 'Escalation' END
        WHEN special_draw < 0.035 THEN CASE WHEN {newer} THEN 'off_topic' ELSE 'Off_Topic' END
        WHEN special_draw < 0.05 THEN 'ambiguous_question' END"""
    suffix = "CASE WHEN is_preview THEN preview_suffix WHEN suffixed THEN '_' || planner_id15 ELSE '' END"
    return f"""
        WITH {_numbered()}, {_decided()},
        topical AS (
            SELECT r.* EXCLUDE (action_draw, verdict_draw, second_draw, special_draw, checked, switches),
                {_traits()} AS traits, {special} AS special_topic, special_draw >= 0.985 AS unrouted,
                retried AND second_verdict IN {NEGATIVE} AS apologizes,
                {slots()}, k.topic_name, k.gist, k.action_names, k.utterances, k.answers
            FROM retrying r JOIN work_topic k ON k.agent_no = r.topic_agent_no AND k.topic_place = r.topic_place
        )
        SELECT h, t, turn_no, turn_count, shape, traits, related, hands_over, verdict, second_verdict,
            apologizes, topic_agent_no, topic_place, gist, action_names,
            coalesce(special_topic, topic_name) AS topic, slot_ref, slot_name, slot_city, slot_day, slot_amount,
            CASE WHEN shape IN ('greeting', 'end') OR unrouted THEN 'NOT_SET'
                WHEN related THEN {literal(AGENTS[DELEGATE].name)}
                ELSE coalesce(special_topic, topic_name) || {suffix} END AS topic_api_name,
            {_interaction_id("t")} AS interaction_id,
            CASE WHEN turn_no = (NOT greeted)::INTEGER THEN 'NOT_SET'
                ELSE {_interaction_id(child("h", "turn_no - 1"))} END AS previous_interaction_id,
            CASE WHEN shape NOT IN ('greeting', 'end') THEN {utterance()} END AS utterance,
            CASE WHEN shape <> 'end' THEN {answer()} END AS answer
        FROM topical"""


def _interaction_id(key: str) -> str:
    return uuid4(bits("h", "interaction"), bits(key, "interaction"))


def _timed() -> str:
    """Lay the turns of a session behind each other; late sessions wait for the next UTC day."""
    thinking = f"(3000 + CAST(pow({share('d.t', 'thinking')}, 3) * 110000 AS BIGINT))"
    after_midnight = (
        f"({DAY_MS} - s.start_ms % {DAY_MS} + {between('d.t', 'after midnight', 1_000, 2_400_000)})"
    )
    wait = f"""CASE WHEN s.crosses AND d.turn_no = 2 THEN {after_midnight}
        WHEN d.turn_no = (NOT s.greeted)::INTEGER THEN {between("d.t", "wake", 20, 900)}
        ELSE {thinking} END"""
    return f"""
        CREATE OR REPLACE TEMP TABLE work_turn AS
        WITH lasting AS (
            SELECT d.*, s.start_ms AS session_start_ms, {wait} AS wait_ms,
                coalesce(l.steps_ms, 0) + {between("d.t", "tail", 12, 80)} AS turn_ms
            FROM work_draft d JOIN work_session s USING (h)
            LEFT JOIN (SELECT t, max(step_end_ms) AS steps_ms FROM work_step GROUP BY t) l USING (t)
        ),
        ended AS (
            SELECT *, session_start_ms + sum(wait_ms + turn_ms)
                OVER (PARTITION BY h ORDER BY turn_no ROWS UNBOUNDED PRECEDING) AS end_ms
            FROM lasting
        )
        SELECT * EXCLUDE (session_start_ms, wait_ms, turn_ms, end_ms),
            CAST(end_ms - turn_ms AS BIGINT) AS start_ms, CAST(end_ms AS BIGINT) AS end_ms
        FROM ended"""
