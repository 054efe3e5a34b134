"""Authorised requests on one of the two planes: right token, right host, data space, 401 once.

Belongs here: what every request of a plane has in common. Does not: the queries themselves
(`v3.py`, `connect.py`).
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import Any, Protocol, TypeVar
from urllib.parse import quote

from stdm_platform.data360.answers import Answer
from stdm_platform.data360.connection import Connection
from stdm_platform.data360.faults import HtmlAnswer, TransientFault
from stdm_platform.data360.masking import Masker
from stdm_platform.data360.refusals import error_of
from stdm_platform.data360.requester import Requester
from stdm_platform.data360.tokens import Token, Tokens
from stdm_platform.errors import AuthenticationError, StdmError

T = TypeVar("T")
WORKLOAD = "stdm_platform"


class Refuse(Protocol):
    """Turns an answer into the exception to raise; None leaves it to the plane."""

    def __call__(self, answer: Answer, error: StdmError) -> Exception | None:
        """The exception, or None."""
        ...


class Plane:
    """One plane of the org: its host, its token, what it wants in every request."""

    def __init__(
        self,
        connection: Connection,
        requester: Requester,
        masker: Masker,
        token: Callable[[], Token],
        retire: Callable[[Token], None],
        *,
        headers: Mapping[str, str],
        params: Mapping[str, str],
    ) -> None:
        self.connection = connection
        self.requester = requester
        self._masker = masker
        self._token = token
        self._retire = retire
        self._headers = dict(headers)
        self._params = dict(params)
        self._has_worked = False
        self._first = threading.Lock()

    def call(
        self,
        method: str,
        path: str,
        read: Callable[[Answer], T],
        *,
        query_id: str = "",
        params: Mapping[str, str | int] | None = None,
        headers: Mapping[str, str] | None = None,
        refuse: Refuse | None = None,
        **request: Any,
    ) -> T:
        """Send until `read` gives something.

        Args:
            method: HTTP method.
            path: path below the plane's host; `{queryId}` stands for the query id.
            read: decodes a good answer; a `TransientFault` of it leads to another attempt.
            query_id: percent-encoded into the path as one segment.
            params: further query parameters.
            headers: further headers.
            refuse: looks at an answer that is no good before the plane does.
            request: what `Requester.send` takes.

        Raises:
            StdmError: the request was refused, or every attempt failed.
        """
        label = f"{method} {path}"
        request["params"] = {**self._params, **(params or {})}
        path = path.replace("{queryId}", quote(query_id, safe=""))
        pages = 0

        def send() -> tuple[Token, Answer]:
            token = self._token()
            sent = {**self._headers, **(headers or {}), "Authorization": f"Bearer {token.value}"}
            url = token.base_url + path
            return token, self.requester.send(method, url, headers=sent, **request)

        def attempt() -> T:
            nonlocal pages
            token, answer = self._let_in(label, send)
            if 300 <= answer.status < 400:
                raise TransientFault(f"HTTP {answer.status}, a redirect")
            if answer.status >= 400:
                error = error_of(
                    answer,
                    label,
                    self._masker,
                    dataspace=self.connection.dataspace,
                    query_known=bool(query_id),
                )
                raise (refuse(answer, error) if refuse else None) or error
            try:
                return read(answer)
            except HtmlAnswer:
                # An expired session can answer with the login page instead of a 401.
                pages += 1
                if pages == 2:
                    self._retire(token)
                raise

        return self.requester.run(label, attempt)

    def _let_in(self, label: str, send: Callable[[], tuple[Token, Answer]]) -> tuple[Token, Answer]:
        """Send, and once more with a fresh token after a 401.

        Until the plane has let us in once, requests go one by one, so that a fresh token that is
        refused says something of our rights and not of another thread's request.
        """
        if self._has_worked:
            return self._send_twice(label, send)
        with self._first:
            return self._send_twice(label, send)

    def _send_twice(
        self, label: str, send: Callable[[], tuple[Token, Answer]]
    ) -> tuple[Token, Answer]:
        token, answer = send()
        if answer.status == 401:
            self._retire(token)
            token, answer = send()
        if answer.status == 401:
            self._retire(token)
            error = _still_unauthorised(label)
            if not self._has_worked:
                raise error
            # No matter of rights, then: the fresh token may have died in another thread's request.
            raise TransientFault("HTTP 401", outcome=error)
        if answer.status < 300:
            self._has_worked = True
        return token, answer

    def try_once(self, method: str, path: str, query_id: str) -> None:
        """One attempt whose outcome does not matter, like cancelling a query."""
        token = self._token()
        sent = {**self._headers, "Authorization": f"Bearer {token.value}"}
        url = token.base_url + path.replace("{queryId}", quote(query_id, safe=""))
        self.requester.send(method, url, headers=sent, params=self._params)


def tenant_plane(
    connection: Connection, requester: Requester, masker: Masker, tokens: Tokens
) -> Plane:
    """Query API V3, on the tenant host with the Data 360 token."""
    headers = {"x-hyperdb-workload": WORKLOAD}
    if connection.dataspace:
        headers["ctx-dataspace-ds_name"] = connection.dataspace
    return Plane(
        connection, requester, masker, tokens.tenant, tokens.retire, headers=headers, params={}
    )


def org_plane(
    connection: Connection, requester: Requester, masker: Masker, tokens: Tokens
) -> Plane:
    """Connect, on the org's own host with the org token."""
    params = {"workloadName": WORKLOAD}
    if connection.dataspace:
        params["dataspace"] = connection.dataspace
    headers = {"Accept": "application/json"}
    return Plane(
        connection, requester, masker, tokens.org, tokens.retire, headers=headers, params=params
    )


def _still_unauthorised(label: str) -> AuthenticationError:
    return AuthenticationError(
        f"{label} answered HTTP 401 to a fresh token.",
        action="Check that the app has the scopes api and cdp_query_api and that its policies let "
        "the user in; then run `stdm doctor`.",
    )
