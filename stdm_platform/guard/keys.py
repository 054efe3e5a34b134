"""Whether a key stands twice in a day, in 8 bytes of memory a row.

Belongs here: hashes of keys, and the exact confirmation of those that meet. Does not: any other
check. A hash that stands twice is only a suspicion: the keys behind it are read again, so that two
different keys of one hash never refuse a day. They are read from a spool of our own, because the
staged file has no footer, and so cannot be read, before it is published.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

BATCH_ROWS = 131_072
MARKS_OF_HASH_BITS, MOST_MARK_BITS = 3, 23
"""Eight places for each hash; more than 2²³ bits would leave the caches of a core."""
SPOOL_MEMORY = 4 * 1024 * 1024
"""Keys beyond it go to a file without a name, which the kernel removes on any death."""
SPOOL_SCHEMA = pa.schema([pa.field("key", pa.large_string())])


@dataclass(frozen=True)
class Repeats:
    """Surplus rows: what would have to go for each key to stand once in the day."""

    within: int
    with_held: int
    keys: tuple[str, ...]


class KeyLedger:
    """The keys of one window while it is written: hashes in memory, keys in a spool."""

    def __init__(self, folder: Path | None = None) -> None:
        self._hashes: list[pl.Series] = []
        self._spool = tempfile.SpooledTemporaryFile(  # noqa: SIM115  # __exit__ closes it
            max_size=SPOOL_MEMORY, dir=None if folder is None else str(folder)
        )
        self._writer = pa.ipc.new_stream(self._spool, SPOOL_SCHEMA)

    def __enter__(self) -> KeyLedger:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._spool.close()

    def add(self, keys: pl.Series) -> None:
        """Take the keys of some rows; null keys are another check's business."""
        present = keys.drop_nulls()
        self._hashes.append(present.hash())
        # Copied, as a view would bring the whole buffers that it points into to the disk.
        spooled = present.to_arrow().cast(pa.large_string())
        self._writer.write_batch(pa.RecordBatch.from_arrays([spooled], schema=SPOOL_SCHEMA))

    def repeats(self, column: str, held: Sequence[Path], *, sample: int) -> Repeats | None:
        """The keys that stand twice in the window, or again in held windows of the same day.

        Args:
            column: the key's name in the lake.
            held: files of the day that stay beside the window.
            sample: how many keys to name.
        """
        if not self._hashes:
            return None
        own = pl.concat(self._hashes).sort()
        self._hashes = [own]  # one copy from here on, in order
        suspects = [_repeated(own)]
        marks = _Marks(own)
        for keys in _held_keys(held, column):
            hashes = marks.may_hold(keys.hash())
            suspects.append(hashes.filter(_found(hashes, own)))
        suspected = pl.concat(suspects).unique().sort()
        if suspected.is_empty():
            return None
        own_keys = _behind(suspected, self._spooled())
        return _confirmed(own_keys, _behind(suspected, _held_keys(held, column)), sample)

    def _spooled(self) -> Iterator[pl.Series]:
        self._writer.close()
        self._spool.seek(0)
        for batch in pa.ipc.open_stream(self._spool):
            yield _series(batch.column(0))


def _confirmed(own: pl.Series, held: pl.Series, sample: int) -> Repeats | None:
    counts = own.value_counts(name="rows")
    counts = counts.with_columns(held=pl.col("key").is_in(held.unique().implode()))
    repeated = counts.filter((pl.col("rows") > 1) | pl.col("held")).sort("key")
    if repeated.is_empty():
        return None
    return Repeats(
        within=int((repeated["rows"].cast(pl.Int64) - 1).sum()),
        with_held=int(repeated["held"].sum()),
        keys=tuple(repeated["key"].head(sample).to_list()),
    )


def _repeated(ordered: pl.Series) -> pl.Series:
    """The values of an ordered series that equal the one before them."""
    return ordered.slice(1).filter(ordered.slice(1) == ordered.slice(0, max(len(ordered) - 1, 0)))


def _found(values: pl.Series, ordered: pl.Series) -> pl.Series:
    """Whether each value stands in the ordered series, without a second table of it."""
    if ordered.is_empty():
        return pl.repeat(value=False, n=len(values), eager=True)
    places = ordered.search_sorted(values).clip(upper_bound=len(ordered) - 1)
    return ordered.gather(places) == values


class _Marks:
    """The places of hashes in 1 MiB at most: one look tells nearly all others apart, a search in order takes twenty."""

    def __init__(self, hashes: pl.Series) -> None:
        self._bits = min(len(hashes).bit_length() + MARKS_OF_HASH_BITS, MOST_MARK_BITS)
        marks = pl.repeat(value=False, n=1 << self._bits, eager=True)
        self._marks = marks.scatter(self._places(hashes), values=True)

    def may_hold(self, hashes: pl.Series) -> pl.Series:
        return hashes.filter(self._marks.gather(self._places(hashes)))

    def _places(self, hashes: pl.Series) -> pl.Series:
        return (hashes // (1 << (64 - self._bits))).cast(pl.UInt32)


def _behind(suspected: pl.Series, batches: Iterable[pl.Series]) -> pl.Series:
    """The keys whose hash is suspected."""
    found = [keys.filter(_found(keys.hash(), suspected)) for keys in batches]
    return pl.concat([pl.Series("key", [], dtype=pl.String), *found])


def _held_keys(held: Sequence[Path], column: str) -> Iterator[pl.Series]:
    """The keys of these files; many small files give one series, as each costs several passes."""
    waiting: list[pa.Array] = []
    for path in held:
        with pq.ParquetFile(path) as file:
            is_there = column in file.schema_arrow.names
            for batch in (
                file.iter_batches(batch_size=BATCH_ROWS, columns=[column]) if is_there else ()
            ):
                # As text, whatever an earlier catalog held it as: a re-reading upgrades window by window.
                waiting.append(batch.column(0).cast(pa.string()))
                if sum(map(len, waiting)) >= BATCH_ROWS:
                    yield _series(pa.chunked_array(waiting)).drop_nulls()
                    waiting = []
    if waiting:
        yield _series(pa.chunked_array(waiting)).drop_nulls()


def _series(keys: pa.Array | pa.ChunkedArray) -> pl.Series:
    return pl.Series("key", keys, dtype=pl.String)
