"""How long turns take, and where their time goes.

Belongs here: the section with its SQL on `turn_latency`. Does not: how a turn is divided (the dbt model).
"""

from __future__ import annotations

from stdm_platform.pages.asked import Asker, Words
from stdm_platform.pages.figures import Drawn, Section, by_day, table_of

NEEDED = ("interactions", "steps")
PARTS = {
    "llm_ms": ("LLM", "blue"),
    "action_ms": ("actions", "green"),
    "guardrail_ms": ("guardrails", "purple"),
    "groundedness_ms": ("groundedness", "teal"),
    "other_ms": ("other steps", "brown"),
    "unexplained_ms": ("unexplained", "grey"),
}
PERCENTILES = """
    select
        session_date,
        count(*) as turns,
        count(duration_ms) as timed_turns,
        quantile_disc(duration_ms, 0.5) as p50_turn_ms,
        quantile_disc(duration_ms, 0.95) as p95_turn_ms,
        quantile_disc(duration_ms, 0.99) as p99_turn_ms,
        count(response_ms) as answered_turns,
        quantile_disc(response_ms, 0.5) as p50_response_ms,
        quantile_disc(response_ms, 0.95) as p95_response_ms
    from turn_latency
    where {where}
    group by session_date
    order by session_date
"""
WHERE_TIME_GOES = """
    select
        session_date,
        count(llm_ms) as explained_turns,
        avg(duration_ms) filter (llm_ms is not null) as mean_turn_ms,
        avg(llm_ms) as llm_ms,
        avg(action_ms) as action_ms,
        avg(guardrail_ms) as guardrail_ms,
        avg(groundedness_ms) as groundedness_ms,
        avg(other_ms) as other_ms,
        avg(unexplained_ms) as unexplained_ms
    from turn_latency
    where {where}
    group by session_date
    order by session_date
"""
TURNS = Words(
    "latency",
    "Duration of turns",
    "End minus start of a turn in milliseconds; the response is from the first user message to the first answer "
    "after it. Percentiles are nearest-rank over all turns of the day's sessions.",
    "timed turns (with start and end); answered turns (with a message of both sides)",
    ("interactions",),
)
TIME = Words(
    "where-time-goes",
    "Where the time of a turn goes",
    "Mean milliseconds of a turn spent in LLM steps, actions, guardrails, groundedness validations and other steps. "
    "Each millisecond counts once, for the step that started first; unexplained is what no step covers. The parts "
    "add up to the mean turn.",
    "explained turns: those with an end whose steps and their types are known",
    NEEDED,
)


def latency(asker: Asker) -> Section:
    """How long users wait and for what: `turn_latency`."""
    return Section(
        "latency-section",
        "Latency",
        (
            asker.figure(TURNS, lambda: _percentiles(asker)),
            asker.figure(TIME, lambda: _parts(asker)),
        ),
    )


def _percentiles(asker: Asker) -> Drawn:
    rows = asker.rows(PERCENTILES)
    lines = {"p50_turn_ms": "p50", "p95_turn_ms": "p95", "p99_turn_ms": "p99", "p95_response_ms": "p95 response"}  # fmt: skip
    colours = {"p50_turn_ms": "blue", "p95_turn_ms": "orange", "p99_turn_ms": "red", "p95_response_ms": "grey"}  # fmt: skip
    chart = by_day("lines", asker.ground.axis, rows, lines, unit="ms", colours=colours, title=TURNS.title)  # fmt: skip
    said = {"timed_turns": "Turns with start and end.", "answered_turns": "Turns with a user message and an answer."}  # fmt: skip
    return Drawn((table_of(rows, "Duration of turns by day", said=said),), chart, (asker.said(PERCENTILES),))  # fmt: skip


def _parts(asker: Asker) -> Drawn:
    rows = asker.rows(WHERE_TIME_GOES)
    known = rows.filter(rows["explained_turns"] > 0)
    chart = by_day(
        "stack", asker.ground.axis, known, {name: label for name, (label, _) in PARTS.items()},
        unit="ms", colours={name: colour for name, (_, colour) in PARTS.items()}, title=TIME.title,
    )  # fmt: skip
    table = table_of(rows, "Mean time of a turn by day", mart="turn_latency")
    return Drawn((table,), chart if not known.is_empty() else None, (asker.said(WHERE_TIME_GOES),))
