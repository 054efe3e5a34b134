"""What share of a day's rows usually has a trait, from the days before it. Pure: no I/O, no clock.

Belongs here: the ranges of shares: rows without a value, repeats, texts that do not decode. Does
not: how many rows a day has (`ranges.py`), counting (`profile.py`).

The share of the last weeks, or of the same weekday where that is more, with a margin. Only a rise is
told: fewer empty values are no harm.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from math import sqrt
from statistics import median

from stdm_platform.guard.judgement import (
    FEWEST_DAYS,
    FEWEST_ROWS,
    FEWEST_WEEKS,
    Judgement,
    recent,
    spread,
)

Shares = Mapping[date, tuple[int, int]]
"""Of days: rows that have a trait, of how many."""


def judge_share(shares: Shares, day: date, *, margin: float, trait: str) -> Judgement | None:
    """The share of a day's rows that have a trait; None while there is too little to tell.

    Args:
        shares: of this day and as many days before as there are.
        day: the day to judge.
        margin: what a share may rise without being told, 0 to 1.
        trait: such as "have no value".
    """
    part, whole = shares.get(day, (0, 0))
    before = {each: n / of for each, (n, of) in recent(shares, day).items() if of >= FEWEST_ROWS}
    if whole < FEWEST_ROWS or len(before) < FEWEST_DAYS:
        return None
    values = sorted(before.values())
    same = [share for each, share in before.items() if each.weekday() == day.weekday()]
    centre = max(median(values), median(same) if len(same) >= FEWEST_WEEKS else 0.0)
    chance = sqrt(max(centre * (1 - centre), 1 / whole) / whole)
    # What three days of the history held is nothing new.
    most = max(centre + max(margin, 5 * spread(values), 5 * chance), values[-3] + margin / 4)
    found, usually = f"{part / whole:.1%}", f"at most {min(most, 1.0):.1%}"
    sentence = (
        f"{found} of {whole:,} rows {trait}; in the last {len(values)} days it was "
        f"{values[0]:.1%} to {values[-1]:.1%}, so {usually} was expected."
    )
    return Judgement(part / whole > most, found, usually, sentence)
