"""Query API V2 and V1, and their Connect twins `ssot/queryv2` and `ssot/query`: older clients.

Belongs here: their requests, envelopes and batches. Does not: running SQL (`query_service.py`). All
four answer when the rows are there; V2 goes on in batches, forward only, each of them once.
"""

from __future__ import annotations

import base64
import threading
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from stdm_platform.sandbox.auth import Tokens
from stdm_platform.sandbox.binding import BoundParameters
from stdm_platform.sandbox.encoding import arrow_stream, fitting_rows, json_rows, type_name
from stdm_platform.sandbox.fault_layer import effects_of
from stdm_platform.sandbox.http_forms import json_answer, json_object, whole
from stdm_platform.sandbox.query_service import QueryService
from stdm_platform.sandbox.refusals import query_unknown
from stdm_platform.sandbox.stored import Result

V1_ROWS = 49_999
BATCHES_PER_PAGE = 4  # a V2 response is at most 8 MB where Connect cuts at about 2
SECONDS = 100.0  # there is no status to ask for: a longer query times out
CONNECT = "/services/data/{version}/ssot"
# JDBC's numbers, as `typeCode` has them.
TYPES = {
    "Boolean": ("BOOLEAN", 16),
    "SmallInt": ("SMALLINT", 5),
    "Integer": ("INTEGER", 4),
    "BigInt": ("BIGINT", -5),
    "Float": ("REAL", 7),
    "Double": ("DOUBLE", 8),
    "Numeric": ("DECIMAL", 3),
    "Date": ("DATE", 91),
    "Timestamp": ("TIMESTAMP", 93),
    "TimestampTZ": ("TIMESTAMP WITH TIME ZONE", 2014),
}


class BatchPlane:
    """Serves V1 and V2."""

    def __init__(self, service: QueryService, tokens: Tokens) -> None:
        self._service = service
        self._tokens = tokens
        self._offsets: dict[str, tuple[str, int]] = {}
        self._lock = threading.Lock()

    def routes(self) -> list[Route]:
        """Both versions on both hosts."""
        return [
            Route("/api/v1/query", self.submit_v1, methods=["POST"]),
            Route("/api/v2/query", self.submit_v2, methods=["POST"]),
            Route("/api/v2/query/{batch_id}", self.batch, methods=["GET"]),
            Route(CONNECT + "/query", self.submit_v1, methods=["POST"]),
            Route(CONNECT + "/queryv2", self.submit_v2, methods=["POST"]),
            Route(CONNECT + "/queryv2/{batch_id}", self.batch, methods=["GET"]),
        ]

    async def submit_v1(self, request: Request) -> Response:
        """Run SQL; the rows come as objects, all at once."""
        query = request.query_params
        offset, limit = whole(query, "offset", 0), whole(query, "limit", V1_ROWS)
        result, began = await self._run(request, "v1")

        def answer() -> Response:
            rows = _from(result, offset, min(limit, V1_ROWS))
            names = result.schema.names
            data = [dict(zip(names, row, strict=True)) for row in json_rows(rows)]
            return json_answer({"data": data, **_envelope(result, rows, began), "done": True})

        return await run_in_threadpool(answer)

    async def submit_v2(self, request: Request) -> Response:
        """Run SQL; the first batch comes at once."""
        result, began = await self._run(request, "v2")
        is_arrow = _wants_arrow(request)
        return await run_in_threadpool(self._batch, result, 0, 0, began, is_arrow)

    async def batch(self, request: Request) -> Response:
        """The next batch, by an id that works once."""
        self._admit(request)
        began = datetime.now(UTC)
        batch_id: str = request.path_params["batch_id"]
        with self._lock:
            known = self._offsets.pop(batch_id, None)
        if known is None:
            raise query_unknown(batch_id)
        query_id, offset = known
        result = self._service.store.get(query_id)
        number = int(batch_id.rpartition("_")[2])
        return await run_in_threadpool(
            self._batch, result, offset, number, began, _wants_arrow(request)
        )

    def _admit(self, request: Request) -> None:
        on_tenant = request.url.path.startswith("/api/")
        check = self._tokens.check_tenant if on_tenant else self._tokens.check_org
        check(request.headers.get("authorization"))

    async def _run(self, request: Request, plane: str) -> tuple[Result, datetime]:
        self._admit(request)
        began = datetime.now(UTC)
        body = json_object(await request.body())

        def submit() -> Result:
            result = self._service.submit(
                body.get("sql"),
                BoundParameters.of_connect(None),
                plane=plane,
                given=None,
                effects=effects_of(request.scope),
            )
            result.wait(SECONDS)
            return result

        return await run_in_threadpool(submit), began

    def _batch(
        self, result: Result, offset: int, number: int, began: datetime, is_arrow: bool
    ) -> Response:
        byte_limit = BATCHES_PER_PAGE * self._service.page_bytes
        rows = fitting_rows(_from(result, offset, 2**31, byte_limit), byte_limit)
        after = offset + rows.num_rows
        page = {**_envelope(result, rows, began), "done": after >= result.row_count}
        if is_arrow:
            page["arrowStream"] = base64.b64encode(arrow_stream(_in_milliseconds(rows))).decode()
        else:
            page["data"] = json_rows(rows)
        if not page["done"]:
            page["nextBatchId"] = f"{result.query_id}_{number + 1}"
            with self._lock:
                self._offsets[page["nextBatchId"]] = (result.query_id, after)
        return json_answer(page)


def _wants_arrow(request: Request) -> bool:
    return request.headers.get("enable-arrow-stream", "").lower() == "true"


def _from(result: Result, offset: int, limit: int, byte_limit: int | None = None) -> pa.Table:
    """Rows from an offset on, with the names that clients were told."""
    if offset >= result.row_count:
        return result.schema.empty_table()
    rows = result.rows(offset, limit, byte_limit)
    return pa.Table.from_arrays(rows.columns, schema=result.schema)


def _envelope(result: Result, rows: pa.Table, began: datetime) -> dict[str, Any]:
    metadata = {}
    for place, column in enumerate(result.schema):
        name, code = TYPES.get(type_name(column.type), ("VARCHAR", 12))
        metadata[column.name] = {"type": name, "placeInOrder": place, "typeCode": code}
    return {
        "startTime": began.isoformat(timespec="milliseconds"),
        "endTime": datetime.now(UTC).isoformat(timespec="milliseconds"),
        "rowCount": rows.num_rows,
        "queryId": result.query_id,
        "metadata": metadata,
    }


def _in_milliseconds(table: pa.Table) -> pa.Table:
    """Instants as Arrow streams of V2 have them; its clients cast to that without loss or fail."""
    fields = [
        field.with_type(pa.timestamp("ms", field.type.tz))
        if pa.types.is_timestamp(field.type)
        else field
        for field in table.schema
    ]
    return table.cast(pa.schema(fields), safe=False)
