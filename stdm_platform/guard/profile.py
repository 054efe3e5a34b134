"""What a window holds in figures: rows without a value, rows that repeat others, texts that decode.

Belongs here: counting while the window is written. Does not: what is usual (`ranges.py`), judging
one row (`schema.py`), unseen values (`vocabulary.py`). Counts only: no value of a row stands here.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from functools import lru_cache
from typing import Any

import polars as pl

from stdm_platform.catalog import Dmo, arrow_schema
from stdm_platform.guard.repeats import Repeats
from stdm_platform.guard.sentinels import NO_VALUE
from stdm_platform.guard.texts import DecodedTexts
from stdm_platform.lake import Rows


class RowProfile:
    """Counts over the batches of a window; the arguments are those of `NullCount`."""

    def __init__(self, dmo: Dmo, asked: Collection[str]) -> None:
        schema = arrow_schema(dmo)
        self._names, self._types = schema.names, schema.types
        self._nulls = NullCount(dmo, asked)
        self._repeats = Repeats(dmo, asked)
        self._texts = DecodedTexts(dmo, asked)

    def look(self, rows: Rows) -> None:
        """Count one batch; one that is not in the catalog's schema is refused anyhow."""
        batch = rows.batch
        if batch.schema.names != self._names or batch.schema.types != self._types:
            return
        self._nulls.look(rows.frame)
        self._repeats.look(rows.frame)
        self._texts.look(batch)

    def figures(self) -> dict[str, Any]:
        """As they stand in the footer; pairs are rows with the trait and rows looked at."""
        return {
            "nulls": self._nulls.nulls(),
            "repeats": self._repeats.found(),
            "undecoded": self._texts.found(),
        }


class NullCount:
    """Counts, over the batches of a window, the rows without a value.

    Args:
        asked: lake columns that the query asked for; the others are null by our own doing.
    """

    def __init__(self, dmo: Dmo, asked: Collection[str]) -> None:
        self._counts = _counts_of(dmo, frozenset(asked))
        self._nulls: Counter[str] = Counter()

    def look(self, frame: pl.DataFrame) -> None:
        """Count what one batch lacks."""
        if self._counts:
            self._nulls.update(frame.select(self._counts).row(0, named=True))

    def nulls(self) -> dict[str, int]:
        """Lake column → rows without a value; only columns that have such rows."""
        return {name: rows for name, rows in self._nulls.items() if rows}


@lru_cache(maxsize=256)
def _counts_of(dmo: Dmo, asked: frozenset[str]) -> Sequence[pl.Expr]:
    """How many rows have no value, of each column asked for; made once, as each window counts the same."""
    return tuple(
        _without_value(column.name, is_text=column.type == "text")
        for column in dmo.columns
        if column.name in asked
    )


def _without_value(name: str, *, is_text: bool) -> pl.Expr:
    """How many rows have no value there: null, or a text that says so."""
    column = pl.col(name)
    nulls = column.null_count().cast(pl.Int64)
    return nulls + column.is_in(NO_VALUE).sum().cast(pl.Int64) if is_text else nulls
