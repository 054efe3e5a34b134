"""What a window holds in figures: rows without a value, rows that repeat others, texts that decode.

Belongs here: counting while the window is written. Does not: what is usual (`ranges.py`), judging
one row (`schema.py`), unseen values (`vocabulary.py`). Counts only: no value of a row stands here.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from stdm_platform.catalog import Dmo, arrow_schema
from stdm_platform.guard.repeats import Repeats
from stdm_platform.guard.sentinels import NO_VALUE
from stdm_platform.guard.texts import DecodedTexts

_WORDS = pa.array(NO_VALUE, pa.string())
_LENGTHS = pa.array([len(word) for word in NO_VALUE], pa.int32())


class RowProfile:
    """Counts over the batches of a window; the arguments are those of `NullCount`."""

    def __init__(self, dmo: Dmo, asked: Collection[str]) -> None:
        schema = arrow_schema(dmo)
        self._names, self._types = schema.names, schema.types
        self._nulls = NullCount(dmo, asked)
        self._repeats = Repeats(dmo, asked)
        self._texts = DecodedTexts(dmo, asked)

    def look(self, batch: pa.RecordBatch) -> None:
        """Count one batch; one that is not in the catalog's schema is refused anyhow."""
        if batch.schema.names != self._names or batch.schema.types != self._types:
            return
        self._nulls.look(batch)
        self._repeats.look(batch)
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
        self._columns = [
            (column.name, column.type == "text") for column in dmo.columns if column.name in asked
        ]
        self._nulls: Counter[str] = Counter()

    def look(self, batch: pa.RecordBatch) -> None:
        """Count what one batch lacks."""
        for name, is_text in self._columns:
            values = batch.column(name)
            self._nulls[name] += values.null_count + (_sentinels(values) if is_text else 0)

    def nulls(self) -> dict[str, int]:
        """Lake column → rows without a value; only columns that have such rows."""
        return {name: rows for name, rows in self._nulls.items() if rows}


def _sentinels(values: pa.Array) -> int:
    """How many of the texts say "no value". Lengths first: few texts are then looked at."""
    short = pc.is_in(pc.binary_length(values), value_set=_LENGTHS)
    if not short.true_count:
        return 0
    return int(pc.is_in(values.filter(short), value_set=_WORDS).true_count)
