"""Tags: the three catalogues, and what sessions and moments are marked with.

Belongs here: rows of tag definitions, tags, their associations. Does not: moments (`moments.py`).

The catalogues are the same whatever the seed and the days. Each moment has a score and an intent, each
judged session a deflection score and an abandonment verdict (section 7.4).
"""

from __future__ import annotations

from collections.abc import Iterator

import duckdb

from stdm_platform.catalog import dmo
from stdm_platform.sandbox.generator.agents import AGENTS
from stdm_platform.sandbox.generator.draws import (
    between,
    bits,
    child,
    instant,
    literal,
    share,
    uuid4,
    weighted,
)
from stdm_platform.sandbox.generator.moments import moment_id
from stdm_platform.sandbox.generator.tables import insert_sql

CREATED = "TIMESTAMPTZ '2025-06-01 00:00:00+00'"
JUDGED_SHARE = 0.8
HOUR_MS = 3_600_000

SCORE, DEFLECTION, ABANDONMENT = "Quality_Score", "Deflection_Score", "Abandonment"
SHARED = (
    (SCORE, "Quality Score", "Integer", ("1", "2", "3", "4", "5")),
    (DEFLECTION, "Deflection Score", "Integer", ("1", "2", "3", "4", "5")),
    (ABANDONMENT, "Abandonment", "Text", ("TRUE", "FALSE", "UNSURE")),
)
"""Definitions that all agents share: developer name, label, type, values."""
SCORES = (("'5'", 46), ("'4'", 27), ("'3'", 14), ("'2'", 8), ("'1'", 5))
DEFLECTIONS = (("'5'", 40), ("'4'", 25), ("'3'", 15), ("'2'", 12), ("'1'", 8))
ABANDONED = (("'FALSE'", 80), ("'TRUE'", 12), ("'UNSURE'", 8))
OTHER = "Other"


def load_tags(con: duckdb.DuckDBPyConnection, org_id: str) -> None:
    """Make `work_tag` and insert the catalogues."""
    rows = [", ".join(literal(each) for each in row) for row in _tags()]
    con.execute(
        "CREATE OR REPLACE TEMP TABLE work_tag AS SELECT *, row_number() OVER () AS n FROM "
        f"(VALUES {', '.join(f'({row})' for row in rows)}) t(definition, label, kind, agent_name, tag_value)"
    )
    _insert_definitions(con, org_id)
    values = {
        "created_at": CREATED,
        "tag_id": _tag_id("definition", "tag_value"),
        "tag_definition_id": _definition_id("definition"),
        "tag_value": "tag_value",
        "tag_text": "concat(label, ': ', tag_value)",
        "order_number": "row_number() OVER (PARTITION BY definition ORDER BY n)",
        "is_active": "true",
        "is_fallback": f"tag_value = '{OTHER}'",
    }
    con.execute(insert_sql(dmo("tags"), values, "FROM work_tag", org_id))


def _insert_definitions(con: duckdb.DuckDBPyConnection, org_id: str) -> None:
    """Definitions, and which agents they are used for."""
    values = {
        "created_at": CREATED,
        "tag_definition_id": _definition_id("definition"),
        "tag_definition_name": "label",
        "developer_name": "definition",
        "definition_text": "concat('What the optimizer says: ', label)",
        "tag_identifier": "definition",
        "data_type": "kind",
        "source_type": "CASE WHEN agent_name IS NULL THEN 'Predefined' ELSE 'Generated' END",
        "status": "'Available'",
        "version_number": "1",
        "engine_type": "'LLM'",
        "source_tag_reference_name": "'NOT_SET'",
        "input_scope": "'NOT_SET'",
    }
    definitions = "FROM (SELECT DISTINCT definition, label, kind, agent_name FROM work_tag)"
    con.execute(insert_sql(dmo("tag_definitions"), values, definitions, org_id))
    names = ", ".join(f"({literal(agent.name)})" for agent in AGENTS)
    values = {
        "created_at": CREATED,
        "tag_definition_association_id": _association_id("definition", "name"),
        "tag_definition_id": _definition_id("definition"),
        "agent_api_name": "name",
        "prompt_template_id": "'NOT_SET'",
        "is_active": "true",
    }
    used = f"""FROM (SELECT DISTINCT definition, name FROM work_tag, (VALUES {names}) a(name)
        WHERE coalesce(agent_name, name) = name)"""
    con.execute(insert_sql(dmo("tag_definition_associations"), values, used, org_id))


def plan_tags(con: duckdb.DuckDBPyConnection) -> None:
    """Make `work_marked`: one row per tag that is set on a moment or a session."""
    intent = f"CASE WHEN {share('k', 'intent')} < 0.1 THEN '{OTHER}' ELSE gist END"
    con.execute(f"""
        CREATE OR REPLACE TEMP TABLE work_marked AS
        WITH moment AS (
            SELECT h, moment_no, {child("h", "3000 + moment_no")} AS k, coalesce(arg_min(gist, turn_no) FILTER (WHERE NOT related), '{OTHER}') AS gist,
                {moment_id("h")} AS moment_id, max(end_ms) AS end_ms FROM work_moment_turn GROUP BY h, moment_no
        ),
        judged AS (
            SELECT h, NULL::BIGINT AS moment_no, h AS k, NULL AS moment_id, session_end_ms AS end_ms
            FROM work_session JOIN work_end USING (h)
            WHERE NOT is_preview AND turn_count > 0 AND session_end_ms IS NOT NULL AND {share("h", "is judged")} < {JUDGED_SHARE}
        ),
        named AS (SELECT *, 'AIE_Request_Category_' || agent_name AS intents FROM work_session),
        marked AS (
            SELECT h, moment_no, moment_id, end_ms, k, '{SCORE}' AS definition, {weighted(share("k", "score"), SCORES)} AS tag_value FROM moment
            UNION ALL SELECT h, moment_no, moment_id, end_ms, k, intents, {intent} FROM moment JOIN named USING (h)
            UNION ALL SELECT h, moment_no, moment_id, end_ms, k, '{DEFLECTION}', {weighted(share("k", "deflection"), DEFLECTIONS)} FROM judged
            UNION ALL SELECT h, moment_no, moment_id, end_ms, k, '{ABANDONMENT}', {weighted(share("k", "abandonment"), ABANDONED)} FROM judged
        )
        SELECT *, end_ms + {between("k", "tagged after", 4 * HOUR_MS, 5 * HOUR_MS)} AS created_ms FROM marked""")


def insert_tags(con: duckdb.DuckDBPyConnection, org_id: str) -> None:
    """Insert the associations; a moment's can name its session too."""
    key = "hash(m.k, m.definition)"
    both = f"m.moment_id IS NULL OR {share('m.k', 'names both')} < 0.5"
    values = {
        "tag_association_id": uuid4(bits("m.k", "association"), bits(key, "association")),
        "tag_id": _tag_id("m.definition", "m.tag_value"),
        "tag_definition_association_id": _association_id("m.definition", "s.agent_name"),
        "moment_id": "coalesce(m.moment_id, 'NOT_SET')",
        "session_id": f"CASE WHEN {both} THEN s.session_id ELSE 'NOT_SET' END",
        "interaction_id": "'NOT_SET'",
        "association_reason_text": "concat('The conversation reads like ', m.tag_value, '.')",
        "created_at": instant("m.created_ms"),
        "session_started_at": instant("s.start_ms"),
        "source_type": "'PROMPT_TEMPLATE'",
    }
    source = "FROM work_marked m JOIN work_session s USING (h)"
    con.execute(insert_sql(dmo("tag_associations"), values, source, org_id))


def _tags() -> Iterator[tuple[str | None, ...]]:
    for definition, label, kind, members in SHARED:
        for member in members:
            yield definition, label, kind, None, member
    for agent in AGENTS:
        definition = f"AIE_Request_Category_{agent.name}"
        for value in (*dict.fromkeys(topic.gist for topic in agent.topics), OTHER):
            yield definition, "Optimization Request Category", "Text", agent.name, value


def _definition_id(definition: str) -> str:
    key = f"hash({definition})"
    return uuid4(bits(key, "definition"), bits(key, "definition low"))


def _tag_id(definition: str, value: str) -> str:
    key = f"hash(concat({definition}, '/', {value}))"
    return uuid4(bits(key, "tag value"), bits(key, "tag value low"))


def _association_id(definition: str, agent: str) -> str:
    key = f"hash(concat({definition}, '/', {agent}))"
    return uuid4(bits(key, "definition of agent"), bits(key, "definition of agent low"))
