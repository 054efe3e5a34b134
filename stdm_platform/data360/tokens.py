"""The two tokens: log in with a signed assertion, exchange for a Data 360 token, renew once.

Belongs here: who may use which token and when a new one is due. Does not: what a refusal means
(`token_refusals.py`), the requests that use the tokens (`planes.py`).
"""

from __future__ import annotations

import logging
import threading
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import jwt

from stdm_platform.data360.answers import Answer
from stdm_platform.data360.connection import Connection, with_scheme
from stdm_platform.data360.faults import HtmlAnswer, PlaneUnavailable, TransientFault
from stdm_platform.data360.masking import Masker
from stdm_platform.data360.requester import Requester
from stdm_platform.data360.token_refusals import exchange_refused, login_refused
from stdm_platform.errors import AuthenticationError

logger = logging.getLogger(__name__)

LOGIN_PATH = "/services/oauth2/token"
EXCHANGE_PATH = "/services/a360/token"
ASSERTION_SECONDS = 120  # Salesforce documents about three minutes
HTML_ATTEMPTS = 6
EXPIRY_MARGIN_SECONDS = 60.0
PAGES_FOR_A_LOGIN = (
    "Check STDM_LOGIN_URL: the page may be a login or maintenance page of another address. If it "
    "is right, try again later."
)
PAGES_FOR_AN_EXCHANGE = (
    "Check that Data 360 is set up in this org; the login itself worked. Try again later, or set "
    "STDM_TRANSPORT=json to do without the exchange."
)


@dataclass(frozen=True, eq=False)
class Token:
    """A token and the host that it is for. Compared by identity: a renewed one is another."""

    value: str = field(repr=False)
    base_url: str
    identity_url: str = ""
    expires_at: float | None = None


class Tokens:
    """Holds one org token and one Data 360 token. Safe to use from many threads."""

    def __init__(
        self,
        connection: Connection,
        requester: Requester,
        masker: Masker,
        *,
        clock: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._connection = connection
        self._requester = requester
        self._masker = masker
        self._clock = clock
        self._monotonic = monotonic
        self._lock = threading.RLock()
        self._org: Token | None = None
        self._tenant: Token | None = None
        self._exchanged: Token | None = None

    def org(self) -> Token:
        """The org token; logs in if there is none."""
        with self._lock:
            if self._org is None:
                self._org = self._log_in()
            return self._org

    def tenant(self) -> Token:
        """The Data 360 token; exchanges if there is none or it is about to expire.

        Raises:
            PlaneUnavailable: the org does not give us one.
        """
        with self._lock:
            held = self._tenant
            if held is not None and held.expires_at is not None:
                held = held if self._monotonic() < held.expires_at else None
            if held is None:
                held = self._tenant = self._exchange()
            return held

    def retire(self, token: Token) -> None:
        """Forget a token that was answered with 401.

        One that another thread has renewed meanwhile stays, so many threads lead to one login.
        """
        with self._lock:
            if token is self._org:
                self._org = None
            elif token is self._tenant:
                self._tenant = None

    def _log_in(self) -> Token:
        url = self._connection.login_url + LOGIN_PATH

        def attempt() -> Answer:
            form = {
                "grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer",
                "assertion": self._assertion(),
            }
            return self._requester.send("POST", url, data=form, headers=_JSON)

        label = f"POST {LOGIN_PATH}"
        answer, body = self._ask(label, attempt, PAGES_FOR_A_LOGIN)
        if answer.status >= 400 or body is None:
            raise login_refused(answer, self._connection, self._masker)
        value = str(body["access_token"])
        self._masker.remember(value)
        instance_url = body.get("instance_url") or self._connection.login_url
        logger.info("logged in to %s", urlsplit(with_scheme(str(instance_url))).hostname)
        return Token(
            value=value,
            base_url=with_scheme(str(instance_url)),
            identity_url=str(body.get("id") or ""),
        )

    def _assertion(self) -> str:
        now = int(self._clock())
        claims = {
            "iss": self._connection.consumer_key,
            "sub": self._connection.username,
            "aud": self._connection.audience,
            "iat": now,
            "exp": now + ASSERTION_SECONDS,
            "jti": str(uuid.uuid4()),
        }
        assertion = jwt.encode(claims, self._connection.private_key, algorithm="RS256")
        self._masker.remember(assertion)
        return assertion

    def _exchange(self) -> Token:
        """Exchange an org token, each at most once with trust in a refusal.

        Some orgs let an org token be exchanged only once, and an attempt whose answer was lost may
        have been that once. So a refusal counts only if the token was never sent before; any other
        is asked again with a fresh login.
        """
        if self._exchanged is not None and self._exchanged is self._org:
            self._org = None
        label = f"POST {EXCHANGE_PATH}"
        answer, body = self._ask(label, self._exchange_attempt(), PAGES_FOR_AN_EXCHANGE)
        if answer.status == 401:
            raise exchange_refused(answer, self._masker)
        if answer.status >= 400 or body is None:
            raise PlaneUnavailable(exchange_refused(answer, self._masker))
        value = str(body["access_token"])
        self._masker.remember(value)
        base_url = with_scheme(str(body.get("instance_url") or self.org().base_url))
        logger.info("exchanged the token for one of %s", urlsplit(base_url).hostname)
        return Token(value=value, base_url=base_url, expires_at=self._expiry(body))

    def _exchange_attempt(self) -> Callable[[], Answer]:
        def send() -> tuple[Answer, bool]:
            org = self.org()
            was_sent = org is self._exchanged
            self._exchanged = org
            form = {
                "grant_type": "urn:salesforce:grant-type:external:cdp",
                "subject_token": org.value,
                "subject_token_type": "urn:ietf:params:oauth:token-type:access_token",
            }
            if self._connection.dataspace:
                form["dataspace"] = self._connection.dataspace
            url = org.base_url + EXCHANGE_PATH
            return self._requester.send("POST", url, data=form, headers=_JSON), was_sent

        def attempt() -> Answer:
            answer, was_sent = send()
            if answer.is_html:  # the login page of a dead session
                self._org = None
            elif answer.status == 401 or (was_sent and answer.status in (400, 403)):
                self._org = None
                answer, _ = send()
            return answer

        return attempt

    def _expiry(self, body: dict[str, Any]) -> float | None:
        try:
            seconds = float(body["expires_in"])
        except (KeyError, TypeError, ValueError):
            return None
        return self._monotonic() + seconds - min(EXPIRY_MARGIN_SECONDS, seconds * 0.1)

    def _ask(
        self, label: str, attempt: Callable[[], Answer], action: str
    ) -> tuple[Answer, dict[str, Any] | None]:
        """The answer of a token path, and its body if it is good.

        `action` is what to do when there is nothing but web pages.
        """
        pages = 0
        page_error = AuthenticationError(
            f"{label} answered with an HTML page or something else that is no JSON, again and again.",
            action=action,
        )

        def once() -> tuple[Answer, dict[str, Any] | None]:
            nonlocal pages
            answer = attempt()
            try:
                return answer, _token_body(answer)
            except TransientFault as fault:
                pages += 1
                if pages >= HTML_ATTEMPTS:
                    raise page_error from None
                fault.outcome = page_error
                raise

        return self._requester.run(label, once)


_JSON = {"Accept": "application/json"}


def _token_body(answer: Answer) -> dict[str, Any] | None:
    """The body of a token answer; None for a plain no, which may well be a web page."""
    if answer.status in (403, 404, 405):
        return None
    if 300 <= answer.status < 400:
        raise HtmlAnswer(f"HTTP {answer.status}, a redirect")
    body = answer.json_object()
    if answer.status < 400 and not body.get("access_token"):
        raise TransientFault("an answer without access_token")
    return body
