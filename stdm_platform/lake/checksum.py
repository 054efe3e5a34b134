"""An order-independent checksum over all columns of all rows.

Belongs here: the checksum and its name. Does not: where it is kept (`evidence.py`).

It is the sum modulo 2**64 of one 64-bit hash per row, so the order of rows and the way they are
split into batches do not matter, and two equal rows do not cancel each other. Polars keeps its row
hash stable within one version only; the version is part of the text, so that a checksum of another
version never compares equal by accident (it then looks changed, which costs one rebuild).
"""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from stdm_platform.lake.rows import Rows

ALGORITHM = f"sum64-polars-{pl.__version__}"
SEED = 20260114
MODULUS = 2**64
LOW_BITS = 2**32


class RowChecksum:
    """The running checksum of a stream of batches with one schema."""

    def __init__(self) -> None:
        self.rows = 0
        self._sum = 0

    def add(self, batch: pa.RecordBatch | Rows) -> None:
        """Take in every row of the batch."""
        rows = Rows.of(batch)
        if rows.batch.num_rows == 0:
            return
        hashes = rows.frame.hash_rows(seed=SEED).to_frame("hash")
        # Both halves are summed apart, because Polars gives no promise about overflow.
        low, high = hashes.select(
            (pl.col("hash") % LOW_BITS).sum().alias("low"),
            (pl.col("hash") // LOW_BITS).sum().alias("high"),
        ).row(0)
        self._sum = (self._sum + low + high * LOW_BITS) % MODULUS
        self.rows += rows.batch.num_rows

    @property
    def text(self) -> str:
        """Algorithm, Polars version, row count and sum."""
        return f"{ALGORITHM}:{self.rows}:{self._sum:016x}"


def checksum_of_file(path: Path) -> str:
    """Read a window file again, in batches, and give its checksum."""
    checksum = RowChecksum()
    with pq.ParquetFile(path) as file:
        for batch in file.iter_batches():
            checksum.add(batch)
    return checksum.text
