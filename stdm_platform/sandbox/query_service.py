"""What both query planes share: the org, its results, the log of SQL.

Belongs here: from a client's SQL and parameters to a running result, with the faults put on it.
Does not: request and response shapes (`connect_plane.py`, `v3_plane.py`).
"""

from __future__ import annotations

import hashlib
import json
import threading
from collections import deque
from datetime import UTC, datetime, timedelta
from typing import Any

from stdm_platform.sandbox.billing import Billing
from stdm_platform.sandbox.binding import BoundParameters
from stdm_platform.sandbox.clock import iso
from stdm_platform.sandbox.dialect import read_query
from stdm_platform.sandbox.fault_layer import Effects
from stdm_platform.sandbox.org import Org
from stdm_platform.sandbox.refusals import Refusal, bad_request
from stdm_platform.sandbox.results import ResultStore
from stdm_platform.sandbox.stored import Result

LOG_LIMIT = 100_000
INLINE_SECONDS = 10.0
CACHED_FOR = timedelta(hours=24)
"""How long the same SQL is answered from the cache, in the org's time (section 2.7)."""


class QueryService:
    """Runs clients' SQL and remembers what was asked."""

    def __init__(
        self,
        org: Org,
        store: ResultStore,
        *,
        page_bytes: int,
        cache_results: bool,
        billing: Billing = "window",
    ) -> None:
        self.org = org
        self.store = store
        self.page_bytes = page_bytes
        self.cache_results = cache_results
        self.billing: Billing = billing
        self._cached: dict[str, tuple[str, datetime | None]] = {}
        self._log: deque[dict[str, Any]] = deque(maxlen=LOG_LIMIT)
        self._lock = threading.Lock()

    def submit(
        self,
        sql: Any,
        parameters: BoundParameters,
        *,
        plane: str,
        given: Any,
        effects: Effects,
        row_limit: int | None = None,
        wait: bool = True,
    ) -> Result:
        """Run a client's SQL; the result is done, or still running after a while.

        Raises:
            Refusal: the SQL is refused.
        """
        if not isinstance(sql, str) or not sql.strip():
            raise bad_request("sql is required", "JSON_PARSER_ERROR")
        now = self.org.clock.now()
        entry = {
            "time": datetime.now(UTC).isoformat(),
            "clock": None if now is None else iso(now),
            "plane": plane,
            "sql": sql,
            "parameters": given or [],
            "query_id": None,
            "error": None,
        }
        self._log.append(entry)
        try:
            result = self._result(sql, parameters, plane, given, row_limit)
            entry["query_id"] = result.query_id
            self._bend(result, effects)
            if wait:
                result.wait(INLINE_SECONDS)
        except Refusal as refusal:
            entry["error"] = refusal.message
            raise
        return result

    def _result(
        self, sql: str, parameters: BoundParameters, plane: str, given: Any, row_limit: int | None
    ) -> Result:
        asked = json.dumps([sql, given, plane, row_limit], default=str)
        key = hashlib.sha256(asked.encode()).hexdigest()
        now = self.org.clock.now()
        if self.cache_results and (known := self._known(key, now)) is not None:
            return known
        query = read_query(
            sql,
            parameters,
            self.org.objects,
            plane=plane,
            row_limit=row_limit,
            billing=self.billing,
        )
        result = self.store.submit(query)
        with self._lock:
            self._cached[key] = (result.query_id, now)
        return result

    def _known(self, key: str, now: datetime | None) -> Result | None:
        """The answer given before, of the clock of that asking, however stale it is by now."""
        with self._lock:
            query_id, asked = self._cached.get(key, ("", None))
        if not query_id or not _is_kept(asked, now):
            return None
        try:
            return self.store.get(query_id)
        except Refusal:
            return None

    @staticmethod
    def _bend(result: Result, effects: Effects) -> None:
        """Put the faults of a whole query on its result."""
        if details := effects.take("running"):
            result.running_polls = int(details["polls"])
        if effects.take("empty_first_chunk") is not None:
            result.has_empty_first_chunk = True
        if details := effects.take("wrong_row_count"):
            result.row_count_error = int(details["by"])

    def sql_log(self) -> list[dict[str, Any]]:
        """Every SQL received, oldest first."""
        return list(self._log)

    def clear_sql_log(self) -> None:
        """Forget what was received."""
        self._log.clear()


def _is_kept(asked: datetime | None, now: datetime | None) -> bool:
    """Whether the cache still has an answer of then; a clock set, taken off or put back empties it."""
    if asked is None or now is None:
        return asked is now
    return timedelta(0) <= now - asked < CACHED_FOR


def is_running(result: Result) -> bool:
    """Whether a client is told that the query runs; a fault can prolong that."""
    return not result.is_done or result.running_polls > 0


def status_of(
    result: Result, effects: Effects, *, names: tuple[str, str, str], is_poll: bool
) -> dict[str, Any]:
    """The status object; `names` are the plane's words for running, produced and finished."""
    chunk_count, row_count, progress = result.chunk_count, result.row_count, 1.0
    if is_running(result):
        state, progress = names[0], 0.5
        if result.running_polls > 0 and is_poll:
            result.running_polls -= 1
        if result.is_done:  # only made to look so: growing, never all
            share = 1 / (result.running_polls + 2)
            row_count, chunk_count = int(row_count * share), int(chunk_count * share)
    else:
        state = names[2] if is_poll or result.is_persisted else names[1]
        result.is_persisted = True
        row_count += result.row_count_error
    status: dict[str, Any] = {
        "queryId": result.query_id,
        "completionStatus": state,
        "chunkCount": chunk_count,
        "rowCount": row_count,
        "progress": progress,
        "expirationTime": result.expires.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "executionStats": {
            "wallClockTime": round(result.seconds, 6),
            "rowsProcessed": result.rows_processed,
        },
    }
    if effects.take("numbers_as_strings") is not None:
        for name in ("chunkCount", "rowCount", "progress"):
            status[name] = str(status[name])
        stats = status["executionStats"]
        status["executionStats"] = {name: str(value) for name, value in stats.items()}
    return status
