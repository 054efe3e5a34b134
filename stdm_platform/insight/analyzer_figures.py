"""The figures of `Analyzer`: rates and counts over many sessions.

Belongs here: methods that return figures, each equal to a command. Does not: their SQL.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import polars as pl

from stdm_platform.insight.actions import action_overview, step_overview
from stdm_platform.insight.analyzer_frames import AnalyzerFrames
from stdm_platform.insight.coverage import freshness
from stdm_platform.insight.quality import quality_report, signal_facts
from stdm_platform.insight.scope import Scope
from stdm_platform.insight.summaries import (
    end_types,
    outcome_overview,
    session_overview,
    sessions_by_day,
    topic_overview,
    topic_routing,
)


class Figures(AnalyzerFrames):
    """Rates and counts; previews are left out unless the analyzer was made with `previews=True`.

    `agent` of a method stands over the analyzer's own. Shares are between 0 and 1.
    """

    def freshness(self, agent: str | None = None) -> dict[str, Any]:
        """What every figure rests on: days, sessions, previews, completeness, the newest session (UTC).

        Returns:
            `first_day`, `last_day`, `sessions` and of them `preview_sessions`, `untold_sessions` (nobody can
            tell whether they are previews), `complete_sessions`; `newest_session_at`.

        >>> facts = Analyzer("./stdm_data").freshness()
        >>> facts["sessions"], facts["preview_sessions"], facts["newest_session_at"].isoformat()
        (4, 1, '2026-01-15T09:00:00+00:00')
        """
        return freshness(self._store, self._of(agent))

    def session_summary(self, agent: str | None = None) -> pl.DataFrame:
        """Sessions by agent and channel; the command `stdm analyze`.

        Returns:
            One row per `agent_name, channel`: `sessions` (denominator of the shares), `turns_per_session`,
            `median_duration_s`, `escalated_share`, `deflected_share`, `unknown_outcome_share`,
            `error_count`, `action_error_count`, `complete_share`.

        >>> summary = Analyzer("./stdm_data").session_summary()
        >>> summary.select("agent_name", "sessions", "escalated_share", "unknown_outcome_share").rows()
        [('Orders_Bot', 3, 0.333, 0.333)]
        """
        return session_overview(self._store, self._of(agent))

    def step_distribution(self, agent: str | None = None) -> pl.DataFrame:
        """Steps by type and name, with errors and times; the command `stdm actions --steps`.

        Returns:
            One row per `step_type, step_name` with `calls`, `sessions`, `error_count`, `error_share` of the
            calls of which it can be told, `p50_ms`, `p95_ms`, `p99_ms` of `timed_calls`, and more.

        >>> steps = Analyzer("./stdm_data").step_distribution()
        >>> steps.group_by("step_type").agg(pl.col("calls").sum()).sort("step_type").rows()
        [('ACTION_STEP', 3), ('LLM_STEP', 4), ('SESSION_END', 2), ('TRUST_GUARDRAILS_STEP', 1)]
        """
        return step_overview(self._store, self._of(agent))

    def action_distribution(self, agent: str | None = None) -> pl.DataFrame:
        """Actions by agent, with errors by class and times; the command `stdm actions`.

        Returns:
            One row per `agent_name, action_name` with `calls`, `error_count`, `unknown_error_count`,
            `error_share`, `slow_calls` (more than 10 s), percentiles in milliseconds within 1 %, and more.

        >>> actions = Analyzer("./stdm_data").action_distribution()
        >>> actions.select("action_name", "calls", "error_count", "timeout_errors", "slow_calls").rows()
        [('Orders.GetOrder', 2, 0, 0, 0), ('Returns.CreateReturn', 1, 1, 1, 1)]
        """
        return action_overview(self._store, self._of(agent))

    def topic_analysis(self, agent: str | None = None) -> pl.DataFrame:
        """Topics by agent; the command `stdm topics`. Previews are counted in their own column.

        Returns:
            One row per `agent_name, topic` (without planner suffix): `turn_count`, `sessions`,
            `turns_per_session`, `action_error_count`, `preview_sessions`, `escalated_sessions`,
            `escalation_share`.

        >>> topics = Analyzer("./stdm_data").topic_analysis()
        >>> topics.select("topic", "turn_count", "sessions").rows()
        [('Orders', 4, 4), ('Returns', 1, 1)]
        """
        return topic_overview(self._store, self._of(agent))

    def topic_routing(self, agent: str | None = None) -> pl.DataFrame:
        """Moves between topics; the command `stdm topics --routing`.

        Returns:
            One row per `agent_name, from_topic, to_topic`: `transitions`, `sessions`, `share_of_from`;
            entry is `(start)`, exit `(end)`.

        >>> moves = Analyzer("./stdm_data").topic_routing()
        >>> moves.filter(from_topic="Orders").select("to_topic", "transitions").rows()
        [('(end)', 3), ('Returns', 1)]
        """
        return topic_routing(self._store, self._of(agent))

    def end_type_distribution(self, agent: str | None = None) -> pl.DataFrame:
        """End types as served, in most orgs never set; the command `stdm analyze --by end-type`.

        Returns:
            One row per `end_type`: `sessions`, `share` of all sessions.

        >>> Analyzer("./stdm_data").end_type_distribution().rows()
        [('(not set)', 3, 1.0)]
        """
        return end_types(self._store, self._of(agent))

    def outcomes(self, agent: str | None = None) -> pl.DataFrame:
        """What every definition of an outcome says; the command `stdm analyze --by outcome`.

        Returns:
            One row per `definition, definition_version, outcome`: `sessions`, `told_sessions` (the
            denominator of `share`), `share`, `unknown_share` of all sessions.

        >>> outcomes = Analyzer("./stdm_data").outcomes().filter(definition="session_end_step")
        >>> outcomes.select("outcome", "sessions", "share", "unknown_share").rows()
        [('deflected', 1, 0.5, 0.333), ('escalated', 1, 0.5, 0.333)]
        """
        return outcome_overview(self._store, self._of(agent))

    def sessions_by_date(self, agent: str | None = None) -> pl.DataFrame:
        """Sessions by UTC day; the command `stdm analyze --by day`.

        Returns:
            One row per `session_date` with sessions: `sessions`, `complete_sessions`.

        >>> Analyzer("./stdm_data").sessions_by_date().select("sessions").to_series().to_list()
        [2, 1]
        """
        return sessions_by_day(self._store, self._of(agent))

    def quality_report(self, agent: str | None = None, *, by_agent: bool = False) -> pl.DataFrame:
        """The six quality signals, never capped; the command `stdm quality-report`.

        Returns:
            One row per signal: `checks` (denominator of `flagged_share`), `flagged`, `delivered`,
            `unreadable`, `sessions`, `checked_sessions` (denominator of `flagged_session_share`; the rest is
            unknown), `flagged_sessions`, `unextracted_sessions`, `state`, `definition`.

        >>> report = Analyzer("./stdm_data").quality_report()
        >>> report.filter(signal="groundedness").select("checks", "flagged", "delivered").rows()
        [(2, 1, 1)]
        """
        return quality_report(self._store, self._of(agent), by_agent=by_agent)

    def hallucination_summary(self, agent: str | None = None) -> dict[str, Any]:
        """How often answers were called ungrounded, of the turns that were validated.

        Returns:
            `total_validations`, `total_hallucinations`, `delivered_hallucinations` (that reached the
            user), `affected_sessions`, `validated_sessions`, `total_sessions`, and
            `percentage_of_sessions`, 0 to 100, of the validated ones; None when none was.

        >>> summary = Analyzer("./stdm_data").hallucination_summary()
        >>> summary["total_hallucinations"], summary["validated_sessions"], summary["percentage_of_sessions"]
        (1, 1, 100.0)
        """
        facts = signal_facts(self._store, self._of(agent), "groundedness")
        share = facts.get("flagged_session_share")
        return {
            "total_validations": facts.get("checks", 0),
            "total_hallucinations": facts.get("flagged", 0),
            "delivered_hallucinations": facts.get("delivered", 0),
            "affected_sessions": facts.get("flagged_sessions", 0),
            "validated_sessions": facts.get("checked_sessions", 0),
            "total_sessions": facts.get("sessions", 0),
            "percentage_of_sessions": None if share is None else round(share * 100, 1),
        }

    def _of(self, agent: str | None) -> Scope:
        return self.scope if agent is None else replace(self.scope, agent=agent)
