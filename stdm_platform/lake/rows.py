"""One batch of rows, and the same rows as Polars sees them, converted once.

Belongs here: `Rows`. Does not: what is asked of them (`checksum.py`, `guard`). The checks and the
checksum each need a Polars frame, and making one costs about as much as hashing it; two that are made
apart could differ, so both come from here.
"""

from __future__ import annotations

from functools import cached_property

import polars as pl
import pyarrow as pa


class Rows:
    """A batch that nobody changes. `batch` is the form that is written."""

    def __init__(self, batch: pa.RecordBatch) -> None:
        self.batch = batch

    @classmethod
    def of(cls, batch: pa.RecordBatch | Rows) -> Rows:
        """The same if it is one already."""
        return batch if isinstance(batch, Rows) else cls(batch)

    @cached_property
    def frame(self) -> pl.DataFrame:
        """The rows as an eager frame, which shares the memory of long texts with the batch."""
        return pl.DataFrame(pl.from_arrow(self.batch))
