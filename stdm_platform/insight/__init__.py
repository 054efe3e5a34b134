"""Ask the marts, and the lake for one session: Polars frames.

Belongs here: questions to the published marts, each with its definition and denominator. Does not:
building marts (`marts`), printing (`cli`), Dagster.
"""

from __future__ import annotations

from stdm_platform.insight.session_record import SessionRecord
from stdm_platform.insight.session_timeline import session_events, session_record, timeline
from stdm_platform.insight.summaries import (
    freshness,
    query,
    session_overview,
    topic_overview,
    topic_routing,
)

__all__ = [
    "SessionRecord",
    "freshness",
    "query",
    "session_events",
    "session_overview",
    "session_record",
    "timeline",
    "topic_overview",
    "topic_routing",
]
