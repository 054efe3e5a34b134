"""How many rows are usual for a day, from the days before it. Pure: no I/O, no clock.

Belongs here: how many rows are expected, whether a day lies beyond, and the words for both. Does
not: shares of rows (`shares.py`), which figures of days compare with each other (`history.py`).

Rows. The same weekday of the last weeks, each moved to today's level by the growth since, gives what
is expected; how much days of one weekday usually differ from week to week gives the range. All are
medians, so that holidays and faults in the history move nothing. A fall has then two readings:

    own      other objects did not fall alike: rows are lacking; told at once
    even     all objects fell alike: told at once, unless the day looks like a holiday (`holidays.py`):
             then it is noted at once, and told on the third such day

A rise is told only where one object rises without the others: more of all is growth or a new agent.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from math import exp, log
from statistics import median

from stdm_platform.guard.holidays import looks_like_a_holiday
from stdm_platform.guard.judgement import (
    FEWEST_DAYS,
    FEWEST_ROWS,
    Judgement,
    recent,
    spread,
)
from stdm_platform.guard.levels import (
    QUITE_UNUSUAL,
    SMALLEST_FALL,
    Rows,
    Usual,
    at_level,
    log_of,
    usual_of,
)

SMALLEST_OWN_FALL = 0.25
SMALLEST_RISE = log(2.5)
TWO_FIFTHS = log(1 / 0.6)
"""A fall of 40 %: where chance alone makes days differ by more, the sentence says so."""
HOLIDAY = (
    "It is as quiet as on a holiday, and no object fell alone: a warning if it lasts three days"
)
UNUSUAL = 1.5
"""In usual differences from day to day (a robust standard deviation)."""


def judge_rows(rows: Rows, day: date, others: Sequence[Rows] = ()) -> Judgement | None:
    """The rows of a day against its range; None while the history is too short to tell.

    Args:
        rows: of the object; of this day and as many days before as there are.
        day: the day to judge.
        others: of the other objects that live from the same conversations, at the same age.
    """
    usual = usual_of(rows, day)
    if usual is None or day not in rows:
        return None
    held, moved = rows[day], log_of(rows[day]) - log(usual.expected)
    own, is_low = _own_move(rows, day, others), _most_are_low(rows, usual, day, others)
    reason, noted = "", False
    if own is not None and own.is_fall and moved < own.allows(usual.spread):
        reason = "The other objects of the day did not fall alike"
    elif is_low and not looks_like_a_holiday(rows, day, others, usual.spread):
        reason = "No weekday and no holiday is usually like that"
    elif _is_third_low_day(rows, day, usual):
        reason = "It is the third such day in a row"
    elif is_low:
        reason, noted = HOLIDAY, True
    elif own is not None and own.is_rise and moved > log(2):
        reason = "The other objects of the day did not rise alike"
    sentence = f"{held:,} rows; {usual.source}"
    if reason:
        sentence += f"; {usual.words} were expected. {reason}."
    if usual.least_fall > TWO_FIFTHS:
        sentence += f" {usual.blindness}"
    return Judgement(bool(reason) and not noted, f"{held:,} rows", usual.words, sentence, noted)


@dataclass(frozen=True)
class _OwnMove:
    """How an object moved against the others, as a logarithm; and what is usual for that."""

    moved: float
    spread: float

    def allows(self, spread: float) -> float:
        """The move below which a fall against the others is believed.

        Objects of a new agent can rise less than others do; that is no fall. Where the gap is wide,
        standing still while the others rise is one.
        """
        wide = self.moved < -max(2 * SMALLEST_OWN_FALL, 2 * QUITE_UNUSUAL * self.spread)
        return SMALLEST_OWN_FALL / 2 if wide else -max(SMALLEST_FALL / 2, UNUSUAL * spread)

    @property
    def is_fall(self) -> bool:
        return self.moved < -max(SMALLEST_OWN_FALL, QUITE_UNUSUAL * self.spread)

    @property
    def is_rise(self) -> bool:
        return self.moved > max(SMALLEST_RISE, QUITE_UNUSUAL * self.spread)


def _most_are_low(rows: Rows, usual: Usual, day: date, others: Sequence[Rows]) -> bool:
    """Whether the object has fewer rows than expected, and so have at least half of all objects.

    One that is low alone and fell with the others has a level that was guessed too high.
    """
    if not usual.is_low(rows[day]):
        return False
    known = [
        found.is_low(each[day])
        for each in others
        if day in each and (found := usual_of(each, day)) is not None
    ]
    return 2 * (1 + sum(known)) >= 1 + len(known)


def _is_third_low_day(rows: Rows, day: date, usual: Usual) -> bool:
    moves = []
    for back in range(3):
        each = day - timedelta(days=back)
        then = usual_of(rows, each)
        if then is None or each not in rows:
            return False
        moves.append(log_of(rows[each]) - log(then.expected))
    most = -max(SMALLEST_FALL, 3 * usual.spread)
    return max(moves) < most


def _own_move(rows: Rows, day: date, others: Sequence[Rows]) -> _OwnMove | None:
    """How the object moved against the median of the others; None if that cannot be told."""
    levels = []
    for other in others:
        before = recent(other, day)
        if other.get(day, 0) >= FEWEST_ROWS and len(before) >= FEWEST_DAYS:
            middle = median(map(log_of, before.values()))
            levels.append({each: log_of(count) - middle for each, count in other.items()})
    if not levels:
        return None
    moves = {
        each: log_of(count) - median(level[each] for level in levels if each in level)
        for each, count in {**recent(rows, day), day: rows[day]}.items()
        if any(each in level for level in levels)
    }
    moved = moves.pop(day)
    if len(moves) < FEWEST_DAYS:
        return None
    middle = median(moves.values())
    fitting = exp(log_of(rows[day]) - moved + middle)  # rows that would fit the others
    if fitting < FEWEST_ROWS:
        return None
    known = spread(list(moves.values()))
    return _OwnMove(moved - middle, at_level(known, recent(rows, day), fitting))
