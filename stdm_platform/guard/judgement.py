"""What ranges have in common: the judgement on a day, the days before it, how much they differ.

Belongs here: what `ranges.py` and `shares.py` share. Does not: either's rules.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from math import sqrt
from statistics import median
from typing import TypeVar

Figure = TypeVar("Figure")

RECENT_DAYS = 28
FEWEST_WEEKS, FEWEST_DAYS = 3, 7
"""History without which nothing is judged: of the same weekday, and in all."""
FEWEST_ROWS = 30
"""Below it chance alone moves a day by half."""


@dataclass(frozen=True)
class Judgement:
    """What a day holds against what was expected.

    `fired` says whether it lies beyond the range, `noted` that it does for a reason that is no fault as
    far as one day can tell. `found` and `expected` are short, as for a table;
    `sentence` has both, and where the range comes from.
    """

    fired: bool
    found: str
    expected: str
    sentence: str
    noted: bool = False


def recent(figures: Mapping[date, Figure], day: date) -> dict[date, Figure]:
    """The figures of the last weeks before a day."""
    first = day - timedelta(days=RECENT_DAYS)
    return {each: figure for each, figure in figures.items() if first <= each < day}


def spread(values: Sequence[float]) -> float:
    """A robust standard deviation: of the four fifths that lie nearest to the middle."""
    middle = median(values)
    squares = sorted((value - middle) ** 2 for value in values)
    kept = squares[: max(1, round(0.8 * len(squares)))]
    return sqrt(sum(kept) / len(kept)) / 0.6616  # what it is of a normal distribution
