"""What a refusal of Data 360 means: an error of ours with the next action.

Belongs here: reading the error shapes (engine, gateway, Connect, plain text) and naming the class.
Does not: refusals of the token paths (`token_refusals.py`), retrying (`requester.py`).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import orjson

from stdm_platform.data360.answers import Answer
from stdm_platform.data360.masking import Masker
from stdm_platform.errors import (
    FieldNotFoundError,
    IncompleteResultError,
    ObjectNotFoundError,
    PermissionDeniedError,
    QueryError,
    QueryExpiredError,
    SourceError,
)

# Fields first: the text for a missing field names the object too.
_FIELD_MISSING = re.compile(
    r"unknown (field|column)\b|(field|column)\b.{0,200}?(not found|does not exist)"
    r"|no such column|invalid field",
    re.IGNORECASE | re.DOTALL,
)
_OBJECT_MISSING = re.compile(
    r"object type\b.{0,200}?not found|DataModelEntity\b.{0,200}?not found"
    r"|(table|relation|view|entity|object)\b.{0,200}?(not found|does not exist)|unknown table",
    re.IGNORECASE | re.DOTALL,
)
_SYNTAX = re.compile(r"\b42601\b|syntax", re.IGNORECASE)
_OBJECT_STATE = re.compile(r"\b42P01\b")
_FIELD_STATE = re.compile(r"\b42703\b")
_NO_TENANT = re.compile(r"CDP tenant ID", re.IGNORECASE)
_SCOPE = re.compile(r"scope|cdp_?query", re.IGNORECASE)

GRANT = (
    "Give the app the scopes api and cdp_query_api, and the user the permission set Data Cloud "
    "User with access to the data space{dataspace}."
)


@dataclass(frozen=True)
class Refusal:
    """Code and text of an error body, whichever of the shapes it has."""

    code: str
    message: str

    @property
    def text(self) -> str:
        """Code and message as one text."""
        parts = [self.code, self.message if self.message != self.code else ""]
        return ": ".join(part for part in parts if part)


def read_refusal(answer: Answer) -> Refusal:
    """The code and message of an error body; every shape is accepted, plain text too."""
    text = answer.text()
    try:
        return _of(orjson.loads(text), depth=0) or Refusal("", text)
    except orjson.JSONDecodeError:
        return Refusal("", text)


def _of(value: Any, *, depth: int) -> Refusal | None:
    if isinstance(value, list) and value:
        return _of(value[0], depth=depth)
    if not isinstance(value, dict):
        return None
    code = str(value.get("errorCode") or value.get("error") or value.get("internalErrorCode") or "")
    texts = [value.get("message"), value.get("error_description")]
    details = value.get("details")
    if isinstance(details, dict):
        texts += [details.get("customerDetail"), details.get("customerHint")]
    message = " ".join(str(text) for text in texts if text) or code
    # Connect puts the engine's own JSON inside its message.
    start = message.find("{")
    if start >= 0 and depth < 2:
        try:
            inner = _of(orjson.loads(message[start : message.rfind("}") + 1]), depth=depth + 1)
        except orjson.JSONDecodeError:
            inner = None
        if inner is not None and inner.text.strip():
            return Refusal(f"{code} {inner.code}".strip(), inner.message)
    return Refusal(code, message)


def error_of(
    answer: Answer, label: str, masker: Masker, *, dataspace: str | None, query_known: bool
) -> SourceError:
    """The error for an answer that no further attempt would change.

    Args:
        answer: what came, neither good nor transient.
        label: method and path without ids.
        masker: keeps secrets out of the message.
        dataspace: named in what to grant.
        query_known: the path holds a query id, so that 404 means that it is lost.
    """
    refusal = read_refusal(answer)
    said = masker.line(refusal.text) or "no reason given"
    where = f"{label} answered HTTP {answer.status}"
    if answer.status == 403:
        space = f" {dataspace}" if dataspace else ""
        return PermissionDeniedError(f"{where} ({said}).", action=GRANT.format(dataspace=space))
    if query_known and answer.status in (404, 410):
        return QueryExpiredError(
            f"{where}: the query id is lost or expired ({said}).",
            action="Run the query again; a result is kept for 24 hours at most.",
        )
    if answer.status in (400, 404, 422):
        if query_known and "out of range" in refusal.text.lower():
            return IncompleteResultError(
                f"{where}: an offset below the promised row count is out of range.",
                action="Run the query again.",
            )
        return _query_error(refusal, said, where, answer.status)
    if answer.status in (408, 409):
        return SourceError(
            f"{where}: the query was cancelled or ran out of time ({said}).",
            action="Run it again, with a smaller window if it ends so again.",
        )
    return SourceError(
        f"{where} ({said}).", action="Ask Salesforce support with the time of the request."
    )


def _query_error(refusal: Refusal, said: str, where: str, status: int) -> SourceError:
    # The SQLSTATE is sure; the texts are what was seen where there was none.
    is_object = bool(_OBJECT_STATE.search(refusal.text))
    is_field = bool(_FIELD_STATE.search(refusal.text))
    if not (is_object or is_field):
        is_field = bool(_FIELD_MISSING.search(refusal.text))
        is_object = bool(_OBJECT_MISSING.search(refusal.text))
    if is_field:
        return FieldNotFoundError(
            f"The object has no such field ({said}).",
            action="`stdm doctor` lists what the org has of each object.",
        )
    if is_object:
        return ObjectNotFoundError(
            f"The org has no such object, or the user may not see it ({said}).",
            action="Turn on Session Tracing in Setup, or choose the data space that holds it.",
        )
    if status == 404:
        return SourceError(
            f"{where} ({said}).",
            action="This org does not serve the path: try the other STDM_TRANSPORT, and compare "
            "STDM_API_VERSION with Setup.",
        )
    if _NO_TENANT.search(refusal.text):
        return QueryError(
            f"{where} ({said}).", action="Data 360 is not ready in this org: finish its setup."
        )
    if _SYNTAX.search(refusal.text):
        return QueryError(f"The SQL was refused ({said}).", action="Correct the SQL's syntax.")
    return QueryError(f"The SQL was refused ({said}).", action="Correct the query.")


def lacks_scope(answer: Answer) -> bool:
    """Whether a 403 says that the app lacks a scope, which the other plane may not need."""
    return answer.status == 403 and bool(_SCOPE.search(read_refusal(answer).text))
