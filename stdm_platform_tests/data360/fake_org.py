"""A small org in process, written from the Data 360 page, whose every answer a test can bend."""

from __future__ import annotations

import io
import json
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any
from urllib.parse import parse_qs, unquote

import httpx
import pyarrow as pa
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from stdm_platform.data360 import Connection, Data360

ARROW = "application/vnd.apache.arrow.stream"
QUERY_ID = "MTAuMjMuMTU2LjIwODo3NDg0=/a_49169cf8-0000"
CONSUMER_KEY = "3MVG9.consumer.key.planted"
ORG_ID = "00D000000000001AAA"


@cache
def private_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def pem(password: bytes | None = None, key: Any = None) -> str:
    encryption: Any = serialization.NoEncryption()
    if password:
        encryption = serialization.BestAvailableEncryption(password)
    text = (key or private_key()).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, encryption
    )
    return text.decode()


def connection(**changes: Any) -> Connection:
    made = Connection(
        login_url="https://login.example.com",
        audience="https://login.example.com",
        consumer_key=CONSUMER_KEY,
        username="user@example.com",
        private_key=private_key(),
        query_timeout_seconds=60.0,
    )
    return replace(made, **changes)


@dataclass
class Call:
    operation: str
    path: str
    raw_path: str
    params: dict[str, str]
    headers: httpx.Headers
    body: Any


class CutStream(httpx.SyncByteStream):
    """Ends in the middle, as a reset connection does."""

    def __init__(self, content: bytes, failure: Exception) -> None:
        self._content = content
        self._failure = failure

    def __iter__(self) -> Iterator[bytes]:
        yield self._content[: len(self._content) // 2]
        raise self._failure


Bend = Callable[[Call, httpx.Response], httpx.Response]


@dataclass
class FakeOrg:
    """Rows `0..rows` of one table: a text `id`, an integer `n`, a timestamp `at`."""

    rows: int = 10
    chunks: Sequence[int] | None = None  # sizes; None: one chunk of all rows
    page: int = 4  # the server's own cap of rows in a page
    inline: int = 0
    running: int = 0
    status_form: str = "header"
    numbers_as_strings: bool = False
    names_columns: bool = True
    one_use: bool = False
    tenant_url: str = "tenant.c360a.example.com"
    expires_in: Any = 7193
    row_count: int | None = None  # what the org promises; None: the truth
    serves_arrow: bool = True
    calls: list[Call] = field(default_factory=list)
    bends: list[tuple[str, Callable[[int], bool], Bend]] = field(default_factory=list)
    valid: set[str] = field(default_factory=set)
    exchanged: set[str] = field(default_factory=set)
    polls: int = 0
    in_flight: int = 0
    most_in_flight: int = 0
    _lock: Any = field(default_factory=threading.Lock)

    def client(self, **changes: Any) -> Data360:
        self.slept: list[float] = []
        self.clock = 0.0

        def sleep(seconds: float) -> None:
            self.slept.append(seconds)
            self.clock += seconds

        return Data360(
            connection(**changes),
            http_transport=httpx.MockTransport(self.handle),
            sleep=sleep,
            monotonic=lambda: self.clock,
        )

    def bend(self, operation: str, bend: Bend, *, when: Callable[[int], bool] | int = 1) -> None:
        """Change answers of an operation (`*` for all): the first `when`, or where it says so."""
        due = when if callable(when) else (lambda number, limit=when: number < limit)
        self.bends.append((operation, due, bend))

    def count(self, operation: str) -> int:
        return sum(call.operation == operation for call in self.calls)

    def of(self, operation: str) -> list[Call]:
        return [call for call in self.calls if call.operation == operation]

    def kill_tokens(self) -> None:
        self.valid.clear()

    # -- answers -----------------------------------------------------------------------------

    def handle(self, request: httpx.Request) -> httpx.Response:
        with self._lock:
            self.in_flight += 1
            self.most_in_flight = max(self.most_in_flight, self.in_flight)
        try:
            call = _call(request)
            with self._lock:
                numbers = [
                    sum(name in (c.operation, "*") for c in self.calls) for name, _, _ in self.bends
                ]
                self.calls.append(call)
                answer = self._answer(call)
            for (name, due, bend), number in zip(self.bends, numbers, strict=False):
                if name in (call.operation, "*") and due(number):
                    answer = bend(call, answer)
            return answer
        finally:
            with self._lock:
                self.in_flight -= 1

    def _answer(self, call: Call) -> httpx.Response:
        if call.operation == "login":
            token = f"00D!orgtoken{self.count('login')}"
            self.valid.add(token)
            return httpx.Response(
                200,
                json={
                    "access_token": token,
                    "instance_url": "https://org.example.com",
                    "id": f"https://login.example.com/id/{ORG_ID}/005000000000001AAA",
                    "token_type": "Bearer",
                },
            )
        if call.operation == "exchange":
            return self._exchange(call)
        bearer = call.headers["authorization"].removeprefix("Bearer ")
        wanted = "tenanttoken" if call.operation.startswith("v3") else "orgtoken"
        if bearer not in self.valid or wanted not in bearer:
            return httpx.Response(401, json=[{"errorCode": "INVALID_SESSION_ID", "message": "no"}])
        return getattr(self, "_" + call.operation.replace(".", "_"))(call)

    def _exchange(self, call: Call) -> httpx.Response:
        subject = call.body["subject_token"]
        if subject not in self.valid:
            return httpx.Response(401, json={"error": "invalid_token"})
        if self.one_use and subject in self.exchanged:
            return httpx.Response(400, json={"error": "invalid_request", "error_description": "x"})
        self.exchanged.add(subject)
        token = f"eyJ.tenanttoken{self.count('exchange')}.sig"
        self.valid.add(token)
        body = {"access_token": token, "instance_url": self.tenant_url}
        return httpx.Response(200, json=body | {"expires_in": self.expires_in})

    def _status(self, running: bool) -> dict[str, Any]:
        number: Any = str if self.numbers_as_strings else int
        promised = self.rows if self.row_count is None else self.row_count
        return {
            "queryId": QUERY_ID,
            "completionStatus": "RUNNING_OR_UNSPECIFIED" if running else "Results_Produced",
            "rowCount": number(0 if running else promised),
            "chunkCount": number(0 if running else len(self._chunks())),
            "progress": 1,
            "executionStats": {"rowsProcessed": number(self.rows * 10)},
        }

    def _with_status(self, code: int, body: dict[str, Any], running: bool) -> httpx.Response:
        status = self._status(running)
        if self.status_form == "header":
            return httpx.Response(code, json=body, headers={"x-hyperdb-status": json.dumps(status)})
        if self.status_form == "old header":
            return httpx.Response(code, json=body, headers={"status": json.dumps(status)})
        if self.status_form == "bare":
            return httpx.Response(code, json={**body, **status}, headers={"status": "200 OK"})
        return httpx.Response(code, json={**body, "status": status})

    def _chunks(self) -> Sequence[int]:
        return [self.rows] if self.chunks is None else self.chunks

    def metadata(self) -> list[dict[str, Any]]:
        types = {"id": "varchar", "n": "BIGINT", "at": "TimestampTZ"}
        return [{"name": name, "type": kind, "nullable": True} for name, kind in types.items()]

    def _v3_submit(self, call: Call) -> httpx.Response:
        columns = {"columns": self.metadata()} if self.names_columns else {}
        body = {"metadata": columns, "data": json_rows(0, self.inline), "returnedRows": 0}
        return self._with_status(200, body, self.running > 0)

    def _v3_status(self, call: Call) -> httpx.Response:
        self.polls += 1
        return self._with_status(200, {}, self.polls <= self.running)

    def _v3_metadata(self, call: Call) -> httpx.Response:
        return httpx.Response(200, json={"metadata": {"columns": self.metadata()}})

    def _v3_chunk(self, call: Call) -> httpx.Response:
        number = int(call.path.rsplit("/", 1)[1])
        start = sum(self._chunks()[:number])
        return self._table(call, start, start + self._chunks()[number])

    def _v3_rows(self, call: Call) -> httpx.Response:
        start = int(call.params["offset"])
        size = min(int(call.params.get("limit", self.page)), self.page)
        return self._table(call, start, min(start + size, self.rows))

    def _table(self, call: Call, start: int, end: int) -> httpx.Response:
        if not self.serves_arrow and call.headers["accept"] == ARROW:
            return httpx.Response(406, json={"error": "x", "message": "not acceptable"})
        if call.headers["accept"] == ARROW:
            return httpx.Response(
                200, content=arrow_rows(start, end), headers={"content-type": ARROW}
            )
        return httpx.Response(200, json={"data": json_rows(start, end), "returnedRows": 1})

    def _v3_cancel(self, call: Call) -> httpx.Response:
        return httpx.Response(204)

    _connect_cancel = _v3_cancel

    def _connect_submit(self, call: Call) -> httpx.Response:
        body = {"metadata": self.metadata(), "data": json_rows(0, self.inline)}
        body["returnedRows"] = self.inline
        form, self.status_form = self.status_form, "wrapped"
        answer = self._with_status(201, body, self.running > 0)
        self.status_form = form
        return answer

    def _connect_status(self, call: Call) -> httpx.Response:
        self.polls += 1
        status = self._status(self.polls <= self.running)
        return httpx.Response(
            200, json=status if self.status_form == "bare" else {"status": status}
        )

    def _connect_rows(self, call: Call) -> httpx.Response:
        start = int(call.params["offset"])
        if start >= self.rows:
            return httpx.Response(400, json=[{"errorCode": "X", "message": "offset out of range"}])
        end = min(start + min(int(call.params["rowLimit"]), self.page), self.rows)
        return httpx.Response(
            200, json={"data": json_rows(start, end), "returnedRows": end - start}
        )


def json_rows(start: int, end: int) -> list[list[Any]]:
    return [[f"row{n}", n, "2026-01-14T00:00:00.123Z"] for n in range(start, end)]


def arrow_rows(start: int, end: int) -> bytes:
    instant = pa.scalar(1768348800123000, pa.timestamp("us", "UTC"))
    batch = pa.RecordBatch.from_arrays(
        [
            pa.array([f"row{n}" for n in range(start, end)], pa.string()),
            pa.array(range(start, end), pa.int64()),
            pa.array([instant] * (end - start), pa.timestamp("us", "UTC")),
        ],
        names=["id", "n", "at"],
    )
    sink = io.BytesIO()
    with pa.ipc.new_stream(sink, batch.schema) as writer:
        for first in range(0, batch.num_rows, 7):
            writer.write_batch(batch.slice(first, 7))
    return sink.getvalue()


def _call(request: httpx.Request) -> Call:
    path = request.url.path
    raw = request.url.raw_path.decode().split("?")[0]
    body: Any = request.read()
    if b"urlencoded" in request.headers.get("content-type", "").encode():
        body = {key: value[0] for key, value in parse_qs(body.decode()).items()}
    elif body:
        body = json.loads(body)
    params = dict(request.url.params)
    return Call(_operation(request.method, raw), path, raw, params, request.headers, body)


def _operation(method: str, raw: str) -> str:
    if raw == "/services/oauth2/token":
        return "login"
    if raw == "/services/a360/token":
        return "exchange"
    plane, _, rest = raw.partition("/query-sql" if "/ssot/" in raw else "/api/v3/query")
    plane = "connect" if "/ssot/" in raw else "v3"
    parts = [part for part in rest.split("/") if part]
    if not parts:
        return f"{plane}.submit"
    assert unquote(parts[0]) == QUERY_ID, f"query id not encoded as one segment: {raw}"
    if len(parts) == 1:
        return f"{plane}.cancel" if method == "DELETE" else f"{plane}.status"
    return f"{plane}.{parts[1].removesuffix('s') if parts[1] == 'chunks' else parts[1]}"


# -- ways to bend an answer ------------------------------------------------------------------


def instead(status: int, **given: Any) -> Bend:
    return lambda call, answer: httpx.Response(status, **given)


def html(status: int = 200) -> Bend:
    return instead(status, html="<!DOCTYPE html><html><body>Log in</body></html>")


def raising(kind: type[Exception]) -> Bend:
    def bend(call: Call, answer: httpx.Response) -> httpx.Response:
        raise kind("planted")

    return bend


def cut(call: Call, answer: httpx.Response) -> httpx.Response:
    """The connection breaks in the middle of the body."""
    stream = CutStream(answer.content, httpx.ReadError("planted"))
    headers = {k: v for k, v in answer.headers.items() if k != "content-length"}
    return httpx.Response(answer.status_code, headers=headers, stream=stream)


def cut_quietly(call: Call, answer: httpx.Response) -> httpx.Response:
    """The body ends in the middle, and HTTP has no way to notice."""
    headers = {k: v for k, v in answer.headers.items() if k != "content-length"}
    half = answer.content[: len(answer.content) // 2]
    response = httpx.Response(answer.status_code, headers=headers, content=half)
    response.headers.pop("content-length", None)
    return response


def values(batches: Sequence[pa.RecordBatch], column: str = "n") -> list[Any]:
    return [value for batch in batches for value in batch.column(column).to_pylist()]


def read_all(client: Data360, sql: str = "SELECT 1") -> list[Any]:
    return values(list(client.query(sql).batches()))
