"""The layer in front of the planes that serves faults and keeps the log of requests.

Belongs here: breaking connections, holding answers back, handing bends to the planes. Does not:
choosing a fault (`faults.py`), the content of bad answers (`fault_answers.py`).
"""

from __future__ import annotations

import asyncio
import socket
import struct
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from stdm_platform.sandbox.fault_answers import answer_of
from stdm_platform.sandbox.faults import Fault, FaultPlan
from stdm_platform.sandbox.operations import operation_of, query_id_in

REQUEST_LOG_LIMIT = 100_000
SCOPE_KEY = "stdm.effects"


class Connections:
    """The open connections' transports by client address, so that one can be broken."""

    def __init__(self) -> None:
        self._transports: dict[tuple[str, int], asyncio.Transport] = {}

    def opened(self, transport: asyncio.Transport) -> None:
        """A client connected."""
        self._transports[transport.get_extra_info("peername")[:2]] = transport

    def closed(self, transport: asyncio.Transport) -> None:
        """A client is gone."""
        for address, known in list(self._transports.items()):
            if known is transport:
                del self._transports[address]

    def reset(self, scope: Scope) -> None:
        """Close with a RST: lingering for no time drops what was not sent."""
        transport = self._transports.get(tuple(scope.get("client") or ()))
        if transport is None:
            return
        connection: socket.socket = transport.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        transport.abort()

    def close(self, scope: Scope) -> None:
        """Send what is written and close."""
        transport = self._transports.get(tuple(scope.get("client") or ()))
        if transport is not None:
            transport.close()


@dataclass
class Effects:
    """The bends that the plane has to put on one answer."""

    faults: list[Fault] = field(default_factory=list)
    record: Callable[[Fault], None] = lambda _: None

    def take(self, kind: str) -> dict[str, Any] | None:
        """The details of this bend if the answer gets it; notes it as served."""
        for fault in self.faults:
            if fault.kind == kind:
                self.faults.remove(fault)
                self.record(fault)
                return fault.details
        return None


def effects_of(scope: Scope) -> Effects:
    """The bends of a request."""
    found: Effects = scope[SCOPE_KEY]
    return found


class FaultLayer:
    """ASGI middleware around the planes."""

    def __init__(
        self,
        app: ASGIApp,
        connections: Connections,
        *,
        kill_token: Callable[[str], None],
        drop_query: Callable[[str], None],
    ) -> None:
        self.app = app
        self.connections = connections
        self.plan = FaultPlan()
        self.requests: deque[dict[str, Any]] = deque(maxlen=REQUEST_LOG_LIMIT)
        self._kill_token = kill_token
        self._drop_query = drop_query

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, with its faults."""
        operation = (
            operation_of(scope["method"], scope["path"]) if scope["type"] == "http" else None
        )
        if operation is None:
            scope[SCOPE_KEY] = Effects()
            await self.app(scope, receive, send)
            return
        path = (scope.get("raw_path") or scope["path"].encode()).decode()
        chosen = self.plan.choose(operation, scope["method"], path)
        plan = self.plan

        def record(fault: Fault) -> None:
            plan.record(fault, operation, scope["method"], path)

        scope[SCOPE_KEY] = Effects(list(chosen), record)
        entry: dict[str, Any] = {
            "time": datetime.now(UTC).isoformat(),
            "operation": operation,
            "method": scope["method"],
            "path": path,
            "status": None,
            "bytes": 0,
            "faults": [fault.kind for fault in chosen],
        }
        self.requests.append(entry)

        async def noting_send(message: Message) -> None:
            if message["type"] == "http.response.start":
                entry["status"] = message["status"]
            else:
                entry["bytes"] += len(message.get("body", b""))
            await send(message)

        await self._serve(scope, receive, noting_send, chosen[-1] if chosen else None, operation)

    async def _serve(
        self, scope: Scope, receive: Receive, send: Send, fault: Fault | None, operation: str
    ) -> None:
        effects = effects_of(scope)
        kind = fault.kind if fault is not None else ""
        if fault is None or kind not in {*_ANSWERED_HERE, "reset", "cut", "hang"}:
            await self.app(scope, receive, send)
        elif kind == "hang":
            effects.take(kind)
            await asyncio.sleep(float(fault.details["seconds"]))
            await self.app(scope, receive, send)
        elif kind == "reset":
            await self._reset(scope, receive, fault, effects)
        elif kind == "cut":
            await self._cut(scope, receive, send, fault, effects)
        else:
            body = await _body_of(receive)
            if kind == "unauthorized":
                self._kill_token(_token_of(scope, body))
            if kind == "query_lost":
                self._drop_query(query_id_in(scope["path"]))
            effects.take(kind)
            await answer_of(fault, operation, scope["path"], body)(scope, receive, send)

    async def _reset(self, scope: Scope, receive: Receive, fault: Fault, effects: Effects) -> None:
        body = await _body_of(receive)
        if fault.details["when"] == "after":

            async def swallow(_: Message) -> None:
                return

            await self.app(scope, _replay(body, receive), swallow)
        effects.take(fault.kind)
        self.connections.reset(scope)

    async def _cut(
        self, scope: Scope, receive: Receive, send: Send, fault: Fault, effects: Effects
    ) -> None:
        """Promise the whole body, send a part of it, close."""
        start: Message = {}
        parts: list[bytes] = []

        async def collect(message: Message) -> None:
            if message["type"] == "http.response.start":
                start.update(message)
            else:
                parts.append(bytes(message.get("body", b"")))

        await self.app(scope, receive, collect)
        whole = b"".join(parts)
        if not whole:  # nothing to cut: the answer stays good and nothing is noted
            await send(start)
            await send({"type": "http.response.body", "body": b""})
            return
        part = whole[: int(len(whole) * float(fault.details["share"]))]
        await send(start)
        await send({"type": "http.response.body", "body": part, "more_body": True})
        effects.take(fault.kind)
        if fault.details["how"] == "reset":
            await asyncio.sleep(0.05)  # a reset drops what the client has not read yet
            self.connections.reset(scope)
        else:
            self.connections.close(scope)


_ANSWERED_HERE = frozenset(
    [
        "rate_limit_seconds",
        "rate_limit_date",
        "server_error",
        "unavailable_html",
        "html",
        "token_error",
        "unauthorized",
        "forbidden",
        "query_lost",
        "missing_object",
        "missing_field",
        "bad_sql",
    ]
)


def _token_of(scope: Scope, body: bytes) -> str:
    """The token that a request came with: in the header, or as subject of an exchange."""
    header: str = dict(scope["headers"]).get(b"authorization", b"").decode("latin-1")
    if header:
        return header.partition(" ")[2].strip()
    return parse_qs(body.decode("latin-1")).get("subject_token", [""])[0]


async def _body_of(receive: Receive) -> bytes:
    """The whole request: an answer before it is read would break the connection by accident."""
    body = b""
    while True:
        message = await receive()
        body += bytes(message.get("body", b""))
        if message["type"] != "http.request" or not message.get("more_body"):
            return body


def _replay(body: bytes, receive: Receive) -> Receive:
    """The request once more; then the real silence, which streams listen to for a disconnect."""
    parts = [body]

    async def again() -> Message:
        if parts:
            return {"type": "http.request", "body": parts.pop(), "more_body": False}
        return await receive()

    return again
