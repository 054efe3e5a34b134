"""The Connect plane: `/services/data/vNN.0/ssot/query-sql`, for org tokens.

Belongs here: its requests, responses and paging. Does not: running SQL (`query_service.py`).
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
from stdm_platform.sandbox.encoding import column_metadata, fitting_rows, json_rows
from stdm_platform.sandbox.fault_layer import Effects, effects_of
from stdm_platform.sandbox.http_forms import (
    flag,
    json_answer,
    json_object,
    query_id_of,
    wait_of,
    whole,
)
from stdm_platform.sandbox.query_service import QueryService, is_running, status_of
from stdm_platform.sandbox.refusals import Refusal, bad_request
from stdm_platform.sandbox.stored import Result

FIRST_VERSION = 64.0
STATES = ("Running", "ResultsProduced", "Finished")
FIELDS = {"sql", "sqlParameters", "rowLimit"}
UNLIMITED = 2**31
PATH = "/services/data/{version}/ssot/query-sql"


class ConnectPlane:
    """Serves `query-sql`."""

    def __init__(self, service: QueryService, tokens: Tokens) -> None:
        self._service = service
        self._tokens = tokens

    def routes(self) -> list[Route]:
        """The four endpoints."""
        return [
            Route(PATH, self.submit, methods=["POST"]),
            Route(PATH + "/{query_id}/rows", self.rows, methods=["GET"]),
            Route(PATH + "/{query_id}", self.status, methods=["GET"]),
            Route(PATH + "/{query_id}", self.cancel, methods=["DELETE"]),
        ]

    async def submit(self, request: Request) -> Response:
        """Run SQL; the first rows come with the status."""
        self._admit(request)
        body = _parsed(await request.body())
        return await run_in_threadpool(self._submit, body, effects_of(request.scope))

    def _submit(self, body: dict[str, Any], effects: Effects) -> Response:
        limit = body.get("rowLimit")
        if limit is not None and (not isinstance(limit, int) or limit < 0):
            raise bad_request(f"rowLimit {limit!r} is not a whole number of 0 or more")
        given = body.get("sqlParameters")
        parameters = BoundParameters.of_connect(given)
        result = self._service.submit(
            body.get("sql"), parameters, plane="connect", given=given, effects=effects
        )
        status = status_of(result, effects, names=STATES, is_poll=False)
        if is_running(result):
            page = self._page(result.schema.empty_table(), result, effects)
        else:
            page = self._rows(result, 0, UNLIMITED if limit is None else limit, effects)
        return json_answer({**page, "status": status}, 201)

    async def status(self, request: Request) -> Response:
        """The status, waited for."""
        self._admit(request)
        seconds = wait_of(request.query_params, 0)
        return await run_in_threadpool(
            self._status, query_id_of(request), seconds, effects_of(request.scope)
        )

    def _status(self, query_id: str, seconds: float, effects: Effects) -> Response:
        result = self._service.store.get(query_id)
        result.wait(seconds)
        status = status_of(result, effects, names=STATES, is_poll=True)
        is_wrapped = effects.take("wrapped_status") is not None
        # Bare and wrapped at once: some clients read only the one, some only the other.
        return json_answer({"status": status} if is_wrapped else {**status, "status": status})

    async def rows(self, request: Request) -> Response:
        """Rows from an offset on; as many as fit into a response."""
        self._admit(request)
        query = request.query_params
        offset, limit = whole(query, "offset", 0), whole(query, "rowLimit", UNLIMITED)
        omits_schema = flag(query, "omitSchema")

        def answer(query_id: str, effects: Effects) -> Response:
            result = self._service.store.get(query_id)
            result.wait(0)
            page = self._rows(result, offset, limit, effects)
            if omits_schema:
                page["metadata"] = []
            status = status_of(result, effects, names=STATES, is_poll=False)
            return json_answer({**page, "status": status})

        return await run_in_threadpool(answer, query_id_of(request), effects_of(request.scope))

    def _rows(self, result: Result, offset: int, limit: int, effects: Effects) -> dict[str, Any]:
        table = result.rows(offset, limit, self._service.page_bytes)
        return self._page(fitting_rows(table, self._service.page_bytes), result, effects)

    @staticmethod
    def _page(table: pa.Table, result: Result, effects: Effects) -> dict[str, Any]:
        if table.num_rows and effects.take("empty_page") is not None:
            table = table.slice(0, 0)
        if table.num_rows > 1 and effects.take("short_page") is not None:
            table = table.slice(0, table.num_rows // 2)
        rows: list[Any] = list(json_rows(table))
        garbled = effects.take("garbled_cells") if rows else None
        if garbled is not None:
            rows = _garbled(rows, table.schema, garbled)
        return {
            "data": rows,
            "metadata": column_metadata(result.schema),
            "returnedRows": table.num_rows,
        }

    async def cancel(self, request: Request) -> Response:
        """Cancel or forget a query."""
        self._admit(request)
        self._service.store.drop(query_id_of(request))
        return Response(status_code=204)

    def _admit(self, request: Request) -> None:
        version = request.path_params["version"].removeprefix("v")
        try:
            is_served = float(version) >= FIRST_VERSION
        except ValueError:
            is_served = False
        if not is_served:
            raise Refusal(
                404, "The requested resource does not exist", code="NOT_FOUND", state="NOT_FOUND"
            )
        self._tokens.check_org(request.headers.get("authorization"))
        query = request.query_params
        space = (
            query.get("dataspace") or query.get("dataspaceName") or request.headers.get("dataspace")
        )
        if space and space not in self._tokens.access.data_spaces:
            raise Refusal(
                404, f"Data space {space} not found", code="ITEM_NOT_FOUND", state="NOT_FOUND"
            )


def _garbled(rows: list[Any], schema: pa.Schema, details: dict[str, Any]) -> list[Any]:
    """The rows, of which the first say `text` where a column's value should stand."""
    instants = [field.name for field in schema if pa.types.is_timestamp(field.type)]
    names = [str(details["column"])] if details["column"] else instants[:1]
    places = [place for name in names if (place := schema.get_field_index(name)) >= 0]
    last = int(details["rows"])
    for place in places:
        rows[:last] = [[*row[:place], details["text"], *row[place + 1 :]] for row in rows[:last]]
    return rows


def _parsed(content: bytes) -> dict[str, Any]:
    body = json_object(content)
    for name in body:
        if name not in FIELDS:
            raise bad_request(f'Unrecognized field "{name}"', "JSON_PARSER_ERROR")
    return body
