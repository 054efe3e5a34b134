"""What the report rests on: completeness of sessions by day, and how far each object is held.

Belongs here: the section. Does not: what complete means (dbt model `session_completeness`).
"""

from __future__ import annotations

import polars as pl

from stdm_platform.harmless import harmless
from stdm_platform.pages.asked import Asker, Words
from stdm_platform.pages.figures import Drawn, Section, by_day, meanings_of, pivoted, table_of

STATES = {
    "complete": "green",
    "settling": "blue",
    "open": "orange",
    "forced_incomplete": "red",
}
COMPLETENESS = """
    select
        session_date,
        completeness,
        count(*) as sessions,
        count(*) filter (is_preview) as preview_sessions
    from session_summary
    where {where}
    group by session_date, completeness
    order by session_date, completeness
"""
COMPLETENESS_WORDS = Words(
    "completeness",
    "Completeness of sessions",
    f"{meanings_of('session_summary')['completeness']} Preview sessions are counted here.",
    "all sessions that started on the day, previews included",
    ("sessions",),
)
OBJECT_WORDS = Words(
    "objects",
    "Objects and how far they are held",
    "Of each object of the org, on how many of the session days it is held, and the end of its newest window. "
    "Figures that need an object that is not held are unknown, and not zero.",
    "session days of the range: those on which a session started",
)


def foundations(asker: Asker) -> Section:
    """Freshness and completeness: `session_summary` and the names of the lake's windows."""
    return Section(
        "foundations-section",
        "Freshness and completeness",
        (
            asker.figure(COMPLETENESS_WORDS, lambda: _completeness(asker)),
            asker.figure(OBJECT_WORDS, lambda: _objects(asker)),
        ),
    )


def _completeness(asker: Asker) -> Drawn:
    rows = asker.rows(COMPLETENESS, previews=True)
    wide = pivoted(rows, "completeness", "sessions")
    names = {name: harmless(name).replace("_", " ") for name in sorted(wide.columns[1:], key=_rank)}
    chart = by_day(
        "stack", asker.ground.axis, wide, names, unit="count", colours=STATES,
        title=COMPLETENESS_WORDS.title,
    )  # fmt: skip
    table = table_of(rows, "Sessions by day and completeness", mart="session_summary")
    return Drawn((table,), chart, (asker.said(COMPLETENESS, previews=True),))


def _rank(name: str) -> int:
    return list(STATES).index(name) if name in STATES else len(STATES)


def _objects(asker: Asker) -> Drawn:
    ground = asker.ground
    rows = [
        {
            "object_name": name,
            "state": "held" if held.days else "not extracted",
            "held_session_days": held.days,
            "session_days": ground.session_days,
            "held_until": held.until,
        }
        for name, held in ground.held.items()
    ]
    if not rows:
        note = "These marts lie without their lake: how far objects are held cannot be told."
        return Drawn((), notes=(note,))
    frame = pl.DataFrame(rows, schema_overrides={"held_until": pl.Datetime("us", "UTC")})
    said = {
        "object_name": "Name of the object, which is its folder in the lake.",
        "state": "not extracted: held on none of the session days.",
        "held_session_days": "Session days on which the object is held.",
        "session_days": "Days of the range on which a session started.",
        "held_until": "End of its newest window in the lake, UTC.",
    }
    table = table_of(frame, "Objects of the org", said=said, is_long=False)
    return Drawn((table,), command="stdm status")
