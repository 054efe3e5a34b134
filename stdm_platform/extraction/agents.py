"""Which sessions an agent took part in, as the org's participants say.

Belongs here: finding sessions by agent. Does not: reading them (`trees.py`).

The name is compared as the marts compare `agent_name`: exactly, with case, on rows whose role is
AGENT. A session that changed hands belongs to each of its agents here, while `session_summary`
names the first.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from stdm_platform.catalog import dmo
from stdm_platform.catalog.ids import is_id
from stdm_platform.data360 import Parameter
from stdm_platform.errors import (
    ArgumentError,
    FieldNotFoundError,
    IncompleteResultError,
    ObjectNotFoundError,
)
from stdm_platform.extraction.asking import until_answered
from stdm_platform.extraction.shape import SourceShape, look
from stdm_platform.extraction.source import Source
from stdm_platform.extraction.sql import fresh_nonce
from stdm_platform.extraction.tree_sql import agents_seen, sessions_of_agent

PLACE = "participants of agents"


def find_sessions_of_agent(client: Source, agent: str, start: datetime, end: datetime) -> list[str]:
    """The ids of sessions that the agent joined from `start` to before `end`, oldest key first.

    The participant's clock decides, so a session that began before the range and that the agent
    joined within it is one of them.

    Raises:
        ArgumentError: the name is what the org writes where there is none.
        ObjectNotFoundError, FieldNotFoundError: the org does not say which agent took part.
    """
    if not is_id(agent) or not agent.strip():
        raise ArgumentError(
            f"--agent {agent!r} names no agent.", action="Give the API name that `analyze` shows."
        )
    query = sessions_of_agent(_participants(client), agent, start, end, nonce=fresh_nonce())
    return sorted(_texts(client, *query))


def find_agents(client: Source, start: datetime, end: datetime) -> list[str]:
    """The names of the agents that joined a session from `start` to before `end`, in order.

    Raises: as `find_sessions_of_agent`.
    """
    return sorted(
        _texts(client, *agents_seen(_participants(client), start, end, nonce=fresh_nonce()))
    )


def _participants(client: Source) -> SourceShape:
    entry = dmo("participants")
    shape = look(client, entry, of="agents")
    if shape is None:
        raise ObjectNotFoundError(
            f"the org has none of {', '.join(entry.objects)}, which say who took part.",
            action="Give the sessions themselves: stdm extract-tree --session-id ….",
        ).during(PLACE)
    if "agent_api_name" not in shape.columns:
        raise FieldNotFoundError(
            f"{shape.object_name} has no column {entry['agent_api_name'].source}.",
            action="Give the sessions themselves: stdm extract-tree --session-id ….",
        ).during(PLACE)
    return shape


def _texts(client: Source, sql: str, parameters: Sequence[Parameter]) -> set[str]:
    def read() -> set[str]:
        result = client.query(sql, parameters)
        values = [value for batch in result.batches() for value in batch.column(0).to_pylist()]
        if len(values) != result.row_count:
            raise IncompleteResultError(
                f"{len(values)} rows arrived of {result.row_count} that the org promised.",
                action="Run the command again.",
            ).during(PLACE)
        return {value for value in values if is_id(value)}

    return until_answered(read)
