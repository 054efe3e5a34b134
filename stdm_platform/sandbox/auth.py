"""Tokens: the JWT bearer flow, the exchange, and who may do what with which token.

Belongs here: checking assertions, issuing and revoking tokens, scopes. Does not: HTTP
(`token_plane.py`), keys on disk (`identity.py`).
"""

from __future__ import annotations

import secrets
import threading
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec

from stdm_platform.sandbox.access import Access
from stdm_platform.sandbox.identity import Identity
from stdm_platform.sandbox.refusals import forbidden, token_refused, unauthorized

JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"
EXCHANGE = "urn:salesforce:grant-type:external:cdp"
ACCESS_TOKEN_TYPE = "urn:ietf:params:oauth:token-type:access_token"  # noqa: S105 - a name
TENANT_AUDIENCE = "api.a360.salesforce.com"
TENANT_SECONDS = 7193
CLOCK_SKEW_SECONDS = 30
QUERY_SCOPES = {"cdp_query_api", "cdpquery"}


@dataclass
class OrgToken:
    """What the org knows of a token it gave."""

    scopes: frozenset[str]
    expires: float
    may_exchange: bool = True


@dataclass
class Tokens:
    """The tokens of the org. Safe to share by threads."""

    identity: Identity
    audiences: frozenset[str]
    access: Access = field(default_factory=Access)
    _org_tokens: dict[str, OrgToken] = field(default_factory=dict, repr=False)
    _dead: set[str] = field(default_factory=set, repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)
    _tenant_key: ec.EllipticCurvePrivateKey = field(
        default_factory=lambda: ec.generate_private_key(ec.SECP256R1()), repr=False
    )

    def log_in(self, form: Mapping[str, str]) -> str:
        """An org token for a JWT bearer assertion or client credentials.

        Raises:
            Refusal: with the documented body.
        """
        grant = form.get("grant_type")
        if grant == JWT_BEARER:
            self._check_assertion(form.get("assertion", ""))
        elif grant == "client_credentials":
            self._check_credentials(form)
        else:
            raise token_refused("unsupported_grant_type", "grant type not supported")
        token = f"{self.identity.org_id[:15]}!{secrets.token_urlsafe(72)}"
        expires = time.time() + self.access.org_token_seconds
        with self._lock:
            self._org_tokens[token] = OrgToken(frozenset(self.access.scopes.split()), expires)
        return token

    def _check_assertion(self, assertion: str) -> None:
        invalid = token_refused("invalid_grant", "invalid assertion")
        try:
            claims = jwt.decode(assertion, options={"verify_signature": False})
        except jwt.PyJWTError:
            raise invalid from None
        if claims.get("iss") != self.identity.consumer_key:
            raise token_refused("invalid_client_id", "client identifier invalid")
        try:
            jwt.decode(
                assertion,
                self.identity.public_key,
                algorithms=["RS256"],
                options={"verify_aud": False, "verify_exp": False, "verify_iat": False},
            )
        except jwt.PyJWTError:
            raise invalid from None
        if claims.get("aud") not in self.audiences:
            raise token_refused("invalid_grant", "audience is invalid")
        self._check_expiry(claims.get("exp"))
        self._check_user(claims.get("prn", claims.get("sub")))

    def _check_expiry(self, expiry: Any) -> None:
        now = time.time()
        is_number = isinstance(expiry, int | float) and not isinstance(expiry, bool)
        # Milliseconds would be a day far away; Salesforce calls that expired too.
        is_seconds = is_number and expiry < now * 10
        if not is_seconds or expiry < now - CLOCK_SKEW_SECONDS:
            raise token_refused("invalid_grant", "expired authorization code")

    def _check_user(self, user: Any) -> None:
        access = self.access
        if access.app_state == "blocked":
            raise token_refused(
                "invalid_app_access", "user is not admin approved to access this app"
            )
        if user != self.identity.username or access.user_state == "not_approved":
            raise token_refused("invalid_grant", "user hasn't approved this consumer")
        if access.user_state == "locked":
            raise token_refused("invalid_grant", "user is locked")
        if access.user_state == "inactive":
            raise token_refused("inactive_user", "user is inactive")

    def _check_credentials(self, form: Mapping[str, str]) -> None:
        if form.get("client_id") != self.identity.consumer_key:
            raise token_refused("invalid_client_id", "client identifier invalid")
        secret = form.get("client_secret", "")
        if not secrets.compare_digest(secret.encode(), self.identity.client_secret.encode()):
            raise token_refused("invalid_client", "invalid client credentials")
        self._check_user(self.identity.username)

    def exchange(self, form: Mapping[str, str], *, is_last: bool) -> str:
        """A tenant token for an org token; `is_last` makes it this one's last exchange.

        Raises:
            Refusal: with the documented body.
        """
        if form.get("grant_type") != EXCHANGE:
            raise token_refused("unsupported_grant_type", "grant type not supported")
        if form.get("subject_token_type") != ACCESS_TOKEN_TYPE:
            raise token_refused("invalid_request", "subject_token_type is not supported")
        space = form.get("dataspace") or "default"
        if space not in self.access.data_spaces:
            raise token_refused("invalid_request", f"data space {space} not found")
        with self._lock:
            known = self._live(form.get("subject_token", ""))
            if known is None:
                raise token_refused("invalid_grant", "Session expired or invalid", status=401)
            if not known.may_exchange:
                raise token_refused("invalid_grant", "the token was exchanged already")
            known.may_exchange = not (is_last or self.access.one_use_tokens)
            scopes = known.scopes
        return self._tenant_token(scopes, space)

    def _tenant_token(self, scopes: frozenset[str], space: str) -> str:
        now = int(time.time())
        tenant = self.tenant
        claims = {
            "sub": self.identity.user_id,
            "iss": "core/sandbox",
            "aud": TENANT_AUDIENCE,
            "audienceTenantId": f"a360/sandbox/{tenant}",
            "orgId": self.identity.org_id,
            "scp": " ".join(sorted(scopes)),
            "custom_attributes": {"dataspace": space},
            "jti": str(uuid.uuid4()),
            "iat": now,
            "nbf": now - CLOCK_SKEW_SECONDS,
            "exp": now + 7200,
        }
        return jwt.encode(claims, self._tenant_key, algorithm="ES256", headers={"kid": "CORE"})

    @property
    def tenant(self) -> str:
        """The tenant's id."""
        return self.identity.org_id[3:15].lower()

    def check_org(self, header: str | None) -> None:
        """Let an org token query over Connect.

        Raises:
            Refusal: 401 for another token, 403 for a missing scope.
        """
        with self._lock:
            known = self._live(_bearer(header))
        if known is None:
            raise unauthorized()
        if "api" not in known.scopes or not QUERY_SCOPES & known.scopes:
            raise forbidden("The app lacks the scope api or cdp_query_api.")

    def check_tenant(self, header: str | None) -> None:
        """Let a tenant token query over V3.

        Raises:
            Refusal: 401 for another token, 403 for a missing scope.
        """
        token = _bearer(header)
        if token in self._dead:
            raise unauthorized()
        try:
            claims = jwt.decode(
                token, self._tenant_key.public_key(), ["ES256"], audience=TENANT_AUDIENCE
            )
        except jwt.PyJWTError:
            raise unauthorized() from None
        if not QUERY_SCOPES & set(str(claims["scp"]).split()):
            raise forbidden("The app lacks the scope cdp_query_api.")

    def kill(self, token: str) -> None:
        """Make a token of either plane dead."""
        with self._lock:
            self._org_tokens.pop(token, None)
            self._dead.add(token)

    def revoke(self, token: str) -> bool:
        """Make an org token dead at its holder's wish; False for one that is none."""
        with self._lock:
            return self._org_tokens.pop(token, None) is not None

    def kill_all(self) -> None:
        """Make every org token dead, and every tenant token by a new key."""
        with self._lock:
            self._org_tokens.clear()
            self._tenant_key = ec.generate_private_key(ec.SECP256R1())

    def _live(self, token: str) -> OrgToken | None:
        known = self._org_tokens.get(token)
        return known if known is not None and known.expires > time.time() else None


def _bearer(header: str | None) -> str:
    scheme, _, token = (header or "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""
