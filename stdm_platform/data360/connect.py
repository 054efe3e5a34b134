"""The Connect plane: `query-sql` in JSON, paged by offset until the promised rows are in hand.

Belongs here: this plane's requests. Does not: what all planes share (`planes.py`, `ranges.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from typing import Any

import pyarrow as pa

from stdm_platform.data360.answers import Answer
from stdm_platform.data360.columns import Parameter, ResultColumn, columns_of, type_name
from stdm_platform.data360.decode import batch_of_rows
from stdm_platform.data360.faults import TransientFault
from stdm_platform.data360.planes import Plane
from stdm_platform.data360.polling import Polling, cancel_quietly
from stdm_platform.data360.ranges import read_rows
from stdm_platform.data360.result import QueryResult, incomplete, sql_hash
from stdm_platform.data360.status import Status, read_status
from stdm_platform.errors import SourceError

SMALLEST_RANGE = 500
LARGEST_RANGE = 20_000  # the server cuts pages by size anyway; this bounds one that does not


@dataclass(frozen=True)
class _Submitted:
    status: Status
    columns: tuple[ResultColumn, ...]
    first: pa.RecordBatch


class ConnectQueries:
    """Runs queries on the Connect plane."""

    def __init__(self, plane: Plane, polling: Polling, executor: Executor) -> None:
        self._plane = plane
        self._polling = polling
        self._executor = executor
        self._path = f"/services/data/v{plane.connection.api_version}/ssot/query-sql"

    def query(
        self, sql: str, parameters: Sequence[Parameter], submitted: Callable[[str], None]
    ) -> QueryResult:
        """Run it and wait until it is complete; `submitted` is told its id before the wait.

        Raises:
            StdmError: the query was refused, or the org cannot be reached.
        """
        body: dict[str, Any] = {"sql": sql}
        if parameters:
            body["sqlParameters"] = [
                {"type": type_name(parameter.type), "value": parameter.value}
                for parameter in parameters
            ]
        answer = self._plane.call("POST", self._path, _read_submitted, json=body)
        query_id, was_complete = answer.status.query_id, answer.status.is_complete
        submitted(query_id)
        status = self._complete(answer.status)
        # Rows that came with a running query, often none, tell nothing of the size of pages.
        if not answer.columns or (status.row_count and not was_complete):
            answer = self._first_page(query_id, status, answer.columns)
        return self._result(answer, status, sql_hash(sql, parameters))

    def reopen(self, query_id: str, sql_sha256: str) -> QueryResult:
        """The result of a query that was submitted before; raises as `query`."""
        status = self._complete(replace(self._status(query_id, 0.0), query_id=query_id))
        return self._result(self._first_page(query_id, status), status, sql_sha256)

    def _first_page(
        self, query_id: str, status: Status, known: tuple[ResultColumn, ...] = ()
    ) -> _Submitted:
        """The first rows of a complete query, with their columns where they are not known."""
        return self._plane.call(
            "GET",
            f"{self._path}/{{queryId}}/rows",
            lambda answer: _first_rows(answer.json_object(), status, known),
            query_id=query_id,
            params={"offset": 0, "rowLimit": LARGEST_RANGE},
        )

    def _complete(self, status: Status) -> Status:
        query_id = status.query_id
        return self._polling.until_complete(
            status,
            lambda seconds: self._status(query_id, seconds),
            lambda: cancel_quietly(self._plane, f"{self._path}/{{queryId}}", query_id),
        )

    def _result(self, answer: _Submitted, status: Status, sql_sha256: str) -> QueryResult:
        query_id, row_count = status.query_id, status.row_count or 0
        return QueryResult(
            query_id=query_id,
            sql_sha256=sql_sha256,
            columns=answer.columns,
            row_count=row_count,
            rows_processed=status.rows_processed,
            transport="json",
            read=lambda: self._rows(answer, query_id, row_count),
        )

    def _status(self, query_id: str, seconds: float) -> Status:
        return self._plane.call(
            "GET",
            f"{self._path}/{{queryId}}",
            _read_status,
            query_id=query_id,
            params={"waitTimeMs": int(seconds * 1000)},
            extra_read=seconds,
        )

    def _rows(
        self, submitted: _Submitted, query_id: str, row_count: int
    ) -> Iterator[pa.RecordBatch]:
        held = submitted.first.num_rows
        yield submitted.first

        def fetch(offset: int, limit: int) -> list[pa.RecordBatch]:
            return self._plane.call(
                "GET",
                f"{self._path}/{{queryId}}/rows",
                lambda answer: _read_page(answer, submitted.columns, offset, row_count),
                query_id=query_id,
                params={"offset": offset, "rowLimit": limit, "omitSchema": "true"},
            )

        yield from read_rows(
            self._executor,
            fetch,
            held,
            row_count,
            size=min(max(held, SMALLEST_RANGE), LARGEST_RANGE),
            ahead=self._plane.requester.ahead,
        )


def _read_submitted(answer: Answer) -> _Submitted:
    body = answer.json_object()
    status = read_status(answer.headers, body)
    if status is None or not status.query_id:
        raise TransientFault("an answer without a query id")
    columns = columns_of(body.get("metadata"))  # a running query may not know them yet
    rows = _data(body) if columns else []
    return _Submitted(status, columns, batch_of_rows(rows, columns))


def _first_rows(
    body: dict[str, Any], status: Status, known: tuple[ResultColumn, ...]
) -> _Submitted:
    columns = known or columns_of(body.get("metadata"))
    if not columns:
        raise SourceError(
            "The org answered the query without metadata.",
            action="Set STDM_TRANSPORT=arrow, or report it.",
        )
    return _Submitted(status, columns, batch_of_rows(_data(body), columns))


def _read_status(answer: Answer) -> Status:
    status = read_status(answer.headers, answer.json())
    if status is None:
        raise TransientFault("a status answer without a status")
    return status


def _read_page(
    answer: Answer, columns: Sequence[ResultColumn], offset: int, row_count: int
) -> list[pa.RecordBatch]:
    rows = _data(answer.json_object())
    if not rows:
        raise TransientFault(
            "an empty page before the last row", outcome=incomplete(offset, row_count)
        )
    return [batch_of_rows(rows, columns)]


def _data(body: dict[str, Any]) -> list[Any]:
    rows = body.get("data")
    return rows if isinstance(rows, list) else []
