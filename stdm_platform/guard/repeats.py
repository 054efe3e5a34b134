"""How many rows say what another row says, under another key.

Belongs here: estimating their share in bounded memory. Does not: a key that stands twice, which
blocks (`keys.py`); what share is usual (`shares.py`).

A stream that is read twice under new ids doubles every count, and no key stands twice. Rows are
alike when parent, clock, vocabularies and the lengths of their texts are. Some rows are alike by
nature, so only a share beyond the usual one is told. Of many rows those are kept whose hash ends in
zeros: rows that are alike have one hash, so the share among them is that of all.
"""

from __future__ import annotations

from collections.abc import Collection

import polars as pl

from stdm_platform.catalog import Dmo

MOST_KEPT = 65_536
SEED = 20260114


class Repeats:
    """Estimates, over the batches of a window, the share of rows that another one repeats."""

    def __init__(self, dmo: Dmo, asked: Collection[str]) -> None:
        named = {dmo.parent, dmo.clock}
        self._plain = [
            each.name for each in dmo.columns
            if each.name in asked and (each.name in named or each.vocabulary)
        ]  # fmt: skip
        self._texts = [
            each.name for each in dmo.columns if each.name in asked and each.sensitivity == "text"
        ]
        self._hashes = pl.Series("hash", [], dtype=pl.UInt64)
        self._waiting: list[pl.Series] = []
        self._bits = 0

    def look(self, frame: pl.DataFrame) -> None:
        """Take the rows of one batch."""
        if frame.is_empty() or not self._plain:
            return
        lengths = [pl.col(name).str.len_bytes() for name in self._texts]
        hashes = frame.select(*self._plain, *lengths).hash_rows(seed=SEED).alias("hash")
        self._waiting.append(self._kept(hashes))
        if sum(map(len, self._waiting)) > MOST_KEPT:
            self._gather()

    def found(self) -> list[int]:
        """Rows that repeat another, rows compared (of a sample, when there are many)."""
        self._gather()
        return [len(self._hashes) - self._hashes.n_unique(), len(self._hashes)]

    def _gather(self) -> None:
        self._hashes = pl.concat([self._hashes, *self._waiting])
        self._waiting.clear()
        while len(self._hashes) > MOST_KEPT and self._bits < 32:
            self._bits += 1
            self._hashes = self._kept(self._hashes)

    def _kept(self, hashes: pl.Series) -> pl.Series:
        return hashes.filter(hashes % (1 << self._bits) == 0) if self._bits else hashes
