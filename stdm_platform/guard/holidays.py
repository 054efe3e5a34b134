"""Whether a day on which all objects fell alike may be a holiday. Pure: no I/O, no clock.

Belongs here: what a holiday looks like in an org, from its own week. Does not: what a day is expected
to hold (`levels.py`), what follows (`ranges.py`).

An org knows quiet days: its weekends. A holiday makes a busy day about as quiet as they are, or
quieter, down to half. The less quiet they are against the day in question, the less a holiday can
take from it: who is asked as much on Sundays as on other days follows no calendar, and a Saturday has
little left to lose. What falls out of that is no holiday.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from math import log, sqrt
from statistics import median

from stdm_platform.guard.judgement import RECENT_DAYS
from stdm_platform.guard.levels import Rows, growth, growth_of, log_of, usual_of

MOST = 1.2
"""Of the quietest weekday's rows, so many may a holiday have."""
LEAST_BUSY, LEAST_QUIET = 0.5, 0.9
"""Of the same, so few: where quiet days are at most 45 % of the day, and where they are 75 % or more."""
BUSY, QUIET = 0.45, 0.75
CHANCE = 1.5
"""Usual differences from day to day by which a day may lie beyond."""
NEW_AGENT = 1.5
"""What an agent may add on the day it begins."""
NEW_RISE = 1.25
"""A rise of the last days that is more than this is a new agent, and no part of the level yet."""


@dataclass(frozen=True)
class _Place:
    """How far a day lies above the fewest and the most rows of a holiday, as logarithms."""

    above_least: float
    above_most: float
    chance: float


def looks_like_a_holiday(
    rows: Rows, day: date, others: Sequence[Rows], usual_difference: float
) -> bool:
    """Whether the day is about as quiet as a holiday of this org would be.

    All objects have a say, as chance moves each of them.

    Args:
        rows: of the object; of this day and as many days before as there are.
        day: a day with fewer rows than expected.
        others: of the other objects that live from the same conversations.
        usual_difference: from day to day, as a logarithm.
    """
    all_rows = [rows, *others]
    if _is_quiet(all_rows, day, usual_difference):
        return True
    # An agent that is new since a holiday raises the next one, and no day shows by how much.
    yesterday = day - timedelta(days=1)
    usual = usual_of(rows, yesterday)
    if usual is None or yesterday not in rows or not usual.is_low(rows[yesterday]):
        return False
    return _is_quiet(all_rows, yesterday, usual.spread) and _is_quiet(
        all_rows, day, usual_difference + log(NEW_AGENT) / CHANCE
    )


def _is_quiet(all_rows: Sequence[Rows], day: date, usual_difference: float) -> bool:
    places = [_place(each, day, usual_difference) for each in all_rows if day in each]
    known = [each for each in places if each is not None]
    if not known:
        return False
    chance = CHANCE * median(each.chance for each in known)
    least = median(each.above_least for each in known)
    return least >= -chance and median(each.above_most for each in known) <= chance


def least_part(quietness: float) -> float:
    """Of the quietest weekday's rows, the part that a holiday leaves at least.

    Args:
        quietness: the quietest weekday's rows as a part of those expected of the day.
    """
    flat = min(1.0, max(0.0, (quietness - BUSY) / (QUIET - BUSY)))
    return LEAST_BUSY + (LEAST_QUIET - LEAST_BUSY) * flat


def _place(rows: Rows, day: date, usual_difference: float) -> _Place | None:
    growths = {week: growth(rows, day, week) for week in range(1, RECENT_DAYS // 7 + 1)}
    by_weekday: dict[int, list[float]] = {}
    for back in range(1, RECENT_DAYS + 1):
        count = rows.get(day - timedelta(days=back))
        if count is not None:
            level = count * growths[(back + 6) // 7]
            by_weekday.setdefault((day.weekday() - back) % 7, []).append(level)
    levels = {weekday: median(held) for weekday, held in by_weekday.items()}
    if day.weekday() not in levels or not min(levels.values()):
        return None
    quietest, found = min(levels.values()), log_of(rows[day]) - log(min(levels.values()))
    return _Place(
        found - log(least_part(quietest / levels[day.weekday()])),
        found - log(MOST * _latest_rise(rows, day)),
        max(usual_difference, 1 / sqrt(max(rows[day], 1))),
    )


def _latest_rise(rows: Rows, day: date) -> float:
    """What the last days had more than weeks before: a new agent is no part of the level yet."""
    rise = 1.0
    for back in range(1, 5):
        each = day - timedelta(days=back)
        since = [g for week in (1, 2) if (g := growth_of(rows, each, week)) is not None]
        rise = max(rise, min(since, default=1.0))
    return rise if rise > NEW_RISE else 1.0
