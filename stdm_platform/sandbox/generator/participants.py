"""Participants: the user, the agent, a second agent, and the rows that stand twice.

Belongs here: the rows of participants and the keys that messages need. Does not: sessions.
"""

from __future__ import annotations

import duckdb

from stdm_platform.catalog import dmo
from stdm_platform.sandbox.generator.agents import AGENTS, DELEGATE
from stdm_platform.sandbox.generator.draws import below, bits, child, instant, literal, share, uuid4
from stdm_platform.sandbox.generator.tables import insert_sql

USER_ROW, AGENT_ROW, DELEGATE_ROW, AGAIN_ROW = 0, 1, 2, 3


def participant_id(row: int, session_key: str = "s.h") -> str:
    """The key of a session's participant row."""
    key = child(session_key, str(1_000 + row))
    return uuid4(bits(session_key, "participant"), bits(key, "participant"))


def insert_participants(con: duckdb.DuckDBPyConnection, org_id: str) -> None:
    """Insert two rows per session, three in some: a second agent, or a record that stands twice."""
    user = f"n IN ({USER_ROW}, {AGAIN_ROW})"
    keys = " ".join(f"WHEN {row} THEN {participant_id(row)}" for row in range(4))
    delegate = literal(AGENTS[DELEGATE].name)
    # the doubled row has the record's other form; one record is seen with 15 and with 18 characters
    short = f"(n = {AGAIN_ROW}) <> ({share('s.h', 'short id')} < 0.1)"
    repeats = f"{share('s.h', 'repeats the agent')} < 0.3"
    user_record = f"""CASE WHEN owner_object = 'User' THEN CASE WHEN {short} THEN staff_id15 ELSE staff_id18 END
        ELSE CASE WHEN {short} THEN customer_id15 ELSE customer_id18 END END"""
    agent_record = f"CASE WHEN {share('s.h', 'short planner')} < 0.2 THEN p.planner_id15 ELSE p.planner_id18 END"
    values = {
        "participant_id": f"CASE n {keys} END",
        "session_id": "s.session_id",
        "started_at": instant(
            f"CASE WHEN n = {DELEGATE_ROW} THEN coalesce(joined_ms, s.start_ms) ELSE s.start_ms END"
        ),
        "ended_at": instant("e.session_end_ms"),
        "participant_role": f"CASE WHEN {user} THEN 'USER' ELSE 'AGENT' END",
        "agent_api_name": f"CASE WHEN n = {DELEGATE_ROW} THEN {delegate} WHEN n = {AGENT_ROW} OR {repeats} THEN s.agent_name ELSE 'NOT_SET' END",
        "agent_version_api_name": f"CASE WHEN n = {AGENT_ROW} OR n = {DELEGATE_ROW} OR {repeats} THEN s.version_name ELSE 'NOT_SET' END",
        "agent_type": "s.agent_type",
        "agent_template_api_name": f"CASE WHEN {user} THEN 'NOT_SET' ELSE s.template END",
        "participant_record_id": f"CASE WHEN {user} THEN {user_record} ELSE {agent_record} END",
        "participant_object": f"CASE WHEN {user} THEN CASE WHEN owner_object = 'User' THEN 'User' ELSE 'MessagingEndUser' END ELSE 'GenAiPlannerDefinition' END",
        "participant_attribute_text": f"CASE WHEN {below('s.h', 'attributes', 3)} = 0 THEN '{{}}' ELSE 'NOT_SET' END",
        "individual_id": f"CASE WHEN {user} THEN s.individual_id ELSE 'NOT_SET' END",
        "external_source_id": "'NOT_SET'",
    }
    source = f"""FROM (
            SELECT *, unnest(CASE WHEN delegates AND turn_count > 0 THEN [{USER_ROW}, {AGENT_ROW}, {DELEGATE_ROW}]
                WHEN {share("h", "stands twice")} < 0.16 THEN [{USER_ROW}, {AGENT_ROW}, {AGAIN_ROW}]
                ELSE [{USER_ROW}, {AGENT_ROW}] END) AS n FROM work_session
        ) s JOIN work_end e USING (h)
        LEFT JOIN (SELECT h, min(start_ms) AS joined_ms FROM work_turn WHERE related GROUP BY h) j USING (h)
        JOIN work_agent p ON p.version_no = s.version_no
            AND p.agent_no = CASE WHEN n = {DELEGATE_ROW} THEN {DELEGATE} ELSE s.agent_no END"""
    con.execute(insert_sql(dmo("participants"), values, source, org_id))
