"""One HTTP answer, its body held in memory or, when it is large, in a file of our own.

Belongs here: reading a body once and giving it as JSON or bytes. Does not: sending
(`requester.py`) or saying what a refusal means (`refusals.py`).
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, BinaryIO

import httpx
import orjson

from stdm_platform.data360.faults import HtmlAnswer, TransientFault

SPILL_BYTES = 32 * 1024 * 1024
"""A body beyond this goes to an unnamed temporary file, so that memory stays bounded."""


class Body:
    """The bytes of an answer."""

    def __init__(self, pieces: Iterable[bytes]) -> None:
        held: list[bytes] = []
        self.size = 0
        self.file: BinaryIO | None = None
        for piece in pieces:
            self.size += len(piece)
            if self.file is not None:
                self.file.write(piece)
                continue
            held.append(piece)
            if self.size > SPILL_BYTES:
                self.file = tempfile.TemporaryFile()  # noqa: SIM115 lives as long as the body
                self.file.writelines(held)
                held = []
        self._data = held[0] if len(held) == 1 else b"".join(held)

    def whole(self) -> bytes:
        """All of it, in memory."""
        if self.file is None:
            return self._data
        self.file.seek(0)
        return self.file.read()

    def tail(self, count: int) -> bytes:
        """The last bytes."""
        if self.file is None:
            return self._data[-count:]
        self.file.seek(max(0, self.size - count))
        return self.file.read()


@dataclass(frozen=True)
class Answer:
    """Status, headers and body of one attempt."""

    status: int
    headers: httpx.Headers
    body: Body

    @property
    def is_framed(self) -> bool:
        """Whether HTTP itself would have noticed a body that was cut."""
        chunked = "chunked" in self.headers.get("transfer-encoding", "").lower()
        return chunked or "content-length" in self.headers

    @property
    def is_html(self) -> bool:
        """A web page: a login redirect, a maintenance page, a proxy's own answer."""
        if self.body.size >= SPILL_BYTES:
            return "html" in self.headers.get("content-type", "").lower()
        first = self.body.whole()[:64].lstrip()[:1]
        # Error bodies in JSON are sometimes sent with the type of the page that they replace.
        says_html = "html" in self.headers.get("content-type", "").lower()
        return first == b"<" or (says_html and first not in (b"{", b"["))

    @property
    def is_arrow(self) -> bool:
        """The body says that it is an Arrow stream."""
        return "arrow" in self.headers.get("content-type", "").lower()

    def json(self) -> Any:
        """The body as JSON.

        Raises:
            HtmlAnswer: it is a web page.
            TransientFault: it is no JSON; most likely it was cut.
        """
        if self.is_html:
            raise HtmlAnswer(f"HTTP {self.status} with an HTML page")
        try:
            return orjson.loads(self.body.whole())
        except orjson.JSONDecodeError:
            raise TransientFault(f"HTTP {self.status} with a body that is no JSON") from None

    def json_object(self) -> dict[str, Any]:
        """The body as a JSON object.

        Raises:
            TransientFault: it is something else.
        """
        value = self.json()
        if not isinstance(value, dict):
            raise TransientFault(f"HTTP {self.status} with JSON that is no object")
        return value

    def text(self) -> str:
        """The body as text, for a refusal; a web page is only named."""
        if self.is_html:
            return "(an HTML page)"
        return self.body.whole()[:20_000].decode("utf-8", "replace")
