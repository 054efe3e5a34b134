"""Notices as JSON to a webhook.

Belongs here: one POST, its timeouts and its few attempts, and keeping the address secret: whoever
has a webhook's address can write to it. Does not: what is said (`notice.py`).
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

import httpx
from tenacity import Retrying, retry_if_exception_type, stop_after_attempt, wait_random_exponential

from stdm_platform.data360.faults import TransientFault
from stdm_platform.data360.requester import LOOPBACK
from stdm_platform.errors import UnavailableError
from stdm_platform.notify.notice import Notice

ATTEMPTS = 3
SECONDS = 3.0
"""For each step of an attempt. A sensor has 60 s for all that it does, and five failed runs may come
in one tick, so a receiver that hangs has to be given up within ten."""
ACTION = "Look at the receiver, and correct STDM_WEBHOOK_URL if it has moved."


class WebhookNotifier:
    """POSTs each notice to one address."""

    def __init__(
        self,
        url: str,
        *,
        http_transport: httpx.BaseTransport | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._url = url
        self._transport = http_transport
        self._retrying = Retrying(
            stop=stop_after_attempt(ATTEMPTS),
            wait=wait_random_exponential(multiplier=0.1, max=0.5),
            retry=retry_if_exception_type(TransientFault),
            reraise=True,
            sleep=sleep,
        )

    @property
    def name(self) -> str:
        """The receiver without what is secret of its address: path, query, user."""
        try:
            host = urlsplit(self._url).hostname
        except ValueError:
            host = None
        return f"the webhook at {host or 'an address that cannot be read'}"

    def send(self, notice: Notice) -> None:
        """Send it, in a few attempts.

        Raises:
            UnavailableError: it was not taken. The message names the host only.
        """
        body = notice.as_json()
        try:
            self._retrying(lambda: self._attempt(body))
        except TransientFault as fault:
            raise UnavailableError(
                f"{self.name} failed {ATTEMPTS} times, the last time with {fault.reason}.",
                action=ACTION,
            ) from None
        except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
            raise UnavailableError(
                f"{self.name} cannot be asked ({type(error).__name__}).", action=ACTION
            ) from None

    def _attempt(self, body: dict[str, object]) -> None:
        try:
            with (
                _nothing_logged(),
                httpx.Client(
                    transport=self._transport,
                    timeout=SECONDS,
                    follow_redirects=False,
                    mounts=dict.fromkeys(LOOPBACK),
                ) as client,
                client.stream("POST", self._url, json=body) as response,
            ):
                status = response.status_code  # nobody needs the rest of the answer
        except (httpx.UnsupportedProtocol, httpx.LocalProtocolError):
            raise
        except httpx.TimeoutException as failure:
            raise TransientFault(f"a timeout ({type(failure).__name__})") from None
        except httpx.TransportError as failure:
            raise TransientFault(f"a broken connection ({type(failure).__name__})") from None
        if status == 429 or status >= 500:
            raise TransientFault(f"HTTP {status}")
        if status >= 300:
            raise UnavailableError(f"{self.name} answered HTTP {status}.", action=ACTION)


@contextmanager
def _nothing_logged() -> Iterator[None]:
    """Keep httpx from logging the address, which it does at level INFO."""
    log = logging.getLogger("httpx")
    log.addFilter(_no)
    try:
        yield
    finally:
        log.removeFilter(_no)


def _no(record: logging.LogRecord) -> bool:
    return False
