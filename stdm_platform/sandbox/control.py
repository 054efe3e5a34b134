"""The sandbox's own endpoints under `/sandbox/`: no Data 360 org has them, no fault meets them.

Belongs here: setting faults, settings and exposure, SQL on the org's tables, reading logs. Does
not: anything a client of Data 360 uses.
"""

from __future__ import annotations

import json
from typing import Any

import duckdb
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from stdm_platform.errors import ArgumentError
from stdm_platform.sandbox.auth import Tokens
from stdm_platform.sandbox.billing import check_billing
from stdm_platform.sandbox.encoding import json_bytes
from stdm_platform.sandbox.fault_layer import FaultLayer
from stdm_platform.sandbox.faults import FaultPlan
from stdm_platform.sandbox.query_service import QueryService

EXPOSURE = (
    "family", "families", "rename_objects", "rename_columns",
    "hide_objects", "hide_columns", "column_types", "longest_lag_hours",
)  # fmt: skip
ACCESS = (
    "user_state", "app_state", "scopes", "one_use_tokens", "org_token_seconds", "data_spaces",
)  # fmt: skip
SERVICE = ("page_bytes", "cache_results", "billing")
STORE = ("chunk_rows", "chunk_bytes")


class Control:
    """Serves the sandbox's own endpoints."""

    def __init__(self, service: QueryService, tokens: Tokens) -> None:
        self._service = service
        self._tokens = tokens
        self.layer: FaultLayer | None = None

    def routes(self) -> list[Route]:
        """All of them."""
        return [
            Route("/sandbox/health", self.health, methods=["GET"]),
            Route("/sandbox/faults", self.faults, methods=["GET", "PUT", "DELETE"]),
            Route("/sandbox/control/sql", self.sql, methods=["POST"]),
            Route("/sandbox/control/sql-log", self.sql_log, methods=["GET", "DELETE"]),
            Route("/sandbox/control/requests", self.requests, methods=["GET", "DELETE"]),
            Route("/sandbox/control/clock", self.clock, methods=["GET", "PUT"]),
            Route("/sandbox/control/settings", self.settings, methods=["GET", "PUT"]),
            Route("/sandbox/control/tokens", self.tokens, methods=["DELETE"]),
        ]

    async def health(self, _: Request) -> Response:
        """Whether it answers, and as which org."""
        return JSONResponse({"status": "ok", "org_id": self._tokens.identity.org_id})

    async def faults(self, request: Request) -> Response:
        """PUT a plan (counts begin anew), DELETE it, GET what was served."""
        layer = self._faulted()
        if request.method == "PUT":
            layer.plan = FaultPlan.parse(await _body(request))
        elif request.method == "DELETE":
            layer.plan = FaultPlan()
        return JSONResponse(layer.plan.report())

    async def sql(self, request: Request) -> Response:
        """Any SQL on the org's tables: `{"sql": …, "parameters": […]}`; rows as arrays.

        The tables hold all rows as they are in the end. With a clock, `truth.sessions_at(instant)`
        and the like hold what is visible at an instant, and `truth.sessions` says of each row when
        it lands and when it changes no more (see `landing.truth_of`).
        """
        body = await _body(request)
        try:
            names, rows = await run_in_threadpool(
                self._service.org.execute, body.get("sql", ""), body.get("parameters", ())
            )
        except duckdb.Error as error:
            raise ArgumentError(f"DuckDB: {error}.", action="Correct the SQL.") from error
        return Response(json_bytes({"columns": names, "rows": rows}), media_type="application/json")

    async def sql_log(self, request: Request) -> Response:
        """Every SQL that a client sent: plane, parameters, time, query id, error."""
        log = self._service.sql_log()
        if request.method == "DELETE":
            self._service.clear_sql_log()
        return JSONResponse(log)

    async def requests(self, request: Request) -> Response:
        """Every request to a plane: operation, status, bytes of the body, faults chosen for it."""
        layer = self._faulted()
        log = list(layer.requests)
        if request.method == "DELETE":
            layer.requests.clear()
        return JSONResponse(log)

    async def clock(self, request: Request) -> Response:
        """GET `now` (ISO, null without a clock) and `speed`; PUT changes them and answers the same.

        PUT takes `now` (an instant, null to have no clock), `advance_seconds` and `speed`, which act
        in this order; 400 leaves the clock as it was.
        """
        org = self._service.org
        if request.method == "PUT":
            given = await _body(request)
            if not isinstance(given, dict):
                raise ArgumentError("the clock is no JSON object.", action='Give {"now": …}.')
            await run_in_threadpool(org.move_clock, given)
        return JSONResponse(org.clock.report())

    async def settings(self, request: Request) -> Response:
        """PUT changes the fields given; both answer all of them."""
        if request.method == "PUT":
            given = await _body(request)
            await run_in_threadpool(self._change, given)
        service = self._service
        sources: tuple[tuple[object, tuple[str, ...]], ...] = (
            (service.org.exposure, EXPOSURE),
            (self._tokens.access, ACCESS),
            (service, SERVICE),
            (service.store, STORE),
        )
        return JSONResponse({name: getattr(of, name) for of, names in sources for name in names})

    def _change(self, given: dict[str, Any]) -> None:
        unknown = set(given) - {*EXPOSURE, *ACCESS, *SERVICE, *STORE}
        if unknown:
            raise ArgumentError(
                f"settings {', '.join(sorted(unknown))} are unknown.", action="GET lists them."
            )
        check_billing(given.get("billing", self._service.billing))
        access = {name: given[name] for name in ACCESS if name in given}
        self._tokens.access = self._tokens.access.changed(**access)
        exposure = {name: given[name] for name in EXPOSURE if name in given}
        if exposure:
            self._service.org.expose(self._service.org.exposure.changed(**exposure))
        for target, names in ((self._service, SERVICE), (self._service.store, STORE)):
            for name in names:
                if name in given:
                    setattr(target, name, given[name])

    async def tokens(self, _: Request) -> Response:
        """DELETE makes every token dead."""
        self._tokens.kill_all()
        return Response(status_code=204)

    def _faulted(self) -> FaultLayer:
        if self.layer is None:
            raise RuntimeError("the app was built without its fault layer")
        return self.layer


async def _body(request: Request) -> Any:
    try:
        return json.loads(await request.body())
    except ValueError as error:
        raise ArgumentError(f"JSON cannot be read: {error}.", action="Correct it.") from error
