"""Values that the catalog's vocabularies lack.

Belongs here: counting them as served. Does not: judging them; news warns, it never blocks.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from functools import cache

import polars as pl

from stdm_platform.catalog import Dmo

SENTINELS = ("", "NOT_SET", "None")
"""What Data 360 serves for "no value"; never news (section 4.6 of the Data 360 page)."""

MOST_VALUES = 100
"""Kept per column, so that a vocabulary that turns into free values cannot fill the memory."""
OTHERS = "(further values)"
MOST_LETTERS = 256
"""What is longer is no vocabulary; it is cut, as it stands in a footer and in messages."""


class VocabularyWatch:
    """Counts, over the batches of a window, the values that were never seen before."""

    def __init__(self, dmo: Dmo, column_sources: Mapping[str, str]) -> None:
        self._sources = column_sources
        known = _known_values(dmo)
        self._known = {name: known[name] for name in known if name in column_sources}
        self._unseen: dict[str, Counter[str]] = {name: Counter() for name in self._known}

    @property
    def columns(self) -> tuple[str, ...]:
        """The lake columns whose values are looked at."""
        return tuple(self._known)

    def look(self, frame: pl.DataFrame) -> None:
        """Count what one batch brings."""
        for name, known in self._known.items():
            values = frame[name].drop_nulls()
            news = values.filter(~values.is_in(known.implode()))
            if news.is_empty():
                continue
            counter = self._unseen[name]
            for served, rows in news.value_counts().iter_rows():
                value = served[:MOST_LETTERS]
                counter[value if value in counter or len(counter) < MOST_VALUES else OTHERS] += rows

    def unseen(self) -> dict[str, dict[str, int]]:
        """Source column → value as served → rows, most frequent first; only columns with news."""
        return {
            self._sources[name]: dict(counter.most_common())
            for name, counter in self._unseen.items()
            if counter
        }


@cache
def _known_values(dmo: Dmo) -> Mapping[str, pl.Series]:
    """Lake column → what is no news in it; the same for each window, so made once."""
    return {
        column.name: pl.Series([*SENTINELS, *(each.value for each in column.vocabulary)])
        for column in dmo.columns
        # A column of text may hold what a user wrote, and this check prints values.
        if column.vocabulary and column.sensitivity == "none"
    }
