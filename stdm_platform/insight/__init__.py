"""Ask the marts, and the lake for one session: Polars frames.

Belongs here: questions to the published marts, each with its definition and denominator; one session as data
and as lines; the Python API. Does not: building marts (`marts`), printing (`cli`), Dagster.

    scope.py, asking.py, coverage.py          what every question shares
    summaries.py, actions.py, quality.py      figures over many sessions
    detections.py, finders.py, moments.py     lists, with totals that no limit caps
    session_rows.py → session_building.py → session_record.py
                                              one session as a tree of turns (for pages and notebooks),
    session_timeline.py, session_text.py      as a frame of events, and as lines for a terminal
    analyzer.py                               all of it for notebooks

Commands and `Analyzer` call the same functions, and these ask the marts in SQL that any reader can write.
"""

from __future__ import annotations

from stdm_platform.insight.actions import action_overview, step_overview
from stdm_platform.insight.asking import query
from stdm_platform.insight.coverage import agents, freshness
from stdm_platform.insight.detections import (
    Found,
    find_hallucinations,
    find_low_instruction_adherence,
    find_toxic_responses,
    find_unresolved_tasks,
)
from stdm_platform.insight.finders import Filters, find_failed_sessions, find_sessions
from stdm_platform.insight.moments import moment_urls
from stdm_platform.insight.quality import quality_report
from stdm_platform.insight.scope import Scope
from stdm_platform.insight.session_record import SessionRecord
from stdm_platform.insight.session_timeline import session_events, session_record, timeline
from stdm_platform.insight.summaries import session_overview, topic_overview, topic_routing

__all__ = [
    "Filters",
    "Found",
    "Scope",
    "SessionRecord",
    "action_overview",
    "agents",
    "find_failed_sessions",
    "find_hallucinations",
    "find_low_instruction_adherence",
    "find_sessions",
    "find_toxic_responses",
    "find_unresolved_tasks",
    "freshness",
    "moment_urls",
    "quality_report",
    "query",
    "session_events",
    "session_overview",
    "session_record",
    "step_overview",
    "timeline",
    "topic_overview",
    "topic_routing",
]
