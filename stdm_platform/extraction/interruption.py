"""Ctrl-C while other threads wait for the org.

Belongs here: how the main thread waits for them, and ending their waits. Does not: what they read.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from queue import Empty, SimpleQueue
from typing import TypeVar

from stdm_platform.extraction.source import Source, StoppableSource

Result = TypeVar("Result")

SIGNAL_SECONDS = 0.5
"""How long the main thread may wait at a stretch. Once Polars is imported, SIGINT no longer wakes a
thread that waits for a lock without a limit (it restarts the system call), so Ctrl-C would be seen only
when the wait is over."""


@contextmanager
def waits_ended_by_interruption(client: Source) -> Iterator[None]:
    """Inside, Ctrl-C (or the end of a Dagster run) ends what other threads wait for at the org.

    Else whoever joins them waits too, for as long as a query of theirs may run.
    """
    try:
        yield
    except (Exception, GeneratorExit):
        raise
    except BaseException:
        if isinstance(client, StoppableSource):
            client.stop()
        raise


def as_they_end(futures: Collection[Future[Result]]) -> Iterator[Future[Result]]:
    """As `concurrent.futures.as_completed`, at a cost that does not grow with those still waited for."""
    ended: SimpleQueue[Future[Result]] = SimpleQueue()
    for future in futures:
        future.add_done_callback(ended.put)
    left = len(futures)
    while left:
        try:
            yield ended.get(timeout=SIGNAL_SECONDS)
        except Empty:
            continue
        left -= 1
