"""Feedback: thumbs on answers, at once or days later, and what was written with them.

Belongs here: the rows of feedback, its details, and changes that an app made to an answer. Does not:
the answers' generations (`calls.py`).
"""

from __future__ import annotations

import duckdb

from stdm_platform.catalog import dmo
from stdm_platform.sandbox.generator.calls import group
from stdm_platform.sandbox.generator.draws import (
    between,
    bits,
    instant,
    member,
    share,
    text_list,
    uuid4,
    weighted,
)
from stdm_platform.sandbox.generator.tables import insert_sql

FEEDBACK_SHARE, LATE_SHARE, CHANGED_SHARE = 0.04, 0.1, 0.01
THUMBS = (("'GOOD'", 50), ("'BAD'", 25), ("'UP'", 15), ("'DOWN'", 10))
BAD = "('BAD', 'DOWN')"
COMMENTS = ("This is not what I asked for.", "wrong date!", "Zu langsam.", "It ignored my <second> question & repeated itself.")  # fmt: skip
REASONS = ("Inaccurate", "Not helpful", "Too long")
DAY_MS = 86_400_000


def plan_feedback(con: duckdb.DuckDBPyConnection) -> None:
    """Make `work_feedback`: one row per thumb."""
    con.execute(f"""
        CREATE OR REPLACE TEMP TABLE work_feedback AS
        SELECT c.h, c.t, c.generation_id, c.feature, {weighted(share("c.t", "thumb"), THUMBS)} AS thumb,
            t.end_ms + CASE WHEN {share("c.t", "late")} < {LATE_SHARE} THEN {between("c.t", "late ms", DAY_MS, 3 * DAY_MS)}
                ELSE {between("c.t", "soon ms", 2_000, 600_000)} END AS given_ms,
            {uuid4(bits("c.t", "feedback"), bits("c.t", "feedback low"))} AS feedback_id
        FROM work_call c JOIN work_turn t ON t.t = c.t JOIN work_session s ON s.h = c.h
        WHERE c.is_final AND NOT s.is_preview AND {share("c.t", "gives feedback")} < {FEEDBACK_SHARE}""")


def insert_feedback(con: duckdb.DuckDBPyConnection, org_id: str) -> None:
    """Insert thumbs, comments on bad ones, and changed answers."""
    values = {
        "feedback_id": "feedback_id",
        "generation_id": "generation_id",
        "generation_update_id": "'NOT_SET'",
        "generation_group_id": group("f.t"),
        "user_id": "s.owner_id",
        "feedback_value": "thumb",
        "feedback_action": f"CASE WHEN {share('f.t', 'acts')} < 0.2 THEN 'COPY' WHEN thumb IN {BAD} AND {share('f.t', 'acts')} < 0.5 THEN 'REGENERATE' ELSE 'NOT_SET' END",
        "feedback_source": "s.channel",
        "feature": "feature",
        "app_type": "'Agentforce'",
        "occurred_at": instant("given_ms"),
        "cloud": "'Platform'",
    }
    con.execute(
        insert_sql(
            dmo("feedback"), values, "FROM work_feedback f JOIN work_session s USING (h)", org_id
        )
    )
    values = {
        "feedback_detail_id": uuid4(bits("t", "detail"), bits("t", "detail low")),
        "feedback_id": "feedback_id",
        "feedback_text": member(text_list(COMMENTS), "t", "comment"),
        "app_feedback": member(text_list(REASONS), "t", "reason"),
        "feature": "feature",
        "occurred_at": instant("given_ms + 4000"),
        "cloud": "'Platform'",
    }
    commented = f"FROM work_feedback WHERE thumb IN {BAD} AND {share('t', 'comments')} < 0.6"
    con.execute(insert_sql(dmo("feedback_details"), values, commented, org_id))
    values = {
        "app_generation_id": uuid4(bits("c", "change"), bits("c", "change low")),
        "generation_id": "generation_id",
        "generation_update_text": "'A shorter summary.'",
        "generation_update_id": uuid4(bits("c", "update"), bits("c", "update low")),
        "feature": "feature",
        "occurred_at": instant("answered_ms + 2000"),
        "cloud": "'Platform'",
    }
    changed = (
        f"FROM work_call WHERE kind = 'nested' AND {share('c', 'is changed')} < {CHANGED_SHARE}"
    )
    con.execute(insert_sql(dmo("app_generations"), values, changed, org_id))
