"""The few numbers at the top of the report, each with what it is a part of.

Belongs here: the tiles and their SQL. Does not: the figures below them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from stdm_platform.errors import StdmError
from stdm_platform.pages.asked import Asker
from stdm_platform.pages.figures import UNKNOWN, cell_of

SESSIONS = "select count(*) as sessions from session_summary where {where}"
OUTCOMES = """
    select
        count(outcome) filter (definition = 'session_end_step') as ended,
        count(*) filter (definition = 'session_end_step' and outcome = 'escalated') as escalated,
        count(outcome) filter (definition = 'containment') as eligible,
        count(*) filter (definition = 'containment' and outcome = 'contained') as contained
    from session_outcome
    where {where}
"""
TURNS = """
    select count(duration_ms) as timed_turns, quantile_disc(duration_ms, 0.95) as p95_turn_ms
    from turn_latency
    where {where}
"""
ACTIONS = """
    select sum(error_count)::bigint as errors, (sum(calls) - sum(unknown_error_count))::bigint as told_calls
    from action_summary
    where {where}
"""
GROUNDED = """
    select sum(flagged)::bigint as flagged, sum(checks)::bigint as checks
    from quality_daily
    where {where} and signal = 'groundedness'
"""
COST = """
    select sum(priced_cost_usd) as cost_usd, sum(priced_calls)::bigint as priced_calls, sum(calls)::bigint as calls
    from llm_usage
    where {where}
"""


@dataclass(frozen=True)
class Tile:
    """One number: its label, how it is written, its raw value, and of what it is."""

    label: str
    shown: str
    raw: str
    rests_on: str


def at_a_glance(asker: Asker) -> tuple[Tile, ...]:
    """The tiles; a number that is not known is a dash, and says so."""
    facts = asker.ground.facts
    counted = _one(asker, SESSIONS)
    outcomes = _one(asker, OUTCOMES)
    turns, actions, grounded, cost = (_one(asker, sql) for sql in (TURNS, ACTIONS, GROUNDED, COST))
    previews = "counted" if asker.ground.scope.previews else "left out"
    return (
        _tile("Sessions", "sessions", counted.get("sessions"), f"{facts['preview_sessions']:,} previews {previews}"),
        _part("Complete sessions", facts["complete_sessions"], facts["sessions"], "sessions, previews included"),
        _part("Escalated", outcomes.get("escalated"), outcomes.get("ended"), "sessions whose end step tells (session_end_step)"),
        _part("Contained", outcomes.get("contained"), outcomes.get("eligible"), "sessions with a user message (containment)"),
        _tile("p95 of turns", "p95_turn_ms", turns.get("p95_turn_ms"), _of(turns.get("timed_turns"), "timed turns"), " ms"),
        _part("Action errors", actions.get("errors"), actions.get("told_calls"), "calls of which it can be told"),
        _part("Ungrounded", grounded.get("flagged"), grounded.get("checks"), "groundedness checks"),
        _tile("LLM cost", "cost_usd", cost.get("cost_usd"), _priced(cost)),
    )  # fmt: skip


def _one(asker: Asker, sql: str) -> dict[str, Any]:
    """The row of a question; nothing when its mart is not there."""
    try:
        return asker.rows(sql).row(0, named=True)
    except StdmError:
        return {}


def _tile(label: str, name: str, value: Any, rests_on: str, unit: str = "") -> Tile:
    cell = cell_of(name, value)
    shown = cell.shown + (unit if cell.raw else "")
    return Tile(label, shown, cell.raw, rests_on if cell.raw else "not known")


def _part(label: str, part: int | None, whole: int | None, of_what: str) -> Tile:
    if part is None or not whole:
        return Tile(label, UNKNOWN, "", f"not known: no {of_what}")
    return Tile(label, f"{part / whole:.1%}", repr(part / whole), f"{part:,} of {whole:,} {of_what}")  # fmt: skip


def _of(count: int | None, what: str) -> str:
    return "not known" if not count else f"of {count:,} {what}"


def _priced(cost: dict[str, Any]) -> str:
    return f"{cost.get('priced_calls') or 0:,} of {cost.get('calls') or 0:,} calls have a price"
