"""Outcomes of the same sessions under each definition, and how their shares went day by day.

Belongs here: the section. Does not: the definitions (dbt model `session_outcome`).
"""

from __future__ import annotations

import polars as pl

from stdm_platform.harmless import harmless
from stdm_platform.insight.summaries import OUTCOMES as OUTCOMES_SQL
from stdm_platform.insight.summaries import outcome_overview
from stdm_platform.pages.asked import Asker, Words
from stdm_platform.pages.figures import (
    Chart,
    Drawn,
    Section,
    by_day,
    meanings_of,
    pivoted,
    table_of,
)

DEFINITIONS = ("end_type", "session_end_step", "judge", "router", "containment", "engagement",
               "short_abandoned", "quality_score")  # fmt: skip
CANNOT_TELL = "(cannot tell)"
COLOURS = {
    "escalated": "orange", "abandoned": "red", "deflected": "green", "contained": "green", "engaged": "blue",
    "not_engaged": "purple", "not_escalated": "green", "ambiguous": "purple", "short_abandoned": "red",
    "not_short_abandoned": "blue", "high": "green", "medium": "teal", "low": "orange", "very_low": "red",
    CANNOT_TELL: "grey",
}  # fmt: skip
COUNTED = """
    select session_date, definition, coalesce(outcome, '(cannot tell)') as outcome, count(*) as sessions
    from session_outcome
    where {where}
    group by all
    order by session_date, definition, outcome
"""
OUTCOMES = Words(
    "outcomes",
    "Outcomes under each definition",
    "The definitions answer different questions of the same sessions and do not have to agree: "
    + meanings_of("session_outcome")["definition"],
    "sessions of which the definition can tell (told sessions); unknown share is of all sessions",
    ("sessions",),
)
DAILY = Words(
    "outcomes-by-day",
    "Outcomes by day",
    "Sessions of each UTC day by what each definition says of them; grey are those of which it cannot tell.",
    "all sessions that started on the day",
    ("sessions",),
)


def outcomes(asker: Asker) -> Section:
    """What became of the sessions: `session_outcome`."""
    return Section(
        "outcomes-section",
        "Outcomes",
        (
            asker.figure(OUTCOMES, lambda: _side_by_side(asker)),
            asker.figure(DAILY, lambda: _by_day(asker)),
        ),
    )


def _side_by_side(asker: Asker) -> Drawn:
    rows = outcome_overview(asker.store, asker.ground.scope)
    said = {
        "told_sessions": "Sessions of which the definition can tell: the denominator of share.",
        "unknown_share": "Part of all sessions of which it cannot tell.",
    }
    table = table_of(rows, "What every definition says of the same sessions", mart="session_outcome", said=said, is_long=False)  # fmt: skip
    return Drawn((table,), sql=(asker.said(OUTCOMES_SQL),))


def _by_day(asker: Asker) -> Drawn:
    rows = asker.rows(COUNTED)
    charts = [_chart(asker, rows, name) for name in _in_order(rows)]
    table = table_of(
        rows, "Sessions by day, definition and outcome", mart="session_outcome", is_long=True
    )
    return Drawn((table,), {"kind": "many", "title": DAILY.title, "charts": charts}, (asker.said(COUNTED),))  # fmt: skip


def _in_order(rows: pl.DataFrame) -> list[str]:
    found = rows["definition"].unique().to_list()
    return sorted(found, key=lambda name: (DEFINITIONS.index(name) if name in DEFINITIONS else 99, name))  # fmt: skip


def _chart(asker: Asker, rows: pl.DataFrame, definition: str) -> Chart:
    of_definition = rows.filter(pl.col("definition") == definition)
    wide = pivoted(of_definition, "outcome", "sessions")
    known = sorted((name for name in wide.columns[1:] if name != CANNOT_TELL), key=_rank)
    names = [*known, *([CANNOT_TELL] if CANNOT_TELL in wide.columns else [])]
    told = {name: harmless(name).replace("_", " ") for name in names}
    return by_day(
        "stack", asker.ground.axis, wide, told, unit="count", colours=COLOURS,
        title=harmless(definition).replace("_", " "),
    )  # fmt: skip


def _rank(name: str) -> int:
    return list(COLOURS).index(name) if name in COLOURS else len(COLOURS)
