"""The kinds of fault: what each does, on which requests, with which details.

Belongs here: the vocabulary of the fault plan and its help text. Does not: choosing (`faults.py`),
serving (`fault_answers.py`, `fault_layer.py`, the planes).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

OPERATIONS = [
    "token.login",
    "token.exchange",
    "connect.submit",
    "connect.status",
    "connect.rows",
    "connect.cancel",
    "v3.submit",
    "v3.status",
    "v3.chunk",
    "v3.rows",
    "v3.metadata",
    "v3.cancel",
]
FOLLOW_UPS = ("*.status", "*.rows", "*.chunk", "*.metadata")
STATUS_BEARERS = ("*.submit", "*.status", "*.rows", "*.chunk")


@dataclass(frozen=True)
class Kind:
    """A kind of fault: what it does, where it can happen, its details with their defaults."""

    meaning: str
    operations: tuple[str, ...] = ("*",)
    details: dict[str, Any] = field(default_factory=dict)


KINDS: dict[str, Kind] = {
    "rate_limit_seconds": Kind("429, Retry-After in seconds", details={"seconds": 1}),
    "rate_limit_date": Kind("429, Retry-After as an HTTP date", details={"seconds": 1}),
    "server_error": Kind("500 in the gateway's shape B", details={"status": 500}),
    "unavailable_html": Kind("503 with an HTML page"),
    "html": Kind("an HTML login page, status 200 or 401", ("token.*",), {"status": 200}),
    "token_error": Kind(
        "400 of the token endpoints",
        ("token.*",),
        {"error": "invalid_grant", "error_description": "user is locked"},
    ),
    "unauthorized": Kind(
        "401, and the token is dead from then on", ("connect.*", "v3.*", "token.exchange")
    ),
    "forbidden": Kind("403", ("connect.*", "v3.*", "token.exchange")),
    "query_lost": Kind("404 for a query id that was good; the result is gone", FOLLOW_UPS),
    "missing_object": Kind(
        "400, object type not found; name: default the SQL's own", ("*.submit",), {"name": ""}
    ),
    "missing_field": Kind(
        "400, field not found; name: default the SQL's first", ("*.submit",), {"name": ""}
    ),
    "bad_sql": Kind("400, syntax error", ("*.submit",)),
    "reset": Kind("connection reset; when: before or after the work", details={"when": "before"}),
    "cut": Kind(
        "the body ends part way; how: close or reset", details={"share": 0.5, "how": "close"}
    ),
    "hang": Kind("silence before the answer", details={"seconds": 5}),
    "one_use": Kind("the org token of this exchange can be exchanged no more", ("token.exchange",)),
    "running": Kind(
        "Running for the first n status calls, growing rowCount", ("*.submit",), {"polls": 2}
    ),
    "short_page": Kind("half the rows asked for", ("*.rows", "connect.submit")),
    "empty_page": Kind("no rows although there are some", ("*.rows",)),
    "empty_first_chunk": Kind("chunk 0 is empty, the rows begin in chunk 1", ("v3.submit",)),
    "garbled_cells": Kind(
        "first rows of a column, as the answer names it (default: its first instant), read `text`",
        ("connect.submit", "connect.rows"),
        {"column": "", "text": "soon", "rows": 1},
    ),
    "wrong_row_count": Kind("rowCount off by `by`, for the whole query", ("*.submit",), {"by": 1}),
    "wrapped_status": Kind("the status object stands under `status`", ("*.status",)),
    "status_header": Kind("the status header is called `status`", ("v3.*",)),
    "numbers_as_strings": Kind("numbers of the status are strings", STATUS_BEARERS),
}
"""Every kind of fault, by name."""

ENDPOINT_KINDS = frozenset(
    [
        "one_use",
        "running",
        "short_page",
        "empty_page",
        "empty_first_chunk",
        "garbled_cells",
        "wrong_row_count",
        "wrapped_status",
        "status_header",
        "numbers_as_strings",
    ]
)
"""Kinds that bend a good answer; several can bend one. The others replace or break it."""


def _kind_lines() -> str:
    lines = []
    for name, kind in KINDS.items():
        details = "".join(f" {key}={value!r}" for key, value in kind.details.items())
        where = "" if kind.operations == ("*",) else f" [{' '.join(kind.operations)}]"
        lines.append(f"  {name:20} {kind.meaning}{where}{details}")
    return "\n".join(lines)


FAULT_PLAN_HELP = f"""\
The fault plan is a JSON object (or a list, which is its "faults"):

  {{"seed": 1, "share": 0.33, "faults": [{{"kind": "rate_limit_seconds", "every": 3}}, ...]}}

  share   at most one fault a request, for this share of requests, least served first
  seed    of the choice by share and probability

A fault has a "kind" and, if wanted, the requests that it is for:
  on           operation or pattern, or a list of them; default "*"
  path, method regular expression found in the path; HTTP method
and when, counted over those requests (default: always):
  every n, first n, at [0, 4], probability 0.2, times n (at most so often), permanent true

Operations: {" ".join(OPERATIONS)}

Kinds, with the operations they can happen on and the defaults of their details:
{_kind_lines()}

Set it at start with --faults, later with PUT /sandbox/faults; DELETE clears it. GET /sandbox/faults
answers {{"faults": [...], "served": {{kind: count}}, "log": [{{kind, operation, method, path, time}}]}}.
"""
"""How a fault plan is written."""
