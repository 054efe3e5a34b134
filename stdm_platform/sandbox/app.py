"""The ASGI app: planes, control, error shapes, the fault layer around them.

Belongs here: putting the parts together. Does not: the parts, sockets and signals (`server.py`).
"""

from __future__ import annotations

import logging
from dataclasses import dataclass

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from stdm_platform.errors import ArgumentError
from stdm_platform.sandbox.access import Access
from stdm_platform.sandbox.auth import Tokens
from stdm_platform.sandbox.batch_plane import BatchPlane
from stdm_platform.sandbox.connect_plane import ConnectPlane
from stdm_platform.sandbox.control import Control
from stdm_platform.sandbox.describe_plane import DescribePlane
from stdm_platform.sandbox.fault_answers import refusal_response
from stdm_platform.sandbox.fault_layer import Connections, FaultLayer
from stdm_platform.sandbox.faults import FaultPlan
from stdm_platform.sandbox.identity import Identity
from stdm_platform.sandbox.options import SandboxOptions
from stdm_platform.sandbox.org import Org
from stdm_platform.sandbox.query_service import QueryService
from stdm_platform.sandbox.refusals import Refusal, gateway_error
from stdm_platform.sandbox.results import ResultStore
from stdm_platform.sandbox.token_plane import TokenPlane
from stdm_platform.sandbox.v3_plane import V3Plane

log = logging.getLogger(__name__)

RESULTS = "results"
# A page on another site could name this port: only these names are this machine.
HOSTS = ["127.0.0.1", "localhost"]


@dataclass(frozen=True)
class SandboxApp:
    """The app and what the server around it has to reach."""

    asgi: FaultLayer
    connections: Connections
    store: ResultStore


def build_app(
    options: SandboxOptions, org: Org, identity: Identity, url: str, tenant: str
) -> SandboxApp:
    """The app that answers at `url`; clients are told that the tenant is at `tenant`."""
    port = url.rpartition(":")[2]
    audiences = frozenset({url, f"http://localhost:{port}"})
    tokens = Tokens(identity, audiences, Access(one_use_tokens=options.one_use_tokens))
    store = ResultStore(
        org,
        options.data_dir / RESULTS,
        chunk_rows=options.chunk_rows,
        chunk_bytes=options.chunk_bytes,
    )
    service = QueryService(
        org,
        store,
        page_bytes=options.page_bytes,
        cache_results=options.cache_results,
        billing=options.billing,
    )
    control = Control(service, tokens)
    app = Starlette(
        routes=[
            *TokenPlane(tokens, url, tenant).routes(),
            *ConnectPlane(service, tokens).routes(),
            *V3Plane(service, tokens).routes(),
            *BatchPlane(service, tokens).routes(),
            *DescribePlane(org, tokens, url).routes(),
            *control.routes(),
        ],
        middleware=[Middleware(TrustedHostMiddleware, allowed_hosts=HOSTS)],
        exception_handlers={
            Refusal: _on_refusal,
            ArgumentError: _on_argument,
            404: _on_unknown_path,
            500: _on_bug,
        },
    )
    connections = Connections()
    layer = FaultLayer(app, connections, kill_token=tokens.kill, drop_query=store.drop)
    layer.plan = FaultPlan.parse(options.faults)
    control.layer = layer
    return SandboxApp(layer, connections, store)


def _plane_of(path: str) -> str:
    if path.startswith(("/services/oauth2/", "/services/a360/")):
        return "token"
    return "v3" if path.startswith("/api/") else "connect"


def _on_refusal(request: Request, error: Exception) -> Response:
    if not isinstance(error, Refusal):
        raise error
    return refusal_response(error, _plane_of(request.url.path))


def _on_argument(_: Request, error: Exception) -> Response:
    return JSONResponse({"error": str(error)}, status_code=400)


def _on_unknown_path(request: Request, _: Exception) -> Response:
    refusal = Refusal(
        404, "The requested resource does not exist", code="NOT_FOUND", state="NOT_FOUND"
    )
    return refusal_response(refusal, _plane_of(request.url.path))


def _on_bug(request: Request, error: Exception) -> Response:
    log.error("%s %s failed: %r", request.method, request.url.path, error)
    path = request.url.path
    return refusal_response(gateway_error(500, "Internal server error", path), _plane_of(path))
