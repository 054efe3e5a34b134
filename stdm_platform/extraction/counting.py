"""How many rows an org holds of a window, by its own count.

Belongs here: the counts. Does not: comparing counts. Counting is billed like reading.
"""

from __future__ import annotations

from collections.abc import Sequence

from stdm_platform.errors import IncompleteResultError
from stdm_platform.extraction.asking import until_answered
from stdm_platform.extraction.outcome import place_of
from stdm_platform.extraction.shape import SourceShape
from stdm_platform.extraction.source import Result, Source
from stdm_platform.extraction.sql import (
    clockless_query,
    count_query,
    counts_query,
    fresh_nonce,
    unplaced_query,
)
from stdm_platform.lake import Window


def count_rows(client: Source, shape: SourceShape, window: Window) -> int:
    """The org's own `COUNT(*)` of a window."""

    def count() -> int:
        asked = count_query(shape, window, nonce=fresh_nonce())
        return _counted(client.query(*asked), shape, window)

    return until_answered(count)


def count_rows_of_each(client: Source, shape: SourceShape, windows: Sequence[Window]) -> list[int]:
    """The org's own counts of windows that meet each other, in their order; billed as one reading."""

    def count() -> list[int]:
        result = client.query(*counts_query(shape, windows, nonce=fresh_nonce()))
        rows = [0] * len(windows)
        for batch in result.batches():
            for place, held in zip(*(each.to_pylist() for each in batch.columns), strict=True):
                rows[int(place)] += int(held)
        return rows

    return until_answered(count)


def count_unplaced_rows(client: Source, shape: SourceShape, window: Window) -> int:
    """How many rows may be of this window, when the clock is served with another type."""

    def count() -> int:
        asked = unplaced_query(shape, window, nonce=fresh_nonce())
        return _counted(client.query(*asked), shape, window)

    return until_answered(count)


def count_rows_without_clock(client: Source, shape: SourceShape) -> int:
    """How many rows have no clock: they are of no day, so no window ever holds them."""

    def count() -> int:
        result = client.query(clockless_query(shape, nonce=fresh_nonce()))
        return sum(int(batch.column(0)[0].as_py()) for batch in result.batches() if batch.num_rows)

    return until_answered(count)


def _counted(result: Result, shape: SourceShape, window: Window) -> int:
    values = [value for batch in result.batches() for value in batch.column(0).to_pylist()]
    if len(values) != 1 or values[0] is None:
        raise IncompleteResultError(
            f"a count was answered with {len(values)} rows.", action="Count again."
        ).during(place_of(shape.dmo, window.day))
    return int(values[0])
