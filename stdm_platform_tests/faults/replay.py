"""A day's exchange of requests with a real sandbox org, recorded once and played back with one fault.

Playing back costs no query and always gives the same sequence, so that a fault can be put on every
request of it in turn. What the org remembers is kept: tokens that died, query ids that were lost.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs

import httpx

from stdm_platform.sandbox.operations import operation_of, query_id_in

NONCE = re.compile(r"CAST\('[^']+' AS")
BOUND = re.compile(r"\\nLIMIT \d{4,}(?=\")")
"""The most rows of a window, which is asked only where the window can be cut; no answer here is so long."""
FAULTS = (
    "401",
    "403",
    "404",
    "429",
    "500",
    "503 with HTML",
    "reset",
    "reset after the work",
    "cut body",
    "cut body without a length",
    "hang",
)
BUSY_PAGE = b"<html><head><title>503 Service Unavailable</title></head><body>Busy</body></html>"


@dataclass(frozen=True)
class Said:
    """One answer of the real org."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes


@dataclass
class Recording:
    """Answers by question; the same question asked again had the next answer, or the last."""

    answers: dict[tuple[str, ...], list[Said]] = field(default_factory=dict)

    def add(self, question: tuple[str, ...], said: Said) -> None:
        self.answers.setdefault(question, []).append(said)

    def get(self, question: tuple[str, ...], number: int) -> Said:
        known = self.answers[question]
        return known[min(number, len(known) - 1)]


class Recorder(httpx.BaseTransport):
    """Asks the real org and notes what it said; `bend` may change an answer first."""

    def __init__(self, bend: Mapping[str, Any] | None = None) -> None:
        self.recording = Recording()
        self._real = httpx.HTTPTransport()
        self._bend = bend or {}
        self._questions: dict[str, tuple[str, ...]] = {}

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        content = request.read()
        answer = self._real.handle_request(request)
        body = b"".join(answer.stream)  # type: ignore[arg-type]
        kept = [
            (name, value)
            for name, value in answer.headers.items()
            if name.lower() not in {"content-length", "transfer-encoding", "date", "connection"}
        ]
        operation = operation_of(request.method, request.url.path) or "?"
        said = Said(answer.status_code, tuple(kept), body)
        if operation in self._bend and said.status < 300:
            said = self._bend[operation](said)
        question = question_of(operation, request, content, self._questions)
        if operation.endswith(".submit") and said.status < 300:
            self._questions[query_id_of(said)] = question
        self.recording.add(question, said)
        return response_of(said)

    def close(self) -> None:
        self._real.close()


def question_of(
    operation: str,
    request: httpx.Request,
    content: bytes,
    questions: Mapping[str, tuple[str, ...]],
) -> tuple[str, ...]:
    """What is asked, without ids, tokens and nonces."""
    if operation.startswith("token."):
        return (operation,)
    if operation.endswith(".submit"):
        return (operation, BOUND.sub("", NONCE.sub("CAST(nonce AS", content.decode())))
    query_id = query_id_in(request.url.path)
    rest = request.url.path.partition(query_id)[2]
    asked = [f"{name}={value}" for name, value in sorted(request.url.params.multi_items())]
    asked = [each for each in asked if not each.startswith("waitTimeMs")]
    return (*questions[query_id], operation, rest, "&".join(asked))


def query_id_of(said: Said) -> str:
    """The id in a submit's answer."""
    headers = dict(said.headers)
    text = headers.get("x-hyperdb-status")
    status = json.loads(text) if text else json.loads(said.body)["status"]
    found: str = status["queryId"]
    return found


def response_of(said: Said, *, framed: bool = True) -> httpx.Response:
    headers = [*said.headers]
    if framed:
        headers.append(("content-length", str(len(said.body))))
    return httpx.Response(said.status, headers=headers, stream=_Bytes(said.body))


class _Bytes(httpx.SyncByteStream):
    """A body; one that is cut ends as httpx lets it end when a length was promised."""

    def __init__(self, body: bytes, error: Exception | None = None) -> None:
        self._body, self._error = body, error

    def __iter__(self) -> Iterator[bytes]:
        yield self._body
        if self._error is not None:
            raise self._error


@dataclass(frozen=True)
class Asked:
    """One request: the n-th of its operation about its subject, which is an object or nothing."""

    operation: str
    subject: str
    nth: int

    def __str__(self) -> str:
        about = f", {self.subject}" if self.subject else ""
        return f"{self.operation} #{self.nth}{about}"


class ReplayedOrg(httpx.BaseTransport):
    """Answers from a recording, with fresh tokens and ids, and with one fault at one request.

    With `one_use` an org token can be exchanged once, as some orgs have it.
    """

    def __init__(
        self,
        recording: Recording,
        fault: str | None = None,
        at: Asked | None = None,
        *,
        one_use: bool = False,
    ) -> None:
        self.trace: list[Asked] = []
        self.served = 0
        self._recording = recording
        self._fault, self._at = fault, at
        self._one_use = one_use
        self._alive: set[str] = set()
        self._used: set[str] = set()
        self._questions: dict[str, tuple[str, ...]] = {}
        self._real_ids: dict[str, str] = {}
        self._asked: Counter[tuple[str, tuple[str, ...]]] = Counter()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        content = request.read()
        operation = operation_of(request.method, request.url.path) or "?"
        subject = _subject(content, request, self._questions)
        before = [
            each for each in self.trace if (each.operation, each.subject) == (operation, subject)
        ]
        asked = Asked(operation, subject, len(before))
        self.trace.append(asked)
        if asked == self._at and self._fault is not None:
            self.served += 1
            return self._disturbed(self._fault, operation, request, content)
        return response_of(self._answer(operation, request, content))

    def _answer(self, operation: str, request: httpx.Request, content: bytes) -> Said:
        if operation.startswith("token."):
            return self._token(operation, content)
        if _bearer(request) not in self._alive:
            return _refusal(401, "INVALID_SESSION_ID", "Session expired or invalid")
        if operation.endswith(".cancel"):
            self._questions.pop(query_id_in(request.url.path), None)
            return Said(204, (), b"")
        if operation.endswith(".submit"):
            return self._submitted(operation, request, content)
        query_id = query_id_in(request.url.path)
        if query_id not in self._questions:
            return _refusal(404, "NOT_FOUND", "The query is unknown or its result has expired")
        question = question_of(operation, request, content, self._questions)
        number = self._asked[query_id, question]
        self._asked[query_id, question] += 1
        return self._renamed(self._recording.get(question, number), query_id)

    def _token(self, operation: str, content: bytes) -> Said:
        if operation == "token.exchange":
            given = parse_qs(content.decode())["subject_token"][0]
            if given not in self._alive or (self._one_use and given in self._used):
                status = 401 if given not in self._alive else 400
                return _refusal(status, "invalid_grant", "the subject token is expired")
            self._used.add(given)
        said = self._recording.get((operation,), 0)
        token = f"{operation}-{len(self._alive)}-{len(self.trace)}"
        self._alive.add(token)
        body = {**json.loads(said.body), "access_token": token}
        return Said(said.status, said.headers, json.dumps(body).encode())

    def _submitted(self, operation: str, request: httpx.Request, content: bytes) -> Said:
        question = question_of(operation, request, content, {})
        said = self._recording.get(question, 0)
        if said.status >= 300:
            return said
        query_id = f"query-{len(self.trace)}"
        self._questions[query_id] = question
        self._real_ids[query_id] = query_id_of(said)
        return self._renamed(said, query_id)

    def _renamed(self, said: Said, query_id: str) -> Said:
        """The answer with the id that this org gave the query."""
        real = self._real_ids[query_id]
        headers = tuple((name, value.replace(real, query_id)) for name, value in said.headers)
        if "arrow" in dict(said.headers).get("content-type", ""):
            return Said(said.status, headers, said.body)
        return Said(said.status, headers, said.body.replace(real.encode(), query_id.encode()))

    def _disturbed(
        self, fault: str, operation: str, request: httpx.Request, content: bytes
    ) -> httpx.Response:
        if fault == "reset":
            raise httpx.ReadError("[Errno 104] Connection reset by peer")
        if fault in {"reset after the work", "hang", "cut body", "cut body without a length"}:
            said = self._answer(operation, request, content)
            return _broken(fault, said)
        if fault == "401":
            self._alive.discard(_bearer(request))
        if fault == "404":
            self._questions.pop(query_id_in(request.url.path), None)
        return response_of(_ANSWERS[fault])


def _broken(fault: str, said: Said) -> httpx.Response:
    if fault == "reset after the work":
        raise httpx.ReadError("[Errno 104] Connection reset by peer")
    if fault == "hang":
        raise httpx.ReadTimeout("The read operation timed out")
    part = said.body[: len(said.body) // 2]
    headers = list(said.headers)
    if fault == "cut body":
        headers.append(("content-length", str(len(said.body))))
        error = httpx.RemoteProtocolError("peer closed connection without sending complete body")
        return httpx.Response(said.status, headers=headers, stream=_Bytes(part, error))
    return httpx.Response(said.status, headers=headers, stream=_Bytes(part))


def _refusal(status: int, code: str, message: str, *headers: tuple[str, str]) -> Said:
    body = {"error": code, "errorCode": code, "message": message, "error_description": message}
    return Said(status, (("content-type", "application/json"), *headers), json.dumps(body).encode())


_ANSWERS = {
    "401": _refusal(401, "INVALID_SESSION_ID", "Session expired or invalid"),
    "403": _refusal(403, "FORBIDDEN", "The user lacks access to the data space."),
    "404": _refusal(404, "NOT_FOUND", "The requested resource does not exist"),
    "429": _refusal(429, "TOO_MANY_REQUESTS", "Too many requests", ("retry-after", "1")),
    "500": _refusal(500, "INTERNAL_ERROR", "Internal server error"),
    "503 with HTML": Said(503, (("content-type", "text/html"),), BUSY_PAGE),
}


def _bearer(request: httpx.Request) -> str:
    """The token that a request came with: in the header, or as subject of an exchange."""
    header: str = request.headers.get("authorization", "")
    if header:
        return header.partition(" ")[2]
    return parse_qs(request.read().decode("latin-1")).get("subject_token", [""])[0]


def _subject(
    content: bytes, request: httpx.Request, questions: Mapping[str, tuple[str, ...]]
) -> str:
    """Which object a request is about, and whether it is the look before the reading."""
    known = questions.get(query_id_in(request.url.path), ("", ""))[1]
    text = content.decode("latin-1") + known
    found = re.search(r"\w+__dlm", text)
    return f"{'look at' if 'LIMIT 0' in text else 'rows of'} {found[0]}" if found else ""
