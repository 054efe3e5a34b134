"""Read everything of given sessions, across midnights and DMOs, into the overlay.

Belongs here: which ids are ids, batches side by side, what one batch's failure means for the
others. Does not: one batch (`tree_batch.py`), whose sessions they are (`agents.py`), marts.

The overlay (`lake/trees.py`) is not a part of the days: no window, no plan and no mart knows it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from datetime import UTC, datetime

from stdm_platform.catalog import DMOS, Dmo
from stdm_platform.catalog.ids import QUOTE, canonical, is_id
from stdm_platform.catalog.routes import ROOT, routes_from_sessions
from stdm_platform.errors import ArgumentError, ObjectNotFoundError
from stdm_platform.extraction.interruption import SIGNAL_SECONDS, waits_ended_by_interruption
from stdm_platform.extraction.schemas import note_looks
from stdm_platform.extraction.shape import expected_shape, look
from stdm_platform.extraction.source import Source
from stdm_platform.extraction.tree_batch import BatchReader, ways_of
from stdm_platform.extraction.tree_outcome import TreesOutcome
from stdm_platform.extraction.tree_reading import TreeReader
from stdm_platform.extraction.tree_request import TreeRequest
from stdm_platform.extraction.tree_sql import rows_by_id
from stdm_platform.lake import Lake, cut_to_millisecond
from stdm_platform.settings import QUARANTINE_LIMIT

SESSIONS_PER_READING = 100
"""Sessions in one folder of the overlay: what a kill can cost, and what one query asks for."""
READERS = 4
LONGEST_ID = 255
"""Characters that a text key of Data 360 can have."""


class _HaltedError(Exception):
    """A batch was stopped because another one met an error."""


def session_ids(given: Iterable[str]) -> list[str]:
    """The ids as they are to be asked for, each once; quotes around one are taken off.

    Raises:
        ArgumentError: one is empty, too long, or holds white space or control characters.
    """
    found: dict[str, str] = {}
    for each in given:
        plain = each.strip(QUOTE)
        if not is_id(plain) or len(plain) > LONGEST_ID or not _is_one_word(plain):
            shown = each if len(each) <= 40 else f"{each[:40]}…"
            raise ArgumentError(
                f"--session-id {shown!r} is no session id.",
                action="Give it as session_summary shows it, like 0199a3c0-1b2c-7def-8abc-0123456789ab.",
            )
        found.setdefault(canonical(plain), plain)
    return list(found.values())


def extract_trees(
    client: Source,
    lake: Lake,
    sessions: Sequence[str],
    *,
    now: datetime,
    text: str = "keep",
    limit: float = QUARANTINE_LIMIT,
    dmos: Sequence[Dmo] = DMOS,
    request: TreeRequest | None = None,
    progress: Callable[[int], None] | None = None,
) -> TreesOutcome:
    """Read everything of these sessions into the overlay; nothing else in the lake changes.

    Batches become visible one by one, each whole. A session that the org does not know, or whose
    rows break their contract, does not stop the others; the outcome says so.

    Args:
        client: the org.
        lake: where the trees go.
        sessions: ids, as `session_ids` gives them.
        now: the clock of the evidence.
        text: `none` never asks for columns that hold text of conversations.
        limit: share of the rows of one DMO that may be kept aside.
        dmos: the catalog; those that no reference connects with sessions are left out.
        request: what an interrupted one has finished is not read again; ended when all is well.
        progress: told the number of sessions of each batch that ended, in this thread.

    Raises:
        WrongOrgError: the directory holds another org; nothing was written.
        ObjectNotFoundError: the org has no object that a session id leads to.
        StdmError: what went wrong; batches that were published before stay.
    """
    lake.claim(client.org_id)
    instant = cut_to_millisecond(now.astimezone(UTC))
    routes = routes_from_sessions(dmos)
    shapes = {
        dmo.name: look(client, dmo, of="whole sessions", note=note_looks(lake, dmo, now))
        for dmo in (route.dmo for route in routes)
    }
    ways, absent = ways_of(routes, shapes)
    if not ways:
        raise ObjectNotFoundError(
            "the org has no object that a session id leads to.", action="Run `stdm doctor`."
        )
    stop = threading.Event()

    def halted() -> None:
        if stop.is_set():
            raise _HaltedError

    reader = BatchReader(TreeReader(client, instant, text, halted, limit), lake, ways, absent)
    kept = [] if request is None else request.finished_of(sessions)
    done = set(kept)
    left = [each for each in sessions if each not in done]
    outcomes = [TreesOutcome(kept=tuple(kept), absent=tuple(absent))]
    if progress is not None:
        progress(len(kept))
    for outcome in _side_by_side(reader, left, stop):
        outcomes.append(outcome)
        if request is not None:
            request.finish(outcome.found)
        if progress is not None:
            refused = sum(len(each.sessions) for each in outcome.refused)
            progress(len(outcome.found) + len(outcome.missing) + refused)
    total = TreesOutcome.sum_of(outcomes)
    if request is not None and not total.refused:
        request.end()
    lake.remove_superseded_trees(instant)
    return total


def planned_queries(
    sessions: Sequence[str], *, text: str = "keep", dmos: Sequence[Dmo] = DMOS
) -> list[tuple[str, str, str, str]]:
    """DMO, source of the ids, their column and the query, by the catalog's names; asks nobody.

    Only the ids of sessions are known beforehand; other queries stand with one id.
    """
    routes = routes_from_sessions(dmos)
    ways, _ = ways_of(routes, {route.dmo.name: expected_shape(route.dmo) for route in routes})
    first = sessions[:SESSIONS_PER_READING]
    planned = []
    for way in ways:
        for link in way.links:
            ids = first if first and link.source == ROOT else ["?"]
            sql, _ = rows_by_id(way.shape, link.column, ids, text=text, nonce=0)
            planned.append((way.shape.dmo.name, link.source, link.source_column, sql))
    return planned


def _side_by_side(
    reader: BatchReader, sessions: Sequence[str], stop: threading.Event
) -> Iterator[TreesOutcome]:
    """Outcomes as they come; an error of one batch stops what is still being read."""
    batches = [
        sessions[start : start + SESSIONS_PER_READING]
        for start in range(0, len(sessions), SESSIONS_PER_READING)
    ]
    with ThreadPoolExecutor(max_workers=READERS, thread_name_prefix="trees") as pool:
        try:
            with waits_ended_by_interruption(reader.reader.client):
                waiting = {pool.submit(reader.read, batch) for batch in batches}
                while waiting:
                    done, waiting = wait(waiting, SIGNAL_SECONDS, FIRST_COMPLETED)
                    for future in sorted(done, key=lambda each: each.exception() is not None):
                        yield future.result()
        finally:
            stop.set()
            pool.shutdown(wait=True, cancel_futures=True)


def _is_one_word(text: str) -> bool:
    return text.isprintable() and not any(letter.isspace() for letter in text)
