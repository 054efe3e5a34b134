"""The status of a query, however an org spells it.

Belongs here: finding the status object in an answer and reading its keys. Does not: waiting for a
query to end (`polling.py`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from stdm_platform.errors import SourceError

STATUS_HEADERS = ("x-hyperdb-status", "status")
"""Current and older name of the V3 header that holds the status as JSON text."""

_RUNNING = {"", "RUNNING", "RUNNINGORUNSPECIFIED", "UNSPECIFIED", "QUEUED", "PENDING"}
_COMPLETE = {"RESULTSPRODUCED", "FINISHED", "COMPLETED", "COMPLETE"}


@dataclass(frozen=True)
class Status:
    """What an org says of a query. Counts are final only when it is complete."""

    query_id: str
    completion: str
    row_count: int | None
    chunk_count: int | None
    rows_processed: int | None

    @property
    def is_complete(self) -> bool:
        """Execution is done; says nothing of how many rows are in hand.

        Raises:
            SourceError: the org reports an end that is not a result.
        """
        if self.completion in _COMPLETE:
            return True
        if self.completion in _RUNNING:
            return False
        raise SourceError(
            f"The query ended as {self.completion[:40]!r}.",
            action="Run it again; if it ends so again, ask Salesforce support with the query id.",
        )


def read_status(headers: Mapping[str, str], body: Any) -> Status | None:
    """The status in a header, wrapped in the body under `status`, or bare; None if there is none.

    Where several are present, headers win: they are made by the engine itself.
    """
    merged: dict[str, Any] = {}
    for found in (_of_body(body), *(_of_header(headers.get(name)) for name in STATUS_HEADERS)):
        merged.update({_plain(key): value for key, value in found.items()})
    if not merged.keys() & {"queryid", "completionstatus"}:
        return None
    stats = merged.get("executionstats")
    stats = {_plain(key): value for key, value in stats.items()} if isinstance(stats, dict) else {}
    return Status(
        query_id=str(merged.get("queryid") or ""),
        completion=str(merged.get("completionstatus") or "").upper().replace("_", ""),
        row_count=_integer(merged.get("rowcount")),
        chunk_count=_integer(merged.get("chunkcount")),
        rows_processed=_integer(stats.get("rowsprocessed")),
    )


def _of_header(text: str | None) -> dict[str, Any]:
    # A header called `status` can also be a proxy's "200 OK".
    if not text or not text.lstrip().startswith("{"):
        return {}
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError:
        return {}
    return _of_body(value)


def _of_body(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        return {}
    wrapped = value.get("status")
    return wrapped if isinstance(wrapped, dict) else value


def _plain(key: str) -> str:
    return key.lower().replace("_", "")


def _integer(value: Any) -> int | None:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        return int(float(value)) if isinstance(value, float) or "." in str(value) else int(value)
    except (ValueError, OverflowError):
        return None
