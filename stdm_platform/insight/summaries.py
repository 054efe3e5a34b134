"""Summaries of sessions and topics over any range of session days.

Belongs here: SQL on the published marts. Does not: SQL on the lake, formatting.

Every share is between 0 and 1 and stands beside its denominator. Preview sessions are left out
unless asked for; a session belongs to the UTC day on which it started.
"""

from __future__ import annotations

import polars as pl

from stdm_platform.insight.asking import frame, known_sum
from stdm_platform.insight.coverage import coverage, require
from stdm_platform.insight.scope import Scope
from stdm_platform.marts import MartStore

OUTCOMES = """
    with counted as (
        select definition, definition_version, outcome, count(*) as sessions
        from session_outcome
        where {where}
        group by all
    ),
    shared as (
        select
            definition, definition_version, outcome, sessions,
            sum(sessions) filter (outcome is not null) over of_definition as told,
            sum(sessions) over of_definition as every,
            count(outcome) over of_definition as outcomes
        from counted
        window of_definition as (partition by definition, definition_version)
    )
    select
        definition, definition_version, outcome, sessions::bigint as sessions,
        coalesce(told, 0)::bigint as told_sessions,
        case when outcome is not null then round(sessions / told, 3) end as share,
        round(1 - coalesce(told, 0) / every, 3) as unknown_share
    from shared
    where outcome is not null or outcomes = 0
    order by definition, definition_version, sessions desc, outcome
"""
"""What `outcome_overview` asks, for a report that shows it; `{where}` stands for the scope."""


def session_overview(store: MartStore, scope: Scope) -> pl.DataFrame:
    """Sessions by agent and channel.

    Returns:
        One row per `agent_name, channel`: `sessions` (the denominator of every share),
        `turns_per_session` (mean of those whose turns are known), `median_duration_s`,
        `escalated_share`, `deflected_share` (null when no outcome is known),
        `unknown_outcome_share` (no rule could tell), `error_count`, `action_error_count`,
        `complete_share`; most sessions first. A count that is not known of every
        session is null.

    Raises:
        NotExtractedError: interactions of these days were never extracted.
    """
    require(store, scope, ("interactions",))
    where, values = scope.where()
    rated = "case when count(outcome) > 0 then count(*) end"
    rows = frame(
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
            {known_sum("error_count")} as error_count,
            {known_sum("action_error_count")} as action_error_count,
            round(avg((completeness = 'complete')::int), 3) as complete_share
        from session_summary
        where {where}
        group by all
        order by sessions desc, agent_name, channel
        """,
        values,
    )
    return _without_unheld(store, scope, rows, "error_count", "action_error_count")


def topic_overview(store: MartStore, scope: Scope) -> pl.DataFrame:
    """Topics by agent.

    Returns:
        One row per `agent_name, topic`: `turn_count`, `sessions` (with at least one turn on the
        topic), `turns_per_session`, `action_error_count`, `preview_sessions`,
        `escalated_sessions`, `escalation_share` (previews left out on both sides); most turns
        first. Counts that a day does not know are null; of escalations, those of days without any
        known outcome count as none as long as another day has one.

    Raises:
        NotExtractedError: interactions of these days were never extracted.
    """
    require(store, scope, ("interactions",))
    where, values = scope.where(preview_column=False)
    rows = frame(
        store,
        f"""
        select
            agent_name,
            topic,
            sum(turn_count)::bigint as turn_count,
            sum(sessions)::bigint as sessions,
            round(sum(turn_count) / nullif(sum(sessions), 0), 2) as turns_per_session,
            {known_sum("action_error_count")} as action_error_count,
            {known_sum("preview_sessions")} as preview_sessions,
            sum(escalated_sessions)::bigint as escalated_sessions,
            round(sum(rated_escalated_sessions)
                / nullif(sum(sessions) - {known_sum("preview_sessions")}, 0), 3) as escalation_share
        from topic_summary
        where {where}
        group by all
        order by turn_count desc, agent_name, topic
        """,
        values,
    )
    return _without_unheld(store, scope, rows, "action_error_count")


def topic_routing(store: MartStore, scope: Scope) -> pl.DataFrame:
    """Moves between topics by agent.

    Returns:
        One row per `agent_name, from_topic, to_topic`: `transitions`, `sessions` and
        `share_of_from` (of all moves away from `from_topic`); entry is `(start)`, exit `(end)`.

    Raises:
        NotExtractedError: interactions of these days were never extracted.
    """
    require(store, scope, ("interactions",))
    where, values = scope.where(preview_column=False)
    return frame(
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


def outcome_overview(store: MartStore, scope: Scope) -> pl.DataFrame:
    """What every definition of an outcome says of the same sessions, side by side.

    Returns:
        One row per `definition, definition_version, outcome`: `sessions`, `told_sessions` (of which the
        definition can tell: the denominator of `share`), `share`, `unknown_share` (of all sessions, those
        of which it cannot tell); most sessions first. A definition that can tell of none has one row with
        a null outcome.
    """
    where, values = scope.where()
    return frame(store, OUTCOMES.replace("{where}", where), values)


def end_types(store: MartStore, scope: Scope) -> pl.DataFrame:
    """How sessions ended as Salesforce says it, which in most orgs is nothing at all.

    Returns:
        One row per `end_type` (as served; `(not set)` where it says nothing): `sessions` and `share` of all
        sessions; most sessions first.
    """
    where, values = scope.where()
    return frame(
        store,
        f"""
        select
            coalesce(nullif(nullif(reason, 'no_sign'), 'not_extracted'), '(not set)') as end_type,
            count(*) as sessions,
            round(count(*) / sum(count(*)) over (), 3) as share
        from session_outcome
        where {where} and definition = 'end_type'
        group by end_type
        order by sessions desc, end_type
        """,
        values,
    )


def sessions_by_day(store: MartStore, scope: Scope) -> pl.DataFrame:
    """Sessions by UTC day.

    Returns:
        One row per `session_date` with sessions: `sessions`, `complete_sessions`; the oldest day first.
    """
    where, values = scope.where()
    return frame(
        store,
        f"""
        select
            session_date,
            count(*) as sessions,
            count_if(completeness = 'complete')::bigint as complete_sessions
        from session_summary
        where {where}
        group by session_date
        order by session_date
        """,
        values,
    )


def _without_unheld(
    store: MartStore, scope: Scope, rows: pl.DataFrame, *columns: str
) -> pl.DataFrame:
    """Counts of steps are unknown, and not 0, when the steps of one of the days were never extracted."""
    if not coverage(store, scope, ("steps",)).gaps:
        return rows
    return rows.with_columns(pl.lit(None, dtype=rows.schema[name]).alias(name) for name in columns)
