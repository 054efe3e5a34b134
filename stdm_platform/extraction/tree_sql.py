"""The SQL for rows by id, and for the sessions of an agent.

Belongs here: the texts. Does not: sending them, cutting ids into batches (`tree_reading.py`).

No text has a bound in time, though it would cost less where an org bills what it scans: nothing
bounds the rows of a session. Clocks of two machines disagree, a voice session ends days later,
moments and feedback come when they come, and a row that a bound cuts off is lost without a sign.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from stdm_platform.catalog.ids import all_spellings
from stdm_platform.data360 import Parameter
from stdm_platform.extraction.shape import SourceShape, quoted

AGENT_ROLE = "AGENT"
"""As in `int_session_agents`: the name on rows of users says nothing about who answered."""


def rows_by_id(
    shape: SourceShape, column: str, ids: Sequence[str], *, text: str = "keep", nonce: int
) -> tuple[str, tuple[Parameter, ...]]:
    """The query for all rows whose column holds one of these ids, in any spelling.

    The last entry of the list equals no id. It makes each text unique, because an identical text
    may be answered from a cache that is older than the newest rows (section 2.7 of the Data 360
    page). Rows without key or clock are not cut off: the contract is to refuse them.
    """
    columns = ",\n".join(
        f"    {quoted(shape.columns[name])} AS {quoted(name)}" for name in shape.asked(text)
    )
    forms = all_spellings(ids)
    marks = ", ".join("?" for _ in forms)
    sql = (
        f"SELECT\n{columns}\nFROM {quoted(shape.object_name)}\n"
        f"WHERE {quoted(shape.columns[column])} IN ({marks}, 'no id {nonce}')"
    )
    return sql, tuple(Parameter("varchar", form) for form in forms)


def sessions_of_agent(
    participants: SourceShape, agent: str, start: datetime, end: datetime, *, nonce: int
) -> tuple[str, tuple[Parameter, ...]]:
    """The query for the ids of sessions in which the agent took part from `start` to before `end`."""
    where, parameters = _agents(participants, start, end, nonce)
    session, name = (
        quoted(participants.columns[each]) for each in ("session_id", "agent_api_name")
    )
    sql = f'SELECT DISTINCT {session} AS "session_id"\n{where}\n  AND {name} = ?'
    return sql, (*parameters, Parameter("varchar", agent))


def agents_seen(
    participants: SourceShape, start: datetime, end: datetime, *, nonce: int
) -> tuple[str, tuple[Parameter, ...]]:
    """The query for the names of the agents that took part from `start` to before `end`."""
    where, parameters = _agents(participants, start, end, nonce)
    name = quoted(participants.columns["agent_api_name"])
    return f'SELECT DISTINCT {name} AS "agent_name"\n{where}', parameters


def _agents(
    participants: SourceShape, start: datetime, end: datetime, nonce: int
) -> tuple[str, tuple[Parameter, ...]]:
    clock = quoted(participants.columns[participants.dmo.clock])
    beyond = end + timedelta(microseconds=nonce)
    lines = [
        f"FROM {quoted(participants.object_name)}",
        f"WHERE {clock} >= CAST(? AS TIMESTAMPTZ)",
        f"  AND {clock} < CAST(? AS TIMESTAMPTZ)",
        f"  AND {clock} < CAST('{_iso(beyond, 'microseconds')}' AS TIMESTAMPTZ)",
    ]
    role = participants.columns.get("participant_role")
    if role is not None:
        lines.append(f"  AND {quoted(role)} = '{AGENT_ROLE}'")
    bounds = (_iso(start, "milliseconds"), _iso(end, "milliseconds"))
    return "\n".join(lines), tuple(Parameter("varchar", each) for each in bounds)


def _iso(instant: datetime, timespec: str) -> str:
    return instant.isoformat(timespec=timespec).replace("+00:00", "Z")
