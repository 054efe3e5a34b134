"""Ask the marts: summaries as Polars frames.

Belongs here: questions to the published marts, each with its definition and denominator. Does not:
building marts (`marts`), printing (`cli`), Dagster.
"""

from __future__ import annotations

from stdm_platform.insight.summaries import (
    freshness,
    query,
    session_overview,
    topic_overview,
    topic_routing,
)

__all__ = ["freshness", "query", "session_overview", "topic_overview", "topic_routing"]
