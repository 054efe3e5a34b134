"""The tenant plane: Query API V3, its result read as Arrow chunks.

Belongs here: this plane's requests. Does not: what all planes share (`planes.py`, `ranges.py`),
the order and sum of chunks (`chunks.py`).
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from stdm_platform.data360.answers import Answer
from stdm_platform.data360.chunks import Chunk, Chunks, read_chunk
from stdm_platform.data360.columns import (
    Parameter,
    ResultColumn,
    columns_of,
    columns_of_arrow,
)
from stdm_platform.data360.decode import batch_of_rows
from stdm_platform.data360.faults import PlaneUnavailable, TransientFault
from stdm_platform.data360.planes import Plane
from stdm_platform.data360.polling import Polling, cancel_quietly
from stdm_platform.data360.refusals import lacks_scope
from stdm_platform.data360.result import QueryResult, incomplete, sql_hash
from stdm_platform.data360.status import Status, read_status
from stdm_platform.errors import ObjectNotFoundError, QueryError, SourceError, StdmError

logger = logging.getLogger(__name__)

PATH = "/api/v3/query"
QUERY_PATH = f"{PATH}/{{queryId}}"
JSON = "application/json"
ARROW = "application/vnd.apache.arrow.stream"


class _NotAcceptable(Exception):
    pass


@dataclass(frozen=True)
class _Submitted:
    status: Status | None  # None: everything stood in the answer
    columns: tuple[ResultColumn, ...]
    inline: list[Any]


class V3Queries:
    """Runs queries on the tenant plane."""

    def __init__(self, plane: Plane, polling: Polling, executor: Executor) -> None:
        self._plane = plane
        self._polling = polling
        self._executor = executor
        self._accept = ARROW

    def query(
        self, sql: str, parameters: Sequence[Parameter], submitted: Callable[[str], None]
    ) -> QueryResult:
        """Run it and wait until it is complete; `submitted` is told its id before the wait.

        Raises:
            PlaneUnavailable: the org does not serve this plane to us.
            StdmError: the query was refused, or the org cannot be reached.
        """
        body: dict[str, Any] = {"sql": sql, "transferMode": "ASYNC"}
        if parameters:
            body["paramStyle"] = "QUESTION_MARK"
            body["parameters"] = [
                {"type": each.type.lower(), "value": each.value} for each in parameters
            ]
        answer = self._plane.call(
            "POST",
            PATH,
            _read_submitted,
            headers={"Accept": JSON},
            refuse=_plane_is_not_for_us,
            json=body,
        )
        sql_sha256 = sql_hash(sql, parameters)
        if answer.status is not None:
            submitted(answer.status.query_id)
        return self._complete(answer, sql_sha256)

    def reopen(self, query_id: str, sql_sha256: str) -> QueryResult:
        """The result of a query that was submitted before; raises as `query`."""
        return self._complete(_Submitted(self._status(query_id, 0.0), (), []), sql_sha256, query_id)

    def _complete(self, submitted: _Submitted, sql_sha256: str, known_id: str = "") -> QueryResult:
        if submitted.status is None:
            return _inline_result("", sql_sha256, submitted, None)
        query_id = known_id or submitted.status.query_id  # a status may leave it out
        status = self._polling.until_complete(
            submitted.status,
            lambda seconds: self._status(query_id, seconds),
            lambda: cancel_quietly(self._plane, QUERY_PATH, query_id),
        )
        row_count = status.row_count or 0
        if submitted.columns and len(submitted.inline) == row_count > 0:
            return _inline_result(query_id, sql_sha256, submitted, status.rows_processed)
        columns = submitted.columns or self._columns(query_id, status.chunk_count or 0)
        chunks = Chunks(
            count=status.chunk_count or 0,
            row_count=row_count,
            fetch_chunk=lambda chunk: self._chunk(query_id, chunk, columns),
            fetch_rows=lambda offset, limit: self._rows(
                query_id, columns, offset, limit, row_count
            ),
            executor=self._executor,
            ahead=self._plane.requester.ahead,
        )
        return QueryResult(
            query_id=query_id,
            sql_sha256=sql_sha256,
            columns=columns,
            row_count=row_count,
            rows_processed=status.rows_processed,
            transport="arrow",
            read=chunks.batches,
        )

    def _status(self, query_id: str, seconds: float) -> Status:
        return self._plane.call(
            "GET",
            QUERY_PATH,
            _read_status,
            query_id=query_id,
            params={"waitTimeMs": int(seconds * 1000)},
            headers={"Accept": JSON},
            extra_read=seconds,
        )

    def _columns(self, query_id: str, chunk_count: int) -> tuple[ResultColumn, ...]:
        """Columns of a query whose submit answer did not name them."""
        try:
            columns = self._plane.call(
                "GET",
                f"{QUERY_PATH}/metadata",
                lambda answer: columns_of(answer.json()),
                query_id=query_id,
                headers={"Accept": JSON},
            )
        except SourceError:
            if not chunk_count:
                raise
            columns = ()
        if not columns and chunk_count:
            schema = self._chunk(query_id, 0, ()).schema
            columns = columns_of_arrow(schema) if schema is not None else ()
        return columns

    def _chunk(self, query_id: str, chunk: int, columns: Sequence[ResultColumn]) -> Chunk:
        path = f"{QUERY_PATH}/chunks/{chunk}"
        return self._data(path, query_id, columns, {})

    def _rows(
        self,
        query_id: str,
        columns: Sequence[ResultColumn],
        offset: int,
        limit: int,
        row_count: int,
    ) -> list[pa.RecordBatch]:
        params, shortfall = {"offset": offset, "limit": limit}, incomplete(offset, row_count)
        chunk = self._data(f"{QUERY_PATH}/rows", query_id, columns, params, empty=shortfall)
        return list(chunk.batches())

    def _data(
        self,
        path: str,
        query_id: str,
        columns: Sequence[ResultColumn],
        params: dict[str, int],
        *,
        empty: StdmError | None = None,
    ) -> Chunk:
        def read(answer: Answer) -> Chunk:
            chunk = read_chunk(answer, columns)
            if empty is not None and chunk.rows == 0:
                raise TransientFault("an empty page before the last row", outcome=empty)
            return chunk

        for accept in dict.fromkeys((self._accept, JSON)):
            try:
                return self._plane.call(
                    "GET",
                    path,
                    read,
                    query_id=query_id,
                    params=params,
                    headers={"Accept": accept},
                    refuse=_not_acceptable if accept == ARROW else None,
                )
            except _NotAcceptable:
                logger.warning("the tenant plane gives no Arrow; its chunks are read as JSON")
                self._accept = JSON
        raise AssertionError("unreachable: JSON is the last form to be asked for")


def _inline_result(
    query_id: str, sql_sha256: str, submitted: _Submitted, rows_processed: int | None
) -> QueryResult:
    batch = batch_of_rows(submitted.inline, submitted.columns)
    return QueryResult(
        query_id=query_id,
        sql_sha256=sql_sha256,
        columns=submitted.columns,
        row_count=batch.num_rows,
        rows_processed=rows_processed,
        transport="arrow",
        read=lambda: iter([batch]),
    )


def _read_submitted(answer: Answer) -> _Submitted:
    body = answer.json_object()
    status = read_status(answer.headers, body)
    columns = columns_of(body.get("metadata"))
    inline = body.get("data")
    inline = inline if isinstance(inline, list) else []
    if status is None and not columns:
        raise TransientFault("an answer with neither status nor result")
    if status is not None and not status.query_id:
        raise TransientFault("an answer without a query id")
    return _Submitted(status, columns, inline)


def _read_status(answer: Answer) -> Status:
    body = answer.json() if answer.body.size else None
    status = read_status(answer.headers, body)
    if status is None:
        raise TransientFault("a status answer without a status")
    return status


def _plane_is_not_for_us(answer: Answer, error: StdmError) -> Exception | None:
    if isinstance(error, ObjectNotFoundError | QueryError):
        return None
    return (
        PlaneUnavailable(error) if answer.status in (404, 406, 501) or lacks_scope(answer) else None
    )


def _not_acceptable(answer: Answer, error: StdmError) -> Exception | None:
    return _NotAcceptable() if answer.status == 406 else None
