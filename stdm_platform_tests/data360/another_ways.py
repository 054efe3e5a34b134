"""In what one org is unlike another, as far as the Data 360 page leaves room; and its HTTP server."""

from __future__ import annotations

import gzip
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Protocol

import pyarrow as pa

ARROW = "application/vnd.apache.arrow.stream"
ORG_ID = "00D5g000004XyZqEAK"
LOGIN_PAGE = b"<!DOCTYPE html><html><body>Log in to Salesforce</body></html>"
Answer = tuple[int, dict[str, str], bytes]


@dataclass
class Ways:
    """In what this org is unlike others; the defaults are the plainest reading of the page."""

    v3: bool = True
    connect: bool = True
    exchange: tuple[int, bytes] | None = None
    submit_status: int = 200
    wraps_status: bool = False
    status_header: str = "x-hyperdb-status"
    status_in_body: bool = False
    text_numbers: bool = False
    complete: str = "FINISHED"
    running: str = "RUNNING"
    polls: int = 0
    lower_names: bool = False
    schema_once: bool = False
    counts_returned: bool = True
    chunk_rows: int = 50
    empty_chunk: bool = False
    page_rows: int = 40
    arrow: bool = True
    arrow_type: str = ARROW
    timestamps: Callable[[Any], str] | None = None
    timestamp_type: pa.DataType | None = None
    text_type: pa.DataType | None = None
    text_values: bool = False
    instance_url: str = "{url}"
    tenant_url: str = "{url}"
    identity: str | None = "{url}/id/" + ORG_ID + "/0055g00000ABCDEAA5"
    access_token: str = "org-token-"
    missing: tuple[int, Any] = (404, [{"message": "DataModelEntity not found", "errorCode": "X"}])
    binds: bool = True
    first_byte: float = 0.0
    closes: bool = False
    http_1_0: bool = False
    gzips: bool = False
    html_every: int = 0


class Org(Protocol):
    """What answers."""

    url: str
    ways: Ways

    def answer(self, method: str, path: str, headers: Any, body: bytes) -> Answer: ...


@contextmanager
def serving(org: Org) -> Iterator[None]:
    """The org on a port of its own."""
    ways = org.ways

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.0" if ways.http_1_0 else "HTTP/1.1"
        disable_nagle_algorithm = True

        def _serve(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            status, headers, content = org.answer(self.command, self.path, self.headers, body)
            time.sleep(ways.first_byte)
            self.send_response(status)
            if ways.gzips and content:
                content = gzip.compress(content)
                headers = {**headers, "Content-Encoding": "gzip"}
            if not ways.http_1_0:
                headers = {**headers, "Content-Length": str(len(content))}
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)
            self.close_connection = self.close_connection or ways.closes  # without a word

        do_GET = do_POST = do_DELETE = _serve

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    org.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
