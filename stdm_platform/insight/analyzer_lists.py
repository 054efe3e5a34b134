"""The lists of `Analyzer`: sessions, detections and moments that were looked for.

Belongs here: methods that return lists, each equal to a command. Does not: their SQL.
"""

from __future__ import annotations

import polars as pl

from stdm_platform.insight.analyzer_figures import Figures
from stdm_platform.insight.detections import (
    LIMIT,
    find_hallucinations,
    find_low_instruction_adherence,
    find_toxic_responses,
    find_unresolved_tasks,
)
from stdm_platform.insight.finders import Filters, find_failed_sessions, find_sessions
from stdm_platform.insight.links import moment_url
from stdm_platform.insight.moments import moment_urls


class Lists(Figures):
    """What was looked for, newest first; previews are shown and marked. `limit=None` gives all rows."""

    def find(
        self,
        *,
        agent: str | None = None,
        topic: str | None = None,
        action: str | None = None,
        error: str | None = None,
        outcome: str | None = None,
        definition: str | None = None,
        channel: str | None = None,
        min_seconds: float | None = None,
        max_seconds: float | None = None,
        limit: int | None = LIMIT,
    ) -> pl.DataFrame:
        """Sessions that have all that is asked for; the command `stdm find`.

        Returns:
            One row per session: `session_id`, `agent_name`, `agent_version`, `channel`, `is_preview`,
            `started_at` (UTC), `duration_ms`, `turn_count`, `action_step_count`, `error_count`, `first_topic`,
            `last_topic`, `outcome`, `completeness`.

        Raises:
            ArgumentError: no definition knows the outcome.
            NotExtractedError: what a filter looks at was never extracted.

        >>> found = Analyzer("./stdm_data").find(action="CreateReturn", error="timed out")
        >>> found.select("session_id", "error_count").rows()
        [('s1', 1)]
        """
        filters = Filters(
            topic, action, error, outcome, definition, channel, min_seconds, max_seconds
        )
        return find_sessions(self._store, self._of(agent), filters, limit).rows

    def find_failed_sessions(
        self, limit: int | None = LIMIT, *, agent: str | None = None
    ) -> pl.DataFrame:
        """Sessions escalated or abandoned (end type, session-end step, judge, router), or with a failed step.

        The command `stdm find-failed`.

        Returns:
            One row per session as in `find`, and `reasons`.

        >>> failed = Analyzer("./stdm_data").find_failed_sessions()
        >>> failed.select("session_id", "reasons").rows()
        [('s1', 'judge: escalated, session_end_step: escalated, failed steps: 1')]
        """
        return find_failed_sessions(self._store, self._of(agent), limit).rows

    def find_hallucinations(
        self, limit: int | None = LIMIT, *, agent: str | None = None
    ) -> pl.DataFrame:
        """Answers that a validation called ungrounded; `stdm find-hallucinations`.

        Returns:
            One row per failed validation: `session_id`, `agent_name`, `is_preview`, `turn_number`,
            `interaction_id`, `step_id`, `detected_at` (UTC), `verdict`, `raw_verdict`, `is_delivered`,
            `reason`, `answer_text`.

        >>> found = Analyzer("./stdm_data").find_hallucinations()
        >>> found.select("session_id", "turn_number", "raw_verdict", "is_delivered", "answer_text").rows()
        [('s1', 2, 'NOT_GROUNDED', True, 'It arrives tomorrow.')]
        """
        return find_hallucinations(self._store, self._of(agent), limit).rows

    def find_toxic_responses(
        self, limit: int | None = LIMIT, *, agent: str | None = None
    ) -> pl.DataFrame:
        """Texts that the trust layer found toxic, one row per text; `stdm find-toxic`.

        Returns:
            Where it was as in `find_hallucinations`, `generation_id`, `content_side`, `categories`,
            `score` (0 to 1, the highest), `bound_by`, `answer_text`.

        >>> found = Analyzer("./stdm_data").find_toxic_responses()
        >>> found.select("session_id", "content_side", "categories", "score").rows()
        [('s4', 'OUTPUT', 'profanity', 0.9)]
        """
        return find_toxic_responses(self._store, self._of(agent), limit).rows

    def find_low_instruction_adherence(
        self, limit: int | None = LIMIT, *, agent: str | None = None
    ) -> pl.DataFrame:
        """Answers of low instruction adherence; `stdm find-low-adherence`. Uncertain ones are none of them.

        Returns:
            Where it was as in `find_hallucinations`, `generation_id`, `verdict`, `raw_verdict`, `reason`,
            `bound_by`.

        >>> Analyzer("./stdm_data").find_low_instruction_adherence().select("session_id", "verdict").rows()
        [('s2', 'LOW')]
        """
        return find_low_instruction_adherence(self._store, self._of(agent), limit).rows

    def find_unresolved_tasks(
        self, limit: int | None = LIMIT, *, agent: str | None = None
    ) -> pl.DataFrame:
        """Tasks that were judged, and not as fully resolved; `stdm find-unresolved`.

        Returns:
            Where it was as in `find_hallucinations`, `generation_id`, `verdict`, `raw_verdict`, `reason`,
            `bound_by`.

        >>> Analyzer("./stdm_data").find_unresolved_tasks().select("session_id", "verdict").rows()
        [('s2', 'UNRESOLVED')]
        """
        return find_unresolved_tasks(self._store, self._of(agent), limit).rows

    def get_moment_urls(
        self, session_id: str | None = None, *, agent: str | None = None
    ) -> pl.DataFrame:
        """The moments of a session, or of all, with their pages in Salesforce; `stdm moment-urls`.

        Returns:
            One row per moment: `session_id`, `moment_id`, `agent_name`, times (UTC), `request_summary`,
            `response_summary`, `quality_score` (1 to 5), `url`, and more.

        >>> Analyzer("./stdm_data").get_moment_urls("s4").select("moment_id", "request_summary").rows()
        [('m1', 'Where is it?')]
        """
        return moment_urls(self._store, self._of(agent), session_id, host=self.instance_url)

    def generate_moment_url(
        self, moment_id: str, session_id: str, agent: str | None = None, title: str | None = None
    ) -> str:
        """The page of one moment, relative unless the analyzer has an `instance_url`.

        >>> analyzer = Analyzer("./stdm_data", instance_url="https://acme.my.salesforce.com")
        >>> analyzer.generate_moment_url("m1", "s4", "Orders_Bot")[:60]
        'https://acme.my.salesforce.com/lightning/cmp/runtime_analyti'
        """
        return moment_url(moment_id, session_id, agent, title, host=self.instance_url)
