"""Messages: what the user wrote and what the agent answered in each turn.

Belongs here: the rows of messages. Does not: their wording (`wording.py`).
"""

from __future__ import annotations

import duckdb

from stdm_platform.catalog import dmo
from stdm_platform.sandbox.generator.draws import (
    below,
    bits,
    child,
    instant,
    json_text,
    share,
    uuid4,
)
from stdm_platform.sandbox.generator.participants import (
    AGENT_ROW,
    DELEGATE_ROW,
    USER_ROW,
    participant_id,
)
from stdm_platform.sandbox.generator.session_plan import VOICE
from stdm_platform.sandbox.generator.tables import insert_sql

INPUT, OUTPUT, SECOND_OUTPUT = 1, 2, 3
UNANSWERED_SHARE, TWICE_ANSWERED_SHARE, JSON_SHARE = 0.04, 0.015, 0.03


def insert_messages(con: duckdb.DuckDBPyConnection, org_id: str) -> None:
    """Insert one Input per user turn and mostly one Output; greetings have only an Output."""
    is_input = f"n = {INPUT}"
    is_json = f"n = {OUTPUT} AND shape <> 'greeting' AND {share('t', 'rich answer')} < {JSON_SHARE}"
    rich = f"""concat('{{"type":"Text","text":', {json_text("answer")}, ',"quickReplies":["Yes","No"]}}')"""
    sent = f"CASE n WHEN {INPUT} THEN t.start_ms + {below('t', 'received', 10)} WHEN {OUTPUT} THEN end_ms - 2 - {below('t', 'sent', 8)} ELSE end_ms - 1 END"
    agent = f"CASE WHEN related THEN {participant_id(DELEGATE_ROW)} ELSE {participant_id(AGENT_ROW)} END"
    values = {
        "message_id": _message_id("n"),
        "interaction_id": "t.interaction_id",
        "session_id": "s.session_id",
        "participant_id": f"CASE WHEN {is_input} THEN {participant_id(USER_ROW)} ELSE {agent} END",
        "sent_at": instant(sent),
        "message_type": f"CASE WHEN {is_input} THEN 'Input' ELSE 'Output' END",
        "content_type": f"CASE WHEN {is_json} THEN 'application/json' ELSE 'text/plain' END",
        "content_text": f"CASE WHEN {is_input} THEN utterance WHEN n = {SECOND_OUTPUT} THEN 'Is there anything else I can do for you?' WHEN {is_json} THEN {rich} ELSE answer END",
        "parent_message_id": f"CASE WHEN {is_input} OR shape = 'greeting' THEN 'NOT_SET' ELSE {_message_id(str(INPUT))} END",
        "modality": f"CASE WHEN {VOICE} THEN 'VOICE' END",
        "message_started_at": f"CASE WHEN {VOICE} THEN {instant(sent)} END",
        "message_ended_at": f"CASE WHEN {VOICE} THEN {instant(f'{sent} + 900 + 40 * len(coalesce(CASE WHEN {is_input} THEN utterance ELSE answer END, chr(32)))')} END",
        "session_owner_id": "s.owner_id",
        "session_owner_object": "s.owner_object",
        "individual_id": "s.individual_id",
    }
    source = f"""FROM (
            SELECT *, unnest(CASE WHEN shape = 'greeting' THEN [{OUTPUT}]
                WHEN {share("t", "unanswered")} < {UNANSWERED_SHARE} THEN [{INPUT}]
                WHEN {share("t", "twice answered")} < {TWICE_ANSWERED_SHARE} THEN [{INPUT}, {OUTPUT}, {SECOND_OUTPUT}]
                ELSE [{INPUT}, {OUTPUT}] END) AS n
            FROM work_turn WHERE shape <> 'end'
        ) t JOIN work_session s USING (h)"""
    con.execute(insert_sql(dmo("messages"), values, source, org_id))


def _message_id(number: str) -> str:
    return uuid4(bits("t.t", "message"), bits(child("t.t", f"2000 + {number}"), "message"))
