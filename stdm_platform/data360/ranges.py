"""Read rows in order: side by side, with a bounded number of pages ahead, short pages continued.

Belongs here: prefetch, and paging by offset inside a range of rows. Does not: HTTP.

A range `[start, end)` of rows belongs to one task, which goes on from the rows that it really got
until the range is whole. So the order holds whatever page sizes the org chooses.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, Future
from typing import TypeVar

import pyarrow as pa

from stdm_platform.data360.ahead import Ahead

T = TypeVar("T")
Fetch = Callable[[int, int], list[pa.RecordBatch]]
"""Takes offset and limit; gives at least one row, or raises."""


def in_order(
    executor: Executor,
    tasks: Iterable[Callable[[], T]],
    *,
    ahead: Ahead,
    size: Callable[[T], int],
) -> Iterator[T]:
    """The results of the tasks in their order, no more of them begun than `ahead` has room for.

    Args:
        executor: where they run.
        tasks: what is to be done.
        ahead: the room.
        size: bytes of memory that a result takes.
    """
    begun: deque[Future[T]] = deque()
    with ahead.reading() as share:

        def first() -> T:
            result = begun.popleft().result()
            share.took(size(result))
            return result

        try:
            for task in tasks:
                begun.append(executor.submit(task))
                while len(begun) > share.allowed:
                    yield first()
            while begun:
                yield first()
        finally:
            for future in begun:
                future.cancel()


def read_range(fetch: Fetch, start: int, end: int) -> list[pa.RecordBatch]:
    """The rows `[start, end)`, from as many pages as the org makes of them."""
    held: list[pa.RecordBatch] = []
    offset = start
    while offset < end:
        for batch in fetch(offset, end - offset):
            wanted = batch.slice(0, end - offset)  # more rows than asked for belong to the next
            held.append(wanted)
            offset += wanted.num_rows
            if offset == end:
                break
    return held


def read_rows(
    executor: Executor, fetch: Fetch, start: int, end: int, *, size: int, ahead: Ahead
) -> Iterator[pa.RecordBatch]:
    """The rows `[start, end)` as batches in order, read as ranges of `size` rows."""

    def task(first: int) -> Callable[[], list[pa.RecordBatch]]:
        return lambda: read_range(fetch, first, min(first + size, end))

    tasks = map(task, range(start, end, size))
    for batches in in_order(executor, tasks, ahead=ahead, size=_bytes_of):
        yield from batches


def _bytes_of(batches: Iterable[pa.RecordBatch]) -> int:
    return sum(batch.nbytes for batch in batches)
