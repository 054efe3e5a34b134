"""Who the org is: org id, user, client app, key pair, and the file that tells a client.

Belongs here: making them once and keeping them in the org's directory. Does not: tokens
(`auth.py`).
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import secrets
import shlex
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from stdm_platform.errors import ArgumentError
from stdm_platform.sandbox.options import SandboxOptions

log = logging.getLogger(__name__)

ENV_FILE = "sandbox.env"
KEY_FILE = "sandbox.key"
IDENTITY_FILE = "sandbox.identity.json"
BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
CHECK_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"


@dataclass(frozen=True)
class Identity:
    """What a client has to know and what the org checks it with."""

    org_id: str
    user_id: str
    username: str
    consumer_key: str
    client_secret: str
    public_key: rsa.RSAPublicKey
    private_key_file: Path | None

    def __repr__(self) -> str:
        """Without the secret."""
        return f"Identity(org_id={self.org_id!r}, username={self.username!r})"


def load_identity(options: SandboxOptions) -> Identity:
    """The identity kept in the directory, made at the first start.

    Raises:
        ArgumentError: the certificate or a kept file cannot be used.
    """
    kept = _kept(options.data_dir / IDENTITY_FILE)
    org_id = options.org_id or _org_id(f"{options.data_dir}#{options.seed}")
    if options.cert is None:
        key_file = options.data_dir / KEY_FILE
        public_key = _own_key(key_file)
        private_key_file: Path | None = key_file
    else:
        public_key = _certificate_key(options.cert)
        private_key_file = _key_beside(options.cert, public_key)
        if private_key_file is None:
            log.warning(
                "%s has no STDM_PRIVATE_KEY_FILE: no key of %s lies beside it. Set it yourself.",
                options.data_dir / ENV_FILE,
                options.cert,
            )
    return Identity(
        org_id=org_id,
        user_id=_eighteen("005" + _digits(f"user#{org_id}", 12)),
        username=f"sandbox.{org_id[3:15].lower()}@example.com",
        consumer_key=kept["consumer_key"],
        client_secret=kept["client_secret"],
        public_key=public_key,
        private_key_file=private_key_file,
    )


def write_env_file(data_dir: Path, identity: Identity, url: str) -> Path:
    """Write `sandbox.env` in one step, readable by its owner only; a shell can source it."""
    lines = {
        "STDM_LOGIN_URL": url,
        "STDM_JWT_AUDIENCE": url,
        "STDM_CONSUMER_KEY": identity.consumer_key,
        "STDM_USERNAME": identity.username,
        "STDM_PRIVATE_KEY_FILE": identity.private_key_file,
    }
    text = "".join(
        f"{name}={shlex.quote(str(value))}\n" for name, value in lines.items() if value is not None
    )
    path = data_dir / ENV_FILE
    write_private(path, text.encode())
    return path


def write_private(path: Path, content: bytes) -> None:
    """Write a file that only its owner may read, in one step."""
    aside = path.with_name(f".{path.name}.{os.getpid()}")
    aside.unlink(missing_ok=True)
    descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
    aside.replace(path)


def _kept(path: Path) -> dict[str, str]:
    if not path.exists():
        made = {
            "consumer_key": "3MVG9" + "".join(secrets.choice(BASE62) for _ in range(80)),
            "client_secret": secrets.token_hex(32).upper(),
        }
        write_private(path, json.dumps(made, indent=1).encode())
    try:
        found = json.loads(path.read_text())
        return {name: str(found[name]) for name in ("consumer_key", "client_secret")}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ArgumentError(f"{path} cannot be used.", action="Delete it.") from error


def _own_key(path: Path) -> rsa.RSAPublicKey:
    if not path.exists():
        made = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        pem = made.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        write_private(path, pem)
    key = _private_key(path)
    if key is None:
        raise ArgumentError(f"{path} holds no RSA key.", action="Delete it to get a new one.")
    return key.public_key()


def _private_key(path: Path) -> rsa.RSAPrivateKey | None:
    try:
        key = serialization.load_pem_private_key(path.read_bytes(), password=None)
    except (OSError, ValueError, TypeError, UnsupportedAlgorithm):
        return None  # a passphrase, another file type, or not ours to read
    return key if isinstance(key, rsa.RSAPrivateKey) else None


def _certificate_key(path: Path) -> rsa.RSAPublicKey:
    try:
        key = x509.load_pem_x509_certificate(path.read_bytes()).public_key()
    except (OSError, ValueError, UnsupportedAlgorithm) as error:
        raise ArgumentError(
            f"--cert {path} is no X.509 certificate in PEM form.",
            action="Make one: openssl req -x509 -newkey rsa:2048 -nodes -keyout my.key -out my.crt",
        ) from error
    if not isinstance(key, rsa.RSAPublicKey):
        raise ArgumentError(f"--cert {path} has no RSA key.", action="RS256 needs one.")
    return key


def _key_beside(cert: Path, public_key: rsa.RSAPublicKey) -> Path | None:
    for candidate in sorted({*cert.parent.glob("*.key"), *cert.parent.glob("*.pem")}):
        key = _private_key(candidate)
        if key is not None and key.public_key() == public_key:
            return candidate
    return None


def _org_id(text: str) -> str:
    return _eighteen("00D" + _digits(text, 12))


def _digits(text: str, count: int) -> str:
    number = int.from_bytes(hashlib.sha256(text.encode()).digest(), "big")
    return "".join(BASE62[number // 62**place % 62] for place in range(count))


def _eighteen(fifteen: str) -> str:
    """The 18-character form: three letters say which characters are capitals."""
    suffix = ""
    for start in (0, 5, 10):
        capitals = [letter.isupper() for letter in fifteen[start : start + 5]]
        suffix += CHECK_LETTERS[
            sum(is_capital << place for place, is_capital in enumerate(capitals))
        ]
    return fifteen + suffix
