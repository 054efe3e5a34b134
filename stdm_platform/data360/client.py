"""The client of one org: queries in, batches out, over the transport that the org offers.

Belongs here: the choice of transport and the life of connections and threads. Does not: either
plane's protocol (`v3.py`, `connect.py`).
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType
from typing import Literal
from urllib.parse import urlsplit

import httpx

from stdm_platform.data360.columns import Parameter
from stdm_platform.data360.connect import ConnectQueries
from stdm_platform.data360.connection import Connection
from stdm_platform.data360.describe import Descriptions, ObjectDescription
from stdm_platform.data360.faults import PlaneUnavailable
from stdm_platform.data360.masking import Masker
from stdm_platform.data360.org_ids import org_id_of
from stdm_platform.data360.planes import org_plane, tenant_plane
from stdm_platform.data360.polling import Polling
from stdm_platform.data360.requester import Requester
from stdm_platform.data360.result import QueryResult
from stdm_platform.data360.tokens import Tokens
from stdm_platform.data360.v3 import V3Queries
from stdm_platform.errors import AuthenticationError, QueryExpiredError

logger = logging.getLogger(__name__)

Transport = Literal["arrow", "json"]
Submitted = Callable[[str, Transport], None]
"""Takes the id of a query and the transport on which it can be asked for."""


def _tell_nobody(query_id: str, transport: Transport) -> None:
    """For callers that keep no ids."""


class Data360:
    """Asks one org. Thread-safe; a context manager.

    Args:
        connection: where the org is and who asks.
        http_transport: another way to send, for tests.
        sleep: waits between attempts and polls; by default a wait that `close` ends.
        clock: seconds since the epoch, for the assertion and Retry-After dates.
        monotonic: seconds of a clock that never jumps, for time limits.
    """

    def __init__(
        self,
        connection: Connection,
        *,
        http_transport: httpx.BaseTransport | None = None,
        sleep: Callable[[float], None] | None = None,
        clock: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._connection = connection
        masker = Masker(connection.consumer_key)
        self._requester = Requester(
            connection, http_transport=http_transport, sleep=sleep, clock=clock
        )
        self._tokens = Tokens(connection, self._requester, masker, clock=clock, monotonic=monotonic)
        self._executor = ThreadPoolExecutor(
            connection.requests_in_flight, thread_name_prefix="data360"
        )
        polling = Polling(connection.query_timeout_seconds, monotonic, self._requester.sleep)
        tenant = tenant_plane(connection, self._requester, masker, self._tokens)
        org = org_plane(connection, self._requester, masker, self._tokens)
        self._v3 = V3Queries(tenant, polling, self._executor)
        self._connect = ConnectQueries(org, polling, self._executor)
        self._descriptions = Descriptions(org)
        self._lock = threading.Lock()
        wish = connection.transport
        self._decided: Transport | None = None if wish == "auto" else wish

    def __repr__(self) -> str:
        return f"Data360({self._connection!r})"

    def __enter__(self) -> Data360:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def stop(self) -> None:
        """End all waits for the org, from any thread: no request is sent any more."""
        self._requester.stop()

    def close(self) -> None:
        """End threads and connections; results that were not read cannot be read any more."""
        self._requester.stop()
        self._executor.shutdown(wait=True, cancel_futures=True)
        self._requester.close()

    def log_in(self) -> None:
        """Have an org token.

        Raises:
            AuthenticationError: the org refuses the login.
            UnavailableError: it cannot be reached.
        """
        self._tokens.org()

    def exchange(self) -> None:
        """Have a Data 360 token.

        Raises:
            AuthenticationError: the org refuses the login or the exchange.
            UnavailableError: it cannot be reached.
        """
        try:
            self._tokens.tenant()
        except PlaneUnavailable as refused:
            raise refused.error from None

    @property
    def org_id(self) -> str:
        """The org's id in 18 characters, as the token answer tells it; logs in if needed.

        Raises:
            AuthenticationError: the token answer names no org.
        """
        token = self._tokens.org()
        found = org_id_of(token.identity_url, token.value)
        if found is None:
            raise AuthenticationError(
                "The token answer does not say which org it is for.",
                action="Give the app the scope api (or id), so that the answer has an identity URL.",
            )
        return found

    @property
    def org_host(self) -> str:
        """Host name of the org; logs in if needed."""
        return urlsplit(self._tokens.org().base_url).netloc

    @property
    def tenant_host(self) -> str:
        """Host name of the tenant; exchanges if needed.

        Raises:
            AuthenticationError: the org refuses the exchange.
        """
        self.exchange()
        return urlsplit(self._tokens.tenant().base_url).netloc

    @property
    def transport(self) -> Transport:
        """The transport in use. Under `auto`, the exchange tells, until the first query has."""
        if self._decided is None:
            try:
                self._tokens.tenant()
            except PlaneUnavailable as unavailable:
                self._fall_back(unavailable)
        return self._decided or "arrow"

    def query(
        self,
        sql: str,
        parameters: Sequence[Parameter] = (),
        *,
        name_hint: str = "a query",
        submitted: Submitted = _tell_nobody,
    ) -> QueryResult:
        """Run a query and wait until its result is complete.

        Args:
            sql: with a `?` for each parameter.
            parameters: values for the `?`, by position.
            name_hint: what the log calls it.
            submitted: told query id and transport as soon as the org has them, before the wait.

        Raises:
            StdmError: see the tree in `errors.py`.
        """
        result = self._query(sql, tuple(parameters), submitted)
        logger.info("%s: %d rows over %s", name_hint, result.row_count, result.transport)
        return result

    def reopen(self, query_id: str, *, transport: str, sql_sha256: str) -> QueryResult:
        """The result of a query that was submitted less than a day ago; it is not billed again.

        Args:
            query_id: as the org gave it.
            transport: the plane that it was submitted on.
            sql_sha256: what the result says of its question, which the org does not tell again.

        Raises:
            QueryExpiredError: the org knows it no more, or another transport is to be used.
            StdmError: see the tree in `errors.py`.
        """
        lost = QueryExpiredError("Its plane is not in use any more.", action="Run the query again.")
        if self._decided not in (None, transport):
            raise lost
        if transport == "json":
            return self._connect.reopen(query_id, sql_sha256)
        try:
            return self._v3.reopen(query_id, sql_sha256)
        except PlaneUnavailable:
            raise lost from None

    def describe(self, name: str) -> ObjectDescription | None:
        """What the org's metadata says of an object; None when it does not tell us. Costs no credits.

        Raises:
            ObjectNotFoundError: it says that there is none, or that the user may not see it.
        """
        return self._descriptions.describe(name)

    def object_names(self) -> tuple[str, ...]:
        """All objects that the org's metadata lists; none when it does not tell us."""
        return self._descriptions.object_names()

    def _query(
        self, sql: str, parameters: Sequence[Parameter], submitted: Submitted
    ) -> QueryResult:
        if self._decided != "json":
            try:
                result = self._v3.query(sql, parameters, lambda each: submitted(each, "arrow"))
            except PlaneUnavailable as unavailable:
                if self._decided == "arrow":
                    raise unavailable.error from None
                self._fall_back(unavailable)
            else:
                self._decided = self._decided or "arrow"
                return result
        return self._connect.query(sql, parameters, lambda each: submitted(each, "json"))

    def _fall_back(self, unavailable: PlaneUnavailable) -> None:
        with self._lock:
            if self._decided is None:
                logger.warning("transport json instead of arrow: %s", unavailable.error.message)
                self._decided = "json"
