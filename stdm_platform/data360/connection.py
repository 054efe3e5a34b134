"""Where the org is and who asks: everything that a client needs to know, checked.

Belongs here: turning settings into a `Connection`, and its masked form. Does not: talking to the
org (`tokens.py`, `requester.py`).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal
from urllib.parse import urlsplit

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

from stdm_platform.data360.private_key import load_private_key
from stdm_platform.errors import AuthenticationError
from stdm_platform.settings import Settings


@dataclass(frozen=True, eq=False)
class Connection:
    """One org, one app, one user. Its repr masks the consumer key and the private key."""

    login_url: str
    audience: str
    consumer_key: str = field(repr=False)
    username: str
    private_key: RSAPrivateKey = field(repr=False)
    transport: Literal["auto", "arrow", "json"] = "auto"
    api_version: str = "66.0"
    dataspace: str | None = None
    connect_timeout_seconds: float = 10.0
    read_timeout_seconds: float = 120.0
    query_timeout_seconds: float = 1800.0
    max_attempts: int = 10
    requests_in_flight: int = 4

    @classmethod
    def from_settings(cls, settings: Settings) -> Connection:
        """The connection that the environment describes.

        Raises:
            AuthenticationError: a variable is missing or cannot be used; names it.
        """
        login_url = with_scheme(_needed(settings.login_url, "STDM_LOGIN_URL", _LOGIN_URL))
        if not _is_web_address(login_url):
            raise AuthenticationError("STDM_LOGIN_URL is not a web address.", action=_LOGIN_URL)
        key = settings.consumer_key.get_secret_value() if settings.consumer_key else None
        return cls(
            login_url=login_url,
            audience=(settings.jwt_audience or login_url).strip(),
            consumer_key=_needed(key, "STDM_CONSUMER_KEY", _CONSUMER_KEY),
            username=_needed(settings.username, "STDM_USERNAME", _USERNAME),
            private_key=load_private_key(settings),
            transport=settings.transport,
            api_version=settings.api_version,
            dataspace=settings.dataspace,
            connect_timeout_seconds=settings.connect_timeout_seconds,
            read_timeout_seconds=settings.read_timeout_seconds,
            query_timeout_seconds=settings.query_timeout_seconds,
            max_attempts=settings.max_attempts,
            requests_in_flight=settings.requests_in_flight,
        )


_LOGIN_URL = (
    "Set STDM_LOGIN_URL to https://login.salesforce.com, https://test.salesforce.com for a "
    "sandbox, or your My Domain URL."
)
_CONSUMER_KEY = "Set STDM_CONSUMER_KEY to the consumer key of the External Client App."
_USERNAME = "Set STDM_USERNAME to the Salesforce user that the app acts for."


def with_scheme(address: str) -> str:
    """A bare host gets `https://`; an address with a scheme stays; no slash at the end."""
    address = address.strip().rstrip("/")
    return address if "://" in address else f"https://{address}"


def _needed(value: str | None, variable: str, action: str) -> str:
    if value is None or not value.strip():
        raise AuthenticationError(f"{variable} is not set.", action=action)
    return value.strip()


def _is_web_address(address: str) -> bool:
    try:
        parts = urlsplit(address)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False
