"""How many rows are usual for a day, from the days before it. Pure: no I/O, no clock.

Belongs here: how many rows are expected, whether a day lies beyond, and the words for both. Does
not: shares of rows (`shares.py`), which figures of days compare with each other (`history.py`).

Rows. The same weekday of the last weeks, each moved to today's level by the growth since, gives what
is expected; how much days of one weekday usually differ from week to week gives the range. All are
medians, so that holidays and faults in the history move nothing. A fall has then two readings:

    own      other objects did not fall alike: rows are lacking; told at once
    even     all objects fell alike: told at once, unless the day looks like a holiday, which is as
             quiet as the org's quietest weekday or down to half of it; then on the third such day

A rise is told only where one object rises without the others: more of all is growth or a new agent.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from math import exp, log, sqrt
from statistics import median

from stdm_platform.guard.judgement import (
    FEWEST_DAYS,
    FEWEST_ROWS,
    FEWEST_WEEKS,
    RECENT_DAYS,
    Judgement,
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
SMALLEST_OWN_FALL = 0.25
SMALLEST_RISE = log(2.5)
UNUSUAL, QUITE_UNUSUAL = 1.5, 4.0
"""In usual differences from day to day (a robust standard deviation)."""
QUIETEST = (0.5, 1.3)
"""A holiday, as a part of the quietest weekday."""


def judge_rows(rows: Rows, day: date, others: Sequence[Rows] = ()) -> Judgement | None:
    """The rows of a day against its range; None while the history is too short to tell.

    Args:
        rows: of the object; of this day and as many days before as there are.
        day: the day to judge.
        others: of the other objects that live from the same conversations, at the same age.
    """
    usual = _usual(rows, day)
    if usual is None or day not in rows:
        return None
    held, moved = rows[day], _log(rows[day]) - log(usual.expected)
    own = _own_move(rows, day, others)
    reason = ""
    if own is not None and own.is_fall and moved < own.allows(usual.spread):
        reason = "The other objects of the day did not fall alike"
    elif _is_low(rows, day) and not _is_like_a_holiday(rows, day, others):
        reason = "No weekday is usually like that"
    elif _is_third_low_day(rows, day, usual):
        reason = "It is the third such day in a row"
    elif own is not None and own.is_rise and moved > log(2):
        reason = "The other objects of the day did not rise alike"
    sentence = f"{held:,} rows; {usual.source}"
    if reason:
        sentence += f"; {usual.words} were expected. {reason}."
    elif _is_low(rows, day):
        sentence += (
            f"; {usual.words} were expected. It is as quiet as on a holiday, and no object fell alone: "
            "told if it lasts three days."
        )
    return Judgement(bool(reason), f"{held:,} rows", usual.words, sentence)


@dataclass(frozen=True)
class _Usual:
    """What is expected of a day. `spread` is the usual difference, as a logarithm."""

    expected: float
    spread: float
    source: str

    @property
    def words(self) -> str:
        return f"at least {self.expected * exp(-self.least_fall):,.0f}"

    @property
    def least_fall(self) -> float:
        return max(SMALLEST_FALL, QUITE_UNUSUAL * self.spread)


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


def _usual(rows: Rows, day: date) -> _Usual | None:
    held = {week: rows.get(day - timedelta(weeks=week)) for week in range(1, WEEKS + 1)}
    same = {week: count for week, count in held.items() if count is not None}
    if len(same) < FEWEST_WEEKS:
        return None
    expected = median(count * _growth(rows, day, week) for week, count in same.items())
    if expected < FEWEST_ROWS:
        return None
    # A day differs from the same weekday by the chance of both.
    pairs = [_growth_of(rows, day - timedelta(days=back), 1) for back in range(1, 7 * WEEKS + 1)]
    logs = [log(pair) for pair in pairs if pair is not None]
    known = spread(logs) / sqrt(2) if len(logs) >= FEWEST_DAYS else 0.1
    source = f"the last {len(same)} {day:%A}s held {min(same.values()):,} to {max(same.values()):,}"
    if abs(log(expected / median(same.values()))) > 0.1:
        source += f" (about {expected:,.0f} at the level of the last days)"
    return _Usual(expected, _at_level(known, recent(rows, day), expected), source)


def _growth(rows: Rows, day: date, weeks: int) -> float:
    """How the last seven days compare with those so many weeks before."""
    found = [_growth_of(rows, day - timedelta(days=back), weeks) for back in range(1, 8)]
    known = [each for each in found if each is not None]
    return median(known) if len(known) >= FEWEST_WEEKS else 1.0


def _growth_of(rows: Rows, day: date, weeks: int) -> float | None:
    now, then = rows.get(day), rows.get(day - timedelta(weeks=weeks))
    return now / then if now and then else None


def _is_low(rows: Rows, day: date) -> bool:
    usual = _usual(rows, day)
    if usual is None or day not in rows:
        return False
    return _log(rows[day]) < log(usual.expected) - usual.least_fall


def _is_third_low_day(rows: Rows, day: date, usual: _Usual) -> bool:
    moves = []
    for back in range(3):
        each = day - timedelta(days=back)
        then = _usual(rows, each)
        if then is None or each not in rows:
            return False
        moves.append(_log(rows[each]) - log(then.expected))
    most = -max(SMALLEST_FALL, 3 * usual.spread)
    return max(moves) < most


def _is_like_a_holiday(rows: Rows, day: date, others: Sequence[Rows]) -> bool:
    """Whether the day is about as quiet as the quietest weekday is at the level of today.

    All objects have a say, as chance moves each of them.
    """
    quietness = [_quietness(each, day) for each in (rows, *others) if day in each]
    known = [each for each in quietness if each is not None]
    return bool(known) and QUIETEST[0] <= median(known) <= QUIETEST[1]


def _quietness(rows: Rows, day: date) -> float | None:
    """The rows of a day as a part of the quietest weekday's; within chance, what a holiday has."""
    by_weekday: dict[int, list[float]] = {}
    for back in range(1, RECENT_DAYS + 1):
        count = rows.get(day - timedelta(days=back))
        if count is not None:
            level = count * _growth(rows, day, (back + 6) // 7)
            by_weekday.setdefault((day.weekday() - back) % 7, []).append(level)
    if not by_weekday:
        return None
    quietest = min(median(levels) for levels in by_weekday.values())
    chance, most = 4 * sqrt(quietest), quietest * _latest_rise(rows, day)
    if quietest * QUIETEST[0] - chance <= rows[day] < quietest:
        return max(QUIETEST[0], rows[day] / quietest)
    return max(0.0, rows[day] - chance) / most if most else float(rows[day])


def _latest_rise(rows: Rows, day: date) -> float:
    """What the last days had more than weeks before: a new agent is no part of the level yet."""
    rise = 1.0
    for back in range(1, 5):
        each = day - timedelta(days=back)
        since = [g for week in (1, 2) if (g := _growth_of(rows, each, week)) is not None]
        rise = max(rise, min(since, default=1.0))
    return rise if rise > 1.25 else 1.0


def _own_move(rows: Rows, day: date, others: Sequence[Rows]) -> _OwnMove | None:
    """How the object moved against the median of the others; None if that cannot be told."""
    levels = []
    for other in others:
        before = recent(other, day)
        if other.get(day, 0) >= FEWEST_ROWS and len(before) >= FEWEST_DAYS:
            middle = median(map(_log, before.values()))
            levels.append({each: _log(count) - middle for each, count in other.items()})
    if not levels:
        return None
    moves = {
        each: _log(count) - median(level[each] for level in levels if each in level)
        for each, count in {**recent(rows, day), day: rows[day]}.items()
        if any(each in level for level in levels)
    }
    moved = moves.pop(day)
    if len(moves) < FEWEST_DAYS:
        return None
    middle = median(moves.values())
    fitting = exp(_log(rows[day]) - moved + middle)  # rows that would fit the others
    if fitting < FEWEST_ROWS:
        return None
    known = spread(list(moves.values()))
    return _OwnMove(moved - middle, _at_level(known, recent(rows, day), fitting))


def _at_level(usual: float, before: Rows, level: float) -> float:
    """What is usual for a day of so many rows: quiet days differ more, by chance."""
    typical = median(before.values()) if before else level
    return max(usual * sqrt(max(1.0, typical / level)), 1 / sqrt(level))


def _log(count: int) -> float:
    return log(max(count, 0.5))
