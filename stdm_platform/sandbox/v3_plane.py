"""Query API V3: `/api/v3/query` on the tenant host, for tenant tokens.

Belongs here: its requests, responses, chunks and rows in JSON and Arrow. Does not: running SQL
(`query_service.py`).
"""

from __future__ import annotations

from typing import Any

import pyarrow as pa
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from stdm_platform.sandbox.auth import Tokens
from stdm_platform.sandbox.binding import BoundParameters
from stdm_platform.sandbox.encoding import (
    arrow_stream,
    column_metadata,
    fitting_rows,
    json_bytes,
    json_rows,
)
from stdm_platform.sandbox.fault_layer import Effects, effects_of
from stdm_platform.sandbox.http_forms import (
    JSON,
    MAX_WAIT_MS,
    flag,
    json_answer,
    json_object,
    query_id_of,
    streamed,
    wait_of,
    whole,
)
from stdm_platform.sandbox.query_service import QueryService, is_running, status_of
from stdm_platform.sandbox.refusals import Refusal, bad_request
from stdm_platform.sandbox.stored import Result

STATES = ("RUNNING_OR_UNSPECIFIED", "RESULTS_PRODUCED", "FINISHED")
ARROW = "application/vnd.apache.arrow.stream"
PAGE_BYTES = 20_000_000
STATUS_HEADER = "x-hyperdb-status"
PATH = "/api/v3/query"


class V3Plane:
    """Serves Query API V3."""

    def __init__(self, service: QueryService, tokens: Tokens) -> None:
        self._service = service
        self._tokens = tokens

    def routes(self) -> list[Route]:
        """The six endpoints."""
        return [
            Route(PATH, self.submit, methods=["POST"]),
            Route(PATH + "/{query_id}/chunks/{chunk}", self.chunk, methods=["GET"]),
            Route(PATH + "/{query_id}/rows", self.rows, methods=["GET"]),
            Route(PATH + "/{query_id}/metadata", self.metadata, methods=["GET"]),
            Route(PATH + "/{query_id}", self.status, methods=["GET"]),
            Route(PATH + "/{query_id}", self.cancel, methods=["DELETE"]),
        ]

    async def submit(self, request: Request) -> Response:
        """Run SQL; ADAPTIVE gives the first chunk with the answer if it is quick."""
        form = self._admit(request)
        body = json_object(await request.body())
        return await run_in_threadpool(self._submit, body, form, effects_of(request.scope))

    def _submit(self, body: dict[str, Any], form: str, effects: Effects) -> Response:
        mode = body.get("transferMode", "ADAPTIVE")
        if mode not in {"ADAPTIVE", "ASYNC"}:
            raise bad_request(f"transferMode {mode!r} is unknown")
        given = body.get("parameters")
        parameters = BoundParameters.of_v3(given, body.get("paramStyle") or "QUESTION_MARK")
        row_limit = body.get("queryRowLimit", -1)
        if not isinstance(row_limit, int):
            raise bad_request(f"queryRowLimit {row_limit!r} is not a whole number")
        result = self._service.submit(
            body.get("sql"),
            parameters,
            plane="v3",
            given=given,
            effects=effects,
            row_limit=row_limit,
            wait=mode == "ADAPTIVE",
        )
        if mode == "ASYNC" or is_running(result):
            table = result.schema.empty_table()
        else:
            table = _in_range(result.chunk(0), body.get("resultRange") or {})
        return self._answer(result, table, form, effects)

    async def status(self, request: Request) -> Response:
        """The status, waited for."""
        self._admit(request)
        wait = wait_of(request.query_params, MAX_WAIT_MS)

        def answer(query_id: str, effects: Effects) -> Response:
            result = self._service.store.get(query_id)
            result.wait(wait)
            status = status_of(result, effects, names=STATES, is_poll=True)
            is_wrapped = effects.take("wrapped_status") is not None
            response = json_answer({"status": status} if is_wrapped else status)
            return _with_status(response, status, effects)

        return await run_in_threadpool(answer, query_id_of(request), effects_of(request.scope))

    async def chunk(self, request: Request) -> Response:
        """One chunk, from 0 on; in Arrow as it lies on disk."""
        form = self._admit(request)
        number = whole(request.path_params, "chunk", 0)
        omits_schema = flag(request.query_params, "omitSchema")

        def answer(query_id: str, effects: Effects) -> Response:
            result = self._service.store.get(query_id)
            result.wait(0)
            if form == ARROW:
                response = streamed(memoryview(result.chunk_stream(number)), ARROW)
            else:
                page = _page(result, result.chunk(number), omits_schema=omits_schema)
                response = streamed(json_bytes(page), JSON)
            status = status_of(result, effects, names=STATES, is_poll=False)
            return _with_status(response, status, effects)

        return await run_in_threadpool(answer, query_id_of(request), effects_of(request.scope))

    async def rows(self, request: Request) -> Response:
        """Rows from an offset on, as many as asked for or as fit."""
        form = self._admit(request)
        query = request.query_params
        if "offset" not in query:
            raise bad_request("offset is required")
        offset, limit = whole(query, "offset", 0), whole(query, "limit", 2**31)
        byte_limit = min(whole(query, "byteLimit", PAGE_BYTES), PAGE_BYTES)
        omits_schema = flag(request.query_params, "omitSchema")

        def answer(query_id: str, effects: Effects) -> Response:
            result = self._service.store.get(query_id)
            result.wait(0)
            table = fitting_rows(result.rows(offset, limit, byte_limit), byte_limit)
            if table.num_rows and effects.take("empty_page") is not None:
                table = table.slice(0, 0)
            if table.num_rows > 1 and effects.take("short_page") is not None:
                table = table.slice(0, table.num_rows // 2)
            return self._answer(result, table, form, effects, omits_schema=omits_schema)

        return await run_in_threadpool(answer, query_id_of(request), effects_of(request.scope))

    async def metadata(self, request: Request) -> Response:
        """The columns alone, without a status header."""
        form = self._admit(request)
        result = self._service.store.get(query_id_of(request))
        if form == ARROW:
            return Response(
                arrow_stream(_served(result.schema.empty_table(), result)), media_type=ARROW
            )
        return json_answer({"metadata": {"columns": column_metadata(result.schema)}})

    async def cancel(self, request: Request) -> Response:
        """Cancel or forget a query; unknown ones too."""
        self._admit(request)
        self._service.store.drop(query_id_of(request))
        return Response(status_code=204)

    def _admit(self, request: Request) -> str:
        """Check token, data space and Accept; the form to answer in."""
        self._tokens.check_tenant(request.headers.get("authorization"))
        space = request.headers.get("ctx-dataspace-ds_name")
        if space and space not in self._tokens.access.data_spaces:
            raise Refusal(404, f"Data space {space} not found", code="NOT_FOUND", state="NOT_FOUND")
        accepted = [
            part.partition(";")[0].strip()
            for part in request.headers.get("accept", "*/*").split(",")
        ]
        for part in accepted:
            if part == ARROW:
                return ARROW
            if part in {JSON, "*/*", "application/*", ""}:
                return JSON
        raise Refusal(
            406, f"Accept {', '.join(accepted)} is not served", code="NOT_ACCEPTABLE", state="HY000"
        )

    def _answer(
        self,
        result: Result,
        table: pa.Table,
        form: str,
        effects: Effects,
        *,
        omits_schema: bool = False,
    ) -> Response:
        if form == ARROW:
            response = Response(arrow_stream(_served(table, result)), media_type=ARROW)
        else:
            response = json_answer(_page(result, table, omits_schema=omits_schema))
        status = status_of(result, effects, names=STATES, is_poll=False)
        return _with_status(response, status, effects)


def _served(table: pa.Table, result: Result) -> pa.Table:
    return pa.Table.from_arrays(table.columns, schema=result.schema)


def _page(result: Result, table: pa.Table, *, omits_schema: bool) -> dict[str, Any]:
    page = {"data": json_rows(table), "returnedRows": table.num_rows}
    if omits_schema:
        return page
    return {"metadata": {"columns": column_metadata(result.schema)}, **page}


def _in_range(table: pa.Table, wanted: dict[str, Any]) -> pa.Table:
    limit = wanted.get("rowLimit")
    if isinstance(limit, int) and limit >= 0:
        table = table.slice(0, limit)
    byte_limit = wanted.get("byteLimit")
    if not isinstance(byte_limit, int) or byte_limit < 1:
        byte_limit = PAGE_BYTES
    return fitting_rows(table, min(byte_limit, PAGE_BYTES))


def _with_status(response: Response, status: dict[str, Any], effects: Effects) -> Response:
    is_older = effects.take("status_header") is not None
    response.headers["status" if is_older else STATUS_HEADER] = json_bytes(status).decode()
    return response
