"""What requests and responses of both query planes have in common.

Belongs here: reading numbers, flags and JSON from a request, writing JSON and chunked bodies. Does
not: the shapes of one plane (`connect_plane.py`, `v3_plane.py`).
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from typing import Any
from urllib.parse import parse_qs

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from stdm_platform.sandbox.encoding import json_bytes
from stdm_platform.sandbox.refusals import bad_request

JSON = "application/json"
MAX_WAIT_MS = 10_000
BLOCK_BYTES = 250_000


def wait_of(query: Mapping[str, str], default_ms: int) -> float:
    """Seconds of the long poll that a request asks for.

    Raises:
        Refusal: not a number of milliseconds.
    """
    return min(whole(query, "waitTimeMs", default_ms), MAX_WAIT_MS) / 1000


def whole(fields: Mapping[str, str], name: str, default: int) -> int:
    """A whole number of 0 or more in a path or query string.

    Raises:
        Refusal: it is none.
    """
    text = fields.get(name)
    if text is None:
        return default
    if not text.isascii() or not text.isdigit():
        raise bad_request(f"{name} {text!r} is not a whole number of 0 or more")
    return int(text)


def flag(query: Mapping[str, str], name: str) -> bool:
    """Whether a query parameter says true."""
    return query.get(name, "").lower() == "true"


def query_id_of(request: Request) -> str:
    """The query id in the path."""
    found: str = request.path_params["query_id"]
    return found


def json_object(content: bytes) -> dict[str, Any]:
    """A request's body.

    Raises:
        Refusal: it is not a JSON object.
    """
    try:
        body = json.loads(content)
    except ValueError as error:
        raise bad_request(f"JSON cannot be read: {error}", "JSON_PARSER_ERROR") from error
    if not isinstance(body, dict):
        raise bad_request("a JSON object is expected", "JSON_PARSER_ERROR")
    return body


async def form_of(request: Request) -> dict[str, str]:
    """The form in body or address, without a multipart library."""
    text = (await request.body()).decode("utf-8", errors="replace")
    found = {**parse_qs(request.url.query), **parse_qs(text)}
    return {name: values[-1] for name, values in found.items()}


def json_answer(body: Any, status: int = 200) -> Response:
    """A JSON response."""
    return Response(json_bytes(body), status, media_type=JSON)


def streamed(content: bytes | memoryview, media_type: str) -> Response:
    """A body without a declared length, as chunks are served."""

    async def blocks() -> AsyncIterator[memoryview]:
        view = memoryview(content)  # not a plain generator: each of its blocks would change threads
        for start in range(0, len(view), BLOCK_BYTES):
            yield view[start : start + BLOCK_BYTES]

    return StreamingResponse(blocks(), media_type=media_type)
