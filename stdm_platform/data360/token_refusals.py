"""What a refused login or exchange means, each with its own next action.

Belongs here: the table of the documented error bodies. Does not: asking for tokens (`tokens.py`).
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from stdm_platform.data360.answers import Answer
from stdm_platform.data360.connection import Connection
from stdm_platform.data360.masking import Masker
from stdm_platform.data360.refusals import read_refusal
from stdm_platform.errors import AuthenticationError


@dataclass(frozen=True)
class _Cause:
    error: str
    description: str  # a pattern found in error_description
    action: str


_CERTIFICATE = (
    "The certificate of the External Client App does not match the private key: upload the "
    "certificate made from it, or set STDM_PRIVATE_KEY_FILE to the key of that certificate."
)
_CAUSES = (
    _Cause(
        "invalid_grant",
        r"expired authorization code|\bexp\b|expired",
        "The login was too old when it came: set this machine's clock right (NTP).",
    ),
    _Cause(
        "invalid_grant",
        r"hasn.?t approved|not approved|approved this consumer",
        "Pre-authorise the user: in the app's policies choose 'Admin approved users are "
        "pre-authorized' and give the user a permission set of the app.",
    ),
    _Cause(
        "invalid_grant",
        r"audience",
        "Set STDM_JWT_AUDIENCE to the org's login URL: https://login.salesforce.com for "
        "production, https://test.salesforce.com for a sandbox, or the site's URL. It is now "
        "{audience}.",
    ),
    _Cause(
        "invalid_grant",
        r"lock",
        "The user {username} is locked: unlock it in Setup > Users, or wait for the lock to end.",
    ),
    _Cause("invalid_grant", r"assertion|signature|certificate", _CERTIFICATE),
    _Cause(
        "invalid_grant",
        r"inactive|deactivated",
        "The user {username} is inactive: activate it in Setup > Users, or set STDM_USERNAME.",
    ),
    _Cause(
        "invalid_grant",
        r"ip restricted|ip address|login hours|restricted",
        "A login policy refuses the user {username}: allow this machine's address and the hour.",
    ),
    _Cause(
        "invalid_grant",
        r"user|authentication failure",
        "Check that STDM_USERNAME ({username}) is an active user of this org, and which login "
        "policies hold for it.",
    ),
    _Cause(
        "invalid_client_id",
        "",
        "The org knows no app with this consumer key: copy it again into STDM_CONSUMER_KEY; a new "
        "app takes up to 10 minutes to be known.",
    ),
    _Cause("invalid_client", r"assertion|signature|certificate", _CERTIFICATE),
    _Cause(
        "invalid_client",
        "",
        "The app does not accept this login: check STDM_CONSUMER_KEY, and that the app has 'Use "
        "digital signatures' with your certificate.",
    ),
    _Cause(
        "unsupported_grant_type",
        "",
        "The JWT bearer flow is off: turn on 'Enable JWT Bearer Flow' in the app's settings, and "
        "check that STDM_LOGIN_URL is a Salesforce login URL.",
    ),
    _Cause(
        "inactive_user",
        "",
        "The user {username} is inactive: activate it in Setup > Users, or set STDM_USERNAME.",
    ),
    _Cause(
        "invalid_app_access",
        "",
        "The app's policies keep the user {username} out: give the user the app's permission set "
        "or profile.",
    ),
    _Cause("invalid_scope", "", "Give the app the scopes api, cdp_query_api and refresh_token."),
)
_UNKNOWN = "Run `stdm doctor`; check STDM_LOGIN_URL, STDM_CONSUMER_KEY, STDM_USERNAME and the app's policies."
_EXCHANGE = (
    "Check that Data 360 is set up in this org, that the app has the scopes api and cdp_query_api, "
    "and that the user may use the data space; or set STDM_TRANSPORT=json."
)


def login_refused(answer: Answer, connection: Connection, masker: Masker) -> AuthenticationError:
    """The error for a refused login."""
    refusal = read_refusal(answer)
    said = masker.line(refusal.text, keep_literals=True)
    action = _UNKNOWN
    for cause in _CAUSES:
        matches = re.search(cause.description, refusal.message, re.IGNORECASE)
        if cause.error == refusal.code and matches:
            action = cause.action.format(audience=connection.audience, username=connection.username)
            break
    return AuthenticationError(
        f"The org refused the login with HTTP {answer.status} ({said or 'no reason given'}).",
        action=action,
    )


def exchange_refused(answer: Answer, masker: Masker) -> AuthenticationError:
    """The error for a refused exchange of the org token for a Data 360 token."""
    refusal = read_refusal(answer)
    said = masker.line(refusal.text, keep_literals=True)
    return AuthenticationError(
        f"The org refused to exchange the token for a Data 360 token with HTTP {answer.status} "
        f"({said or 'no reason given'}).",
        action=_EXCHANGE,
    )
