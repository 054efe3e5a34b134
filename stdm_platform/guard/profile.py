"""What a window holds in figures: how many rows have no value, column by column.

Belongs here: counting while the window is written. Does not: what is usual (`ranges.py`), judging
one row (`schema.py`), unseen values (`vocabulary.py`). Counts only: no value of a row stands here.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection

import pyarrow as pa
import pyarrow.compute as pc

from stdm_platform.catalog import Dmo

NO_VALUE = ("", "None", "NOT_SET", "UNSET_VALUE")
"""Served for "no value" (section 4.6 of the Data 360 page), and null in staging."""
_WORDS = pa.array(NO_VALUE, pa.string())
_LENGTHS = pa.array([len(word) for word in NO_VALUE], pa.int32())


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
            if name in batch.schema.names:
                values = batch.column(name)
                self._nulls[name] += values.null_count + (_sentinels(values) if is_text else 0)

    def nulls(self) -> dict[str, int]:
        """Lake column → rows without a value; only columns that have such rows."""
        return {name: rows for name, rows in self._nulls.items() if rows}


def _sentinels(values: pa.Array) -> int:
    """How many of the texts say "no value". Lengths first: few texts are then looked at."""
    if not pa.types.is_string(values.type):
        return 0
    short = pc.is_in(pc.binary_length(values), value_set=_LENGTHS)
    if not short.true_count:
        return 0
    return int(pc.is_in(values.filter(short), value_set=_WORDS).true_count)
