"""What a bad answer looks like on each plane.

Belongs here: status, headers and body of answers that replace the good one, in the documented
shapes. Does not: broken connections (`fault_layer.py`).
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

from starlette.responses import HTMLResponse, JSONResponse, Response

from stdm_platform.sandbox.faults import Fault
from stdm_platform.sandbox.refusals import (
    Refusal,
    field_missing,
    forbidden,
    gateway_error,
    object_missing,
    query_unknown,
    syntax_error,
    token_refused,
    unauthorized,
)

OBJECT_NAME = re.compile(rb"\w+__dlm")
FIELD_NAME = re.compile(rb"\w+__c\b")
LOGIN_PAGE = "<!DOCTYPE html><html><head><title>Login</title></head><body>Log in</body></html>"
BUSY_PAGE = "<html><head><title>503 Service Unavailable</title></head><body>Busy</body></html>"


def answer_of(fault: Fault, operation: str, path: str, request: bytes) -> Response:
    """The answer that this fault gives instead of the good one."""
    details = fault.details
    if fault.kind == "html":
        return HTMLResponse(LOGIN_PAGE, status_code=int(details["status"]))
    if fault.kind == "unavailable_html":
        return HTMLResponse(BUSY_PAGE, status_code=503)
    if fault.kind in {"rate_limit_seconds", "rate_limit_date"}:
        return _rate_limit(fault, operation, path)
    return refusal_response(_refusal(fault, path, request), operation.partition(".")[0])


def _rate_limit(fault: Fault, operation: str, path: str) -> Response:
    seconds = fault.details["seconds"]
    if fault.kind == "rate_limit_date":
        # A date has whole seconds: the next one that is at least so far away.
        until = datetime.now(UTC) + timedelta(seconds=float(seconds) + 1)
        after = format_datetime(until.replace(microsecond=0), usegmt=True)
    else:
        after = str(seconds)
    answer = refusal_response(
        gateway_error(429, "Too many requests", path), operation.partition(".")[0]
    )
    answer.headers["Retry-After"] = after
    return answer


def _refusal(fault: Fault, path: str, request: bytes) -> Refusal:
    details = fault.details
    match fault.kind:
        case "token_error":
            return token_refused(str(details["error"]), str(details["error_description"]))
        case "unauthorized":
            return unauthorized()
        case "forbidden":
            return forbidden("The user lacks access to the data space.")
        case "query_lost":
            return query_unknown("the query")
        case "missing_object":
            return object_missing(str(details["name"] or _first(OBJECT_NAME, request)))
        case "missing_field":
            return field_missing(str(details["name"] or _first(FIELD_NAME, request)))
        case "bad_sql":
            return syntax_error("syntax error at or near the fault plan")
        case _:
            return gateway_error(int(details.get("status", 500)), "Internal server error", path)


def _first(pattern: re.Pattern[bytes], request: bytes) -> str:
    found = pattern.search(request)
    return found[0].decode() if found else "it"


def refusal_response(refusal: Refusal, plane: str) -> Response:
    """A refusal in the error shape of its plane."""
    return JSONResponse(refusal.body(plane), status_code=refusal.status)
