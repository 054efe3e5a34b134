"""Every "no" of the org, in the error shape of the plane that says it.

Belongs here: the documented texts and shapes. Does not: deciding (`auth.py`, `dialect.py`, the
planes).
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any


class Refusal(Exception):
    """An HTTP error: raised by the rooms, turned into a response by the app.

    `code` is Connect's errorCode, `state` is V3's error (SQLSTATE or engine status). `fixed` is a
    body that is the same on every plane.
    """

    def __init__(
        self,
        status: int,
        message: str,
        *,
        code: str,
        state: str,
        fixed: dict[str, Any] | None = None,
        details: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.code = code
        self.state = state
        self.fixed = fixed
        self.details = details or {}

    def body(self, plane: str) -> Any:
        """The body as `token`, `connect` or `v3` says it."""
        if self.fixed is not None:
            return self.fixed
        if plane == "v3":
            source = "User" if self.status < 500 else "System"
            return {
                "error": self.state,
                "message": self.message,
                "details": {
                    "customerHint": "",
                    "customerDetail": "",
                    "errorSource": source,
                    **self.details,
                },
            }
        if plane == "token":
            return {"error": self.code.lower(), "error_description": self.message}
        return [{"message": self.message, "errorCode": self.code}]


def token_refused(error: str, description: str, status: int = 400) -> Refusal:
    """A refusal of the token endpoints."""
    body = {"error": error, "error_description": description}
    return Refusal(status, description, code=error, state=error, fixed=body)


def unauthorized() -> Refusal:
    """401: the token is unknown, dead, or belongs to the other plane."""
    return Refusal(
        401, "Session expired or invalid", code="INVALID_SESSION_ID", state="UNAUTHENTICATED"
    )


def forbidden(message: str) -> Refusal:
    """403: a scope, permission or data space is missing."""
    return Refusal(403, message, code="INSUFFICIENT_ACCESS", state="PERMISSION_DENIED")


def bad_request(message: str, code: str = "ILLEGAL_QUERY_PARAMETER_VALUE") -> Refusal:
    """400: the request itself cannot be read."""
    return Refusal(400, message, code=code, state="INVALID_ARGUMENT")


def out_of_range(offset: int, count: int) -> Refusal:
    """400: there is no such row or chunk."""
    message = f"Offset {offset} is out of range: the result has {count} rows"
    return Refusal(400, message, code="ILLEGAL_QUERY_PARAMETER_VALUE", state="OUT_OF_RANGE")


def query_unknown(query_id: str) -> Refusal:
    """404: the query id is unknown or expired."""
    message = f"Query {query_id} not found or expired"
    return Refusal(404, message, code="NOT_FOUND", state="NOT_FOUND")


def object_missing(name: str, position: dict[str, int] | None = None) -> Refusal:
    """400: the org has no such object."""
    return Refusal(
        400,
        f'object type "{name}" not found: table "{name}" does not exist',
        code="INVALID_ARGUMENT",
        state="42P01",
        details={
            "customerHint": "Quote the identifier if its name has capital letters.",
            **({"position": position} if position else {}),
        },
    )


def field_missing(name: str) -> Refusal:
    """400: the object has no such field."""
    message = f'field "{name}" not found: column "{name}" does not exist'
    return Refusal(400, message, code="INVALID_ARGUMENT", state="42703")


def syntax_error(message: str, position: dict[str, int] | None = None) -> Refusal:
    """400: the SQL cannot be parsed."""
    if "syntax" not in message.lower():
        message = f"syntax error: {message}"
    details = {"position": position} if position else {}
    return Refusal(400, message, code="INVALID_ARGUMENT", state="42601", details=details)


def execution_failed(message: str, state: str = "55000") -> Refusal:
    """400: the SQL is understood and cannot be run."""
    return Refusal(400, message, code="INVALID_ARGUMENT", state=state)


def gateway_error(status: int, message: str, path: str) -> Refusal:
    """Shape B, the gateway's own."""
    body = {
        "timestamp": datetime.now(UTC).isoformat(timespec="milliseconds"),
        "error": message,
        "message": message,
        "path": path,
        "tenantId": "a360/sandbox",
        "internalErrorCode": "COMMON_ERROR_GENERIC",
        "details": {"statusCode": status},
    }
    return Refusal(status, message, code="INTERNAL_ERROR", state="INTERNAL_ERROR", fixed=body)
