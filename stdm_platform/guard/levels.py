"""The level of an object's days: what a day is expected to hold, how it grows, how much days differ.

Belongs here: what `ranges.py` and `holidays.py` both start from. Does not: judging. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from math import exp, log, sqrt
from statistics import median

from stdm_platform.guard.judgement import (
    FEWEST_DAYS,
    FEWEST_ROWS,
    FEWEST_WEEKS,
    recent,
    spread,
)

Rows = Mapping[date, int]
"""Rows of days, all as they were read at one age."""

WEEKS = 6
HISTORY = timedelta(weeks=WEEKS + 1)
"""How far back a day's range looks."""

SMALLEST_FALL = 0.30
"""As a logarithm: 26 % under what is expected is never told."""
QUITE_UNUSUAL = 4.0
"""In usual differences from day to day (a robust standard deviation)."""


@dataclass(frozen=True)
class Usual:
    """What is expected of a day. `spread` is the usual difference, as a logarithm."""

    expected: float
    spread: float
    source: str

    @property
    def words(self) -> str:
        """The range, for people."""
        return f"at least {self.expected * exp(-self.least_fall):,.0f}"

    @property
    def least_fall(self) -> float:
        """The smallest fall that is told, as a logarithm."""
        return max(SMALLEST_FALL, QUITE_UNUSUAL * self.spread)

    def is_low(self, rows: int) -> bool:
        """Whether so many rows are below the range."""
        return log_of(rows) - log(self.expected) < -self.least_fall

    @property
    def blindness(self) -> str:
        """What cannot be told of an org whose days differ much, for people."""
        return (
            f"Such days differ by about {self.spread:.0%} by chance, so a fall of all objects that is "
            f"less than {1 - exp(-self.least_fall):.0%} cannot be told in one day."
        )


def usual_of(rows: Rows, day: date) -> Usual | None:
    """What is expected of a day; None while too few such weekdays or too few rows are known."""
    held = {week: rows.get(day - timedelta(weeks=week)) for week in range(1, WEEKS + 1)}
    same = {week: count for week, count in held.items() if count is not None}
    if len(same) < FEWEST_WEEKS:
        return None
    expected = median(count * growth(rows, day, week) for week, count in same.items())
    if expected < FEWEST_ROWS:
        return None
    # A day differs from the same weekday by the chance of both.
    pairs = [growth_of(rows, day - timedelta(days=back), 1) for back in range(1, 7 * WEEKS + 1)]
    logs = [log(pair) for pair in pairs if pair is not None]
    known = spread(logs) / sqrt(2) if len(logs) >= FEWEST_DAYS else 0.1
    source = f"the last {len(same)} {day:%A}s held {min(same.values()):,} to {max(same.values()):,}"
    if abs(log(expected / median(same.values()))) > 0.1:
        source += f" (about {expected:,.0f} at the level of the last days)"
    return Usual(expected, at_level(known, recent(rows, day), expected), source)


def growth(rows: Rows, day: date, weeks: int) -> float:
    """How the last seven days compare with those so many weeks before."""
    found = [growth_of(rows, day - timedelta(days=back), weeks) for back in range(1, 8)]
    known = [each for each in found if each is not None]
    return median(known) if len(known) >= FEWEST_WEEKS else 1.0


def growth_of(rows: Rows, day: date, weeks: int) -> float | None:
    """How a day compares with the same weekday so many weeks before; None if either is not known."""
    now, then = rows.get(day), rows.get(day - timedelta(weeks=weeks))
    return now / then if now and then else None


def at_level(usual: float, before: Rows, level: float) -> float:
    """What is usual for a day of so many rows: quiet days differ more, by chance."""
    typical = median(before.values()) if before else level
    return max(usual * sqrt(max(1.0, typical / level)), 1 / sqrt(level))


def log_of(count: int) -> float:
    """The logarithm of a count, of none as well."""
    return log(max(count, 0.5))
