"""Moments: intents that the optimizer finds in closed sessions, hours later, as LLM text.

Belongs here: the rows of moments. Does not: sessions and turns.
"""

from __future__ import annotations

import duckdb

from stdm_platform.catalog import dmo
from stdm_platform.sandbox.generator.draws import bits, child, instant, share, uuid4
from stdm_platform.sandbox.generator.tables import insert_sql

SESSION_SHARE = 0.7


def plan_moments(con: duckdb.DuckDBPyConnection) -> None:
    """Make `work_moment_turn`: the turns of one to three moments of most closed sessions that are no preview."""
    con.execute(f"""
        CREATE OR REPLACE TEMP TABLE work_moment_turn AS
        SELECT t.*, (turn_no - 1) * least(t.turn_count, CASE
            WHEN {share("t.h", "moments")} < 0.6 THEN 1 WHEN {share("t.h", "moments")} < 0.88 THEN 2 ELSE 3 END)
            // t.turn_count AS moment_no
        FROM work_turn t JOIN work_session c USING (h)
        WHERE turn_no BETWEEN 1 AND t.turn_count AND NOT c.is_preview AND NOT c.active
            AND {share("h", "has moments")} < {SESSION_SHARE}""")


def insert_moments(con: duckdb.DuckDBPyConnection, org_id: str) -> None:
    """Insert the moments, and which turns each covers."""
    values = {
        "moment_id": moment_id("s.h"),
        "session_id": "s.session_id",
        "started_at": instant("m.start_ms"),
        "ended_at": instant("m.end_ms"),
        "agent_api_name": "s.agent_name",
        "agent_version_api_name": f"CASE WHEN {share('s.h', 'moment version')} < 0.04 THEN 'NOT_SET' ELSE s.version_name END",
        "request_summary_text": "concat('The user asked to ', m.gist, ' and wrote \"', m.utterance[:60], '\".')",
        "response_summary_text": "concat('The agent ', CASE WHEN m.apologizes THEN 'could not answer and apologized.' WHEN m.hands_over THEN 'handed the user over to a person.' ELSE concat('answered: ', m.answer[:80]) END)",
    }
    source = """FROM (
            SELECT h, moment_no, min(start_ms) AS start_ms, max(end_ms) AS end_ms,
                arg_min(gist, turn_no) AS gist, arg_min(utterance, turn_no) AS utterance,
                arg_max(answer, turn_no) AS answer, bool_or(apologizes) AS apologizes, bool_or(hands_over) AS hands_over
            FROM work_moment_turn GROUP BY h, moment_no
        ) m JOIN work_session s USING (h)"""
    con.execute(insert_sql(dmo("moments"), values, source, org_id))
    values = {
        "moment_interaction_id": uuid4(bits("t", "link"), bits("t", "link low")),
        "moment_id": moment_id("h"),
        "interaction_id": "interaction_id",
        "started_at": instant("start_ms"),
    }
    con.execute(insert_sql(dmo("moment_interactions"), values, "FROM work_moment_turn", org_id))


def moment_id(session_key: str) -> str:
    """The key of the moment `moment_no` of a session."""
    number = child(session_key, "3000 + moment_no")
    return uuid4(bits(session_key, "moment"), bits(number, "moment"))
