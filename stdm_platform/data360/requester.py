"""Send one request until it is answered: slots, timeouts, retries.

Belongs here: what counts as transient in HTTP itself, backoff, Retry-After. Does not: tokens
(`tokens.py`), how many requests at once (`slots.py`), meaning of good answers (`v3.py`, `connect.py`).
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import Any, TypeVar
from urllib.parse import urlsplit

import httpx
from tenacity import (
    RetryCallState,
    Retrying,
    retry_if_exception_type,
    stop_after_attempt,
    stop_when_event_set,
    wait_random,
    wait_random_exponential,
)

from stdm_platform.data360.ahead import Ahead
from stdm_platform.data360.answers import Answer, Body
from stdm_platform.data360.connection import Connection
from stdm_platform.data360.faults import TransientFault
from stdm_platform.data360.slots import Slots
from stdm_platform.errors import SourceError, UnavailableError

logger = logging.getLogger(__name__)
T = TypeVar("T")

FIRST_BACKOFF_SECONDS = 0.15
LONGEST_BACKOFF_SECONDS = 15.0
LONGEST_RETRY_AFTER_SECONDS = 60.0
LOOPBACK = ("all://127.0.0.1", "all://localhost", "all://[::1]")
"""Asked directly, whatever proxy the environment names: a sandbox org is never behind one."""
NOT_TRANSIENT_5XX = {501, 505}
PERMANENT_FAILURES = (httpx.UnsupportedProtocol, httpx.LocalProtocolError)


class Requester:
    """Sends requests over one kept-alive client. Safe to use from many threads."""

    def __init__(
        self,
        connection: Connection,
        *,
        http_transport: httpx.BaseTransport | None,
        sleep: Callable[[float], None] | None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._closing = threading.Event()
        self._sleep: Callable[[float], Any] = sleep or self._closing.wait
        self._clock = clock
        self._slots = Slots(connection.requests_in_flight)
        self.ahead = Ahead(connection.requests_in_flight)
        self._max_attempts = connection.max_attempts
        self.timeout = httpx.Timeout(
            connect=connection.connect_timeout_seconds,
            read=connection.read_timeout_seconds,
            write=connection.read_timeout_seconds,
            pool=connection.read_timeout_seconds,
        )
        self._client = httpx.Client(
            transport=http_transport,
            timeout=self.timeout,
            follow_redirects=False,
            mounts=dict.fromkeys(LOOPBACK),
            limits=httpx.Limits(
                max_connections=None, max_keepalive_connections=connection.requests_in_flight + 1
            ),
        )
        self._backoff = wait_random_exponential(
            multiplier=FIRST_BACKOFF_SECONDS, max=LONGEST_BACKOFF_SECONDS
        )

    def stop(self) -> None:
        """End waiting retries; no further attempt is made."""
        self._closing.set()

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def sleep(self, seconds: float) -> None:
        """Wait, unless the client is being closed."""
        self._sleep(seconds)

    def run(self, label: str, attempt: Callable[[], T]) -> T:
        """Call `attempt` until it does not raise `TransientFault`.

        Args:
            label: method and path without ids, for messages.
            attempt: one attempt, decoding of the body included, so that a cut body is read again.

        Raises:
            UnavailableError: every attempt was transient, unless the fault names another outcome.
        """
        retrying = Retrying(
            stop=stop_after_attempt(self._max_attempts) | stop_when_event_set(self._closing),
            wait=self._wait,
            retry=retry_if_exception_type(TransientFault),
            sleep=self._sleep,
            before_sleep=lambda state: _log_retry(label, state),
            reraise=True,
        )
        try:
            return retrying(attempt)
        except TransientFault as fault:
            attempts = retrying.statistics.get("attempt_number", self._max_attempts)
            raise _final_error(label, fault, attempts) from None

    def _wait(self, state: RetryCallState) -> float:
        fault = state.outcome.exception() if state.outcome else None
        asked = fault.retry_after if isinstance(fault, TransientFault) else None
        backoff = float(self._backoff(state))
        if asked is None:
            return backoff
        # At least what was asked for, and not less than without it: where few of many requests are
        # taken each second, "come back in one" or "at once" would use all attempts of the others up.
        # A little jitter on top, so that all threads do not come back at the same instant.
        at_least = min(asked, LONGEST_RETRY_AFTER_SECONDS) + wait_random(0, 0.1)(state)
        return max(backoff, float(at_least))

    def send(self, method: str, url: str, *, extra_read: float = 0.0, **request: Any) -> Answer:
        """One attempt. Answers that no further attempt would change are returned as they are.

        Args:
            method: HTTP method.
            url: full address; never holds a secret, as httpx logs it.
            extra_read: seconds that the server was asked to wait before it answers.
            request: what `httpx.Client.stream` takes.

        Raises:
            TransientFault: 429, 5xx, a reset, a timeout or a cut body.
            SourceError: the address cannot be asked at all.
        """
        timeout = self.timeout
        if extra_read:
            read = (timeout.read or 0.0) + extra_read
            timeout = httpx.Timeout(
                connect=timeout.connect, read=read, write=timeout.write, pool=timeout.pool
            )
        if self._closing.is_set():
            raise TransientFault("the closing of this client")
        try:
            with (
                self._slots.taken() as cuts,
                self._client.stream(method, url, timeout=timeout, **request) as response,
            ):
                answer = Answer(response.status_code, response.headers, Body(response.iter_bytes()))
        except (*PERMANENT_FAILURES, httpx.InvalidURL) as failure:
            raise SourceError(
                f"The address cannot be asked ({type(failure).__name__}).",
                action="Correct STDM_LOGIN_URL.",
            ) from None
        except (httpx.ConnectError, httpx.ConnectTimeout) as failure:
            # The host is named: a firewall may let the org's through and not the tenant's.
            reason = f"a broken connection to {urlsplit(url).netloc} ({type(failure).__name__})"
            raise TransientFault(reason) from None
        except httpx.TimeoutException as failure:
            raise TransientFault(f"a timeout ({type(failure).__name__})") from None
        except (httpx.TransportError, httpx.DecodingError) as failure:
            raise TransientFault(f"a broken connection ({type(failure).__name__})") from None
        self._refuse_transient(answer, cuts)
        return answer

    def _refuse_transient(self, answer: Answer, cuts: int) -> None:
        status = answer.status
        if status == 429:
            self._slots.refused(cuts)
        else:
            self._slots.answered()
        if status == 429 or (status >= 500 and status not in NOT_TRANSIENT_5XX):
            # Their own clock, where they tell it: ours may be minutes off, and the wait with it.
            now = _instant_of(answer.headers.get("date")) or self._clock()
            asked = retry_after_seconds(answer.headers.get("retry-after"), now)
            raise TransientFault(f"HTTP {status}", retry_after=asked)


def retry_after_seconds(header: str | None, now: float) -> float | None:
    """Seconds to wait, from either form of the header; None if it cannot be read."""
    if not header:
        return None
    try:
        return max(0.0, float(header)) if float(header) < float("inf") else None
    except ValueError:
        pass
    at = _instant_of(header)
    return None if at is None else max(0.0, at - now)


def _instant_of(header: str | None) -> float | None:
    """Seconds since the epoch of an HTTP date; None if it is none."""
    try:
        at = parsedate_to_datetime(header or "")
    except ValueError:
        return None
    return (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp()


def _log_retry(label: str, state: RetryCallState) -> None:
    fault = state.outcome.exception() if state.outcome else None
    wait = state.next_action.sleep if state.next_action else 0.0
    logger.info("%s: %s, attempt %d, next in %.1f s", label, fault, state.attempt_number, wait)


def _final_error(label: str, fault: TransientFault, attempts: int) -> Exception:
    if fault.outcome is not None:
        return fault.outcome
    return UnavailableError(
        f"{label} failed {attempts} times, the last time with {fault.reason}.",
        action="Try again later; STDM_MAX_ATTEMPTS is the number of attempts.",
    )
