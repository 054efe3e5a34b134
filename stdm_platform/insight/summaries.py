"""Summaries of sessions and topics over any range of session days.

Belongs here: SQL on the published marts. Does not: SQL on the lake, formatting.

Every share is between 0 and 1 and stands beside its denominator. Preview sessions are left out
unless asked for; a session belongs to the UTC day on which it started.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

import duckdb
import polars as pl

from stdm_platform.errors import ArgumentError
from stdm_platform.marts import MartStore


@dataclass(frozen=True)
class Scope:
    """Which sessions are asked about: session days `[since, until)`, one agent, previews or not."""

    since: date | None = None
    until: date | None = None
    agent: str | None = None
    previews: bool = False

    def where(self, *, preview_column: bool = True) -> tuple[str, list[Any]]:
        """A SQL condition with `?` placeholders, and its values."""
        terms, values = ["true"], []
        for term, value in (
            ("session_date >= ?", self.since),
            ("session_date < ?", self.until),
            ("agent_name = ?", self.agent),
        ):
            if value is not None:
                terms.append(term)
                values.append(value)
        if preview_column and not self.previews:
            # Of an org without channels nobody can tell, and no session would be left.
            terms.append("is_preview is not true")
        return " and ".join(terms), values


def session_overview(store: MartStore, scope: Scope) -> pl.DataFrame:
    """Sessions by agent and channel.

    Returns:
        One row per `agent_name, channel`: `sessions` (the denominator of every share),
        `turns_per_session` (mean of those whose turns are known), `median_duration_s`,
        `escalated_share`, `deflected_share` (null when no outcome is known),
        `unknown_outcome_share` (no rule could tell), `error_count`, `action_error_count`,
        `complete_share`; most sessions first. A count that is not known of every
        session is null.
    """
    where, values = scope.where()
    rated = "case when count(outcome) > 0 then count(*) end"
    return _frame(
        store,
        f"""
        select
            agent_name,
            coalesce(channel, '(unknown)') as channel,
            count(*) as sessions,
            round(avg(turn_count), 2) as turns_per_session,
            round(median(duration_ms) / 1000, 1) as median_duration_s,
            round(count(*) filter (outcome = 'escalated') / {rated}, 3) as escalated_share,
            round(count(*) filter (outcome = 'deflected') / {rated}, 3) as deflected_share,
            round(avg((outcome is null)::int), 3) as unknown_outcome_share,
            {_known_sum("error_count")}::bigint as error_count,
            {_known_sum("action_error_count")}::bigint as action_error_count,
            round(avg((completeness = 'complete')::int), 3) as complete_share
        from session_summary
        where {where}
        group by all
        order by sessions desc, agent_name, channel
        """,
        values,
    )


def topic_overview(store: MartStore, scope: Scope) -> pl.DataFrame:
    """Topics by agent.

    Returns:
        One row per `agent_name, topic`: `turn_count`, `sessions` (with at least one turn on the
        topic), `turns_per_session`, `action_error_count`, `preview_sessions`,
        `escalated_sessions`, `escalation_share` (previews left out on both sides); most turns
        first. Counts that a day does not know are null; of escalations, those of days without any
        known outcome count as none as long as another day has one.
    """
    where, values = scope.where(preview_column=False)
    return _frame(
        store,
        f"""
        select
            agent_name,
            topic,
            sum(turn_count)::bigint as turn_count,
            sum(sessions)::bigint as sessions,
            round(sum(turn_count) / nullif(sum(sessions), 0), 2) as turns_per_session,
            {_known_sum("action_error_count")}::bigint as action_error_count,
            {_known_sum("preview_sessions")}::bigint as preview_sessions,
            sum(escalated_sessions)::bigint as escalated_sessions,
            round(sum(rated_escalated_sessions)
                / nullif(sum(sessions) - {_known_sum("preview_sessions")}, 0), 3) as escalation_share
        from topic_summary
        where {where}
        group by all
        order by turn_count desc, agent_name, topic
        """,
        values,
    )


def topic_routing(store: MartStore, scope: Scope) -> pl.DataFrame:
    """Moves between topics by agent.

    Returns:
        One row per `agent_name, from_topic, to_topic`: `transitions`, `sessions` and
        `share_of_from` (of all moves away from `from_topic`); entry is `(start)`, exit `(end)`.
    """
    where, values = scope.where(preview_column=False)
    return _frame(
        store,
        f"""
        select
            agent_name,
            from_topic,
            to_topic,
            sum(transitions)::bigint as transitions,
            sum(sessions)::bigint as sessions,
            round(sum(transitions) / sum(sum(transitions)) over (partition by agent_name, from_topic), 3)
                as share_of_from
        from topic_routing
        where {where}
        group by agent_name, from_topic, to_topic
        order by transitions desc, agent_name, from_topic, to_topic
        """,
        values,
    )


def freshness(store: MartStore, scope: Scope) -> dict[str, Any]:
    """What the figures rest on: days, sessions, previews left out, completeness, newest session.

    `untold_sessions` are those of which it cannot be told whether they are previews; they count.
    """
    where, values = Scope(scope.since, scope.until, scope.agent, previews=True).where()
    row = _frame(
        store,
        f"""
        select
            min(session_date) as first_day,
            max(session_date) as last_day,
            count(*) as sessions,
            count(*) filter (is_preview) as preview_sessions,
            count(*) filter (is_preview is null) as untold_sessions,
            count_if(completeness = 'complete') as complete_sessions,
            max(started_at) as newest_session_at
        from session_summary
        where {where}
        """,
        values,
    )
    return row.row(0, named=True)


def query(store: MartStore, sql: str) -> pl.DataFrame:
    """The rows of any SQL on the published marts.

    Raises:
        NotExtractedError: no marts were published yet.
        ArgumentError: DuckDB refused the SQL.
    """
    return _frame(store, sql, [])


def _known_sum(column: str) -> str:
    """A sum that is null when one value is: part of a sum is no sum."""
    return f"(case when count({column}) = count(*) then sum({column}) end)"


def _frame(store: MartStore, sql: str, values: list[Any]) -> pl.DataFrame:
    with store.connect() as connection:
        try:
            relation = connection.sql(sql, params=values) if values else connection.sql(sql)
            frame: pl.DataFrame = pl.DataFrame() if relation is None else _shown(relation).pl()
        except duckdb.Error as error:
            first = str(error).strip().splitlines()[0]
            raise ArgumentError(
                f"DuckDB refused the SQL: {first}",
                action='`stdm sql "show tables"` lists the marts, `describe <mart>` their columns.',
            ) from None
    return frame


def _shown(relation: duckdb.DuckDBPyRelation) -> duckdb.DuckDBPyRelation:
    """The relation with intervals as text: Arrow's months, days and nanoseconds are unknown to Polars."""
    if not any("INTERVAL" in str(kind) for kind in relation.types):
        return relation
    columns = [
        f'cast("{name}" as varchar) as "{name}"' if "INTERVAL" in str(kind) else f'"{name}"'
        for name, kind in zip(
            (column.replace('"', '""') for column in relation.columns), relation.types, strict=True
        )
    ]
    return relation.project(", ".join(columns))
