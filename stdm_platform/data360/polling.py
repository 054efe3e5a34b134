"""Wait until a query is complete, and cancel one that nobody waits for any more.

Belongs here: the loop of long polls with its time limit. Does not: the requests (`v3.py`,
`connect.py`), what a status says (`status.py`).
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace

from stdm_platform.data360.faults import PlaneUnavailable, TransientFault
from stdm_platform.data360.planes import Plane
from stdm_platform.data360.status import Status
from stdm_platform.errors import IncompleteResultError, StdmError, UnavailableError

logger = logging.getLogger(__name__)

LONGEST_POLL_SECONDS = 10.0  # default and maximum of waitTimeMs
SHORTEST_PAUSE_SECONDS = 0.05
LONGEST_PAUSE_SECONDS = 3.0
POLLS_FOR_A_COUNT = 5  # of a complete query whose status has no row count yet


@dataclass(frozen=True)
class Polling:
    """How to wait: the time limit, and the clock and sleep to do it with."""

    limit_seconds: float
    monotonic: Callable[[], float]
    sleep: Callable[[float], None]

    def until_complete(
        self, status: Status, ask: Callable[[float], Status], cancel: Callable[[], None]
    ) -> Status:
        """The status once it is complete.

        Args:
            status: the one that the submit answered with.
            ask: a long poll of so many seconds.
            cancel: called when we stop waiting, for whatever reason.

        Raises:
            UnavailableError: the query is still running at the time limit.
        """
        complete = False
        try:
            status = self._wait(status, ask)
            complete = True
        finally:
            if not complete:
                cancel()
        return status

    def _wait(self, status: Status, ask: Callable[[float], Status]) -> Status:
        start = self.monotonic()
        pause = SHORTEST_PAUSE_SECONDS
        uncounted = 0
        while not status.is_complete or status.row_count is None:
            asked_at = self.monotonic()
            remaining = self.limit_seconds - (asked_at - start)
            if remaining <= 0:
                raise UnavailableError(
                    f"The query was still running after {self.limit_seconds:.0f} s.",
                    action="Raise STDM_QUERY_TIMEOUT_SECONDS, or ask for less at a time.",
                )
            status = _newer(status, ask(min(LONGEST_POLL_SECONDS, remaining)))
            if status.is_complete and status.row_count is not None:
                break
            uncounted += status.is_complete
            if uncounted == POLLS_FOR_A_COUNT:
                raise IncompleteResultError(
                    "The query is complete, but its status has no row count to prove rows by.",
                    action="Run the query again; try the other STDM_TRANSPORT.",
                )
            # A server that answers Running at once, without holding the poll, must not be hammered.
            spent = self.monotonic() - asked_at
            if spent < pause:
                self.sleep(pause - spent)
            pause = min(pause * 1.5, LONGEST_PAUSE_SECONDS)
        return status


def _newer(old: Status, new: Status) -> Status:
    """The new status; what it leaves out stays as it was, but for counts that were not final.

    Those of a running query grow (section 2.3): taken for the final ones, they would prove a part
    of the rows to be all of them.
    """
    if new.is_complete and not old.is_complete:
        old = replace(old, row_count=None, chunk_count=None)
    return replace(
        new,
        query_id=new.query_id or old.query_id,
        row_count=old.row_count if new.row_count is None else new.row_count,
        chunk_count=old.chunk_count if new.chunk_count is None else new.chunk_count,
        rows_processed=old.rows_processed if new.rows_processed is None else new.rows_processed,
    )


def cancel_quietly(plane: Plane, path: str, query_id: str) -> None:
    """Ask the org to drop a query; that this may fail changes nothing for us."""
    try:
        plane.try_once("DELETE", path, query_id)
    except (StdmError, TransientFault, PlaneUnavailable) as failure:
        logger.debug("a query could not be cancelled: %s", failure)
