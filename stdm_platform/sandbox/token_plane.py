"""The token endpoints: `/services/oauth2/token` and `/services/a360/token`.

Belongs here: forms in, JSON out. Does not: deciding (`auth.py`).
"""

from __future__ import annotations

import time

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from stdm_platform.sandbox.auth import TENANT_SECONDS, Tokens
from stdm_platform.sandbox.fault_layer import effects_of
from stdm_platform.sandbox.http_forms import form_of

ISSUED_TYPE = "urn:ietf:params:oauth:token-type:jwt"


class TokenPlane:
    """Serves tokens of the org and of the tenant."""

    def __init__(self, tokens: Tokens, url: str, tenant: str) -> None:
        self._tokens = tokens
        self._url = url
        self._tenant = tenant

    def routes(self) -> list[Route]:
        """The two endpoints."""
        return [
            Route("/services/oauth2/token", self.log_in, methods=["POST"]),
            Route("/services/a360/token", self.exchange, methods=["POST"]),
        ]

    async def log_in(self, request: Request) -> Response:
        """An org token; no `expires_in`, as in the JWT flow."""
        form = await form_of(request)
        token = await run_in_threadpool(self._tokens.log_in, form)
        identity = self._tokens.identity
        return JSONResponse(
            {
                "access_token": token,
                "scope": self._tokens.access.scopes,
                "instance_url": self._url,
                "id": f"{self._url}/id/{identity.org_id}/{identity.user_id}",
                "token_type": "Bearer",
                "issued_at": str(int(time.time() * 1000)),
            }
        )

    async def exchange(self, request: Request) -> Response:
        """A tenant token; its host comes with a scheme if it is plain HTTP, as on loopback."""
        form = await form_of(request)
        is_last = effects_of(request.scope).take("one_use") is not None
        token = await run_in_threadpool(self._tokens.exchange, form, is_last=is_last)
        return JSONResponse(
            {
                "access_token": token,
                "instance_url": self._tenant,
                "token_type": "Bearer",
                "issued_token_type": ISSUED_TYPE,
                "expires_in": TENANT_SECONDS,
            }
        )
