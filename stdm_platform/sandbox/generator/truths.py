"""What an org holds, counted by queries of its own: for tests that compare a lake or marts with it.

Belongs here: counts. Does not: anything that the platform computes in the same way (no marts).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import duckdb

from stdm_platform.catalog import DMOS, Dmo, dmo
from stdm_platform.sandbox.generator.tables import table_name

NO_ERROR = "('NOT_SET', 'None', '')"


@dataclass(frozen=True)
class Truths:
    """Counts over the whole org; `rows` is per DMO and UTC day of its clock."""

    rows: dict[str, dict[date, int]]
    sessions: int
    turns: int
    user_messages: int
    action_steps: int
    action_errors: int
    escalated_sessions: int


def truths(con: duckdb.DuckDBPyConnection) -> Truths:
    """Count what the org holds."""
    actions = "ssot__AiAgentInteractionStepType__c = 'ACTION_STEP'"
    error = "ssot__ErrorMessageText__c"
    return Truths(
        rows={entry.name: _rows_per_day(con, entry) for entry in DMOS},
        sessions=_count(con, "sessions", "true"),
        turns=_count(con, "interactions", "ssot__AiAgentInteractionType__c = 'TURN'"),
        user_messages=_count(con, "messages", "ssot__AiAgentInteractionMessageType__c = 'Input'"),
        action_steps=_count(con, "steps", actions),
        action_errors=_count(con, "steps", f"{actions} AND {error} NOT IN {NO_ERROR}"),
        escalated_sessions=_count(con, "steps", "ssot__Name__c = 'CLOSED_TRANSFERRED'"),
    )


def _rows_per_day(con: duckdb.DuckDBPyConnection, entry: Dmo) -> dict[date, int]:
    clock = entry[entry.clock].source
    found = con.execute(
        f"SELECT CAST(epoch_ms(\"{clock}\") // 86400000 AS INTEGER) + DATE '1970-01-01' AS day, count(*)"
        f" FROM {table_name(entry)} GROUP BY 1 ORDER BY 1"
    ).fetchall()
    return dict(found)


def _count(con: duckdb.DuckDBPyConnection, name: str, condition: str) -> int:
    query = f"SELECT count(*) FROM {table_name(dmo(name))} WHERE {condition}"
    return int(con.execute(query).fetchall()[0][0])
