"""The rows of sessions.

Belongs here: what a session's row says. Does not: what is decided for a session
(`session_plan.py`).
"""

from __future__ import annotations

import duckdb

from stdm_platform.catalog import dmo
from stdm_platform.sandbox.generator.draws import (
    below,
    between,
    hexadecimal,
    instant,
    json_text,
    share,
)
from stdm_platform.sandbox.generator.tables import insert_sql


def insert_sessions(con: duckdb.DuckDBPyConnection, org_id: str) -> None:
    """Insert the sessions; their ends are known once their turns are."""
    messaging = "channel IN ('E & O', 'SCRT2 - EmbeddedMessaging')"
    values = {
        "session_id": "s.session_id",
        "started_at": instant("s.start_ms"),
        "ended_at": instant("e.session_end_ms"),
        "channel_type": "s.channel",
        "end_type": "'NOT_SET'",
        "variable_text": _variables(),
        "session_owner_id": "s.owner_id",
        "session_owner_object": "s.owner_object",
        "individual_id": "s.individual_id",
        "previous_session_id": "coalesce(s.previous_session_id, 'NOT_SET')",
        "related_messaging_session_id": f"CASE WHEN {messaging} THEN '0MwQy00000' || {hexadecimal('s.h', 'messaging', 5)} || 'AAB' ELSE 'NOT_SET' END",
        "related_voice_call_id": f"CASE WHEN channel IN ('Voice', 'PSTN') THEN '0LQQy00000' || {hexadecimal('s.h', 'call', 5)} || 'AAB' ELSE 'NOT_SET' END",
    }
    con.execute(
        insert_sql(dmo("sessions"), values, "FROM work_session s JOIN work_end e USING (h)", org_id)
    )


def _variables() -> str:
    locale = f"CASE {below('s.h', 'locale', 12)} WHEN 0 THEN 'fr' WHEN 1 THEN 'es' WHEN 2 THEN 'de' ELSE 'en_US' END"
    preview = """CASE WHEN is_preview THEN ',"__preview_mode__":"true","plannerTestMode":"simulate"' ELSE '' END"""
    return (
        f"CASE WHEN {share('s.h', 'variables')} < 0.05 THEN 'NOT_SET' ELSE concat("
        f"""'{{"__resolved_locale__":"', {locale}, '","EndUserId":', {json_text("s.owner_id")},"""
        f""" ',"ContactName":', {json_text("s.user_name")}, ',"retries":', {between("s.h", "retries", 0, 3)},"""
        f""" {preview}, '}}') END"""
    )
