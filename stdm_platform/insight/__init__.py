"""Ask the marts, and the lake for one session: Polars frames.

Belongs here: questions to the published marts, each with its definition and denominator. Does not:
building marts (`marts`), printing (`cli`), Dagster.
"""

from __future__ import annotations

from stdm_platform.insight.session_timeline import timeline
from stdm_platform.insight.summaries import (
    freshness,
    query,
    session_overview,
    topic_overview,
    topic_routing,
)

__all__ = [
    "freshness",
    "query",
    "session_overview",
    "timeline",
    "topic_overview",
    "topic_routing",
]
