"""Load the RSA private key that signs the login, and say what is wrong with a bad one.

Belongs here: reading `STDM_PRIVATE_KEY` or the key file, its permissions, its passphrase. Does not:
signing (`tokens.py`). No message of this module echoes anything that the key holds.
"""

from __future__ import annotations

import stat
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import (
    load_pem_private_key,
    load_ssh_private_key,
)

from stdm_platform.errors import AuthenticationError
from stdm_platform.settings import Settings

TEXT_VARIABLE = "STDM_PRIVATE_KEY"
FILE_VARIABLE = "STDM_PRIVATE_KEY_FILE"
PASSPHRASE_VARIABLE = "STDM_PRIVATE_KEY_PASSPHRASE"  # noqa: S105 the name of a variable
SHARED_VARIABLE = "STDM_ALLOW_SHARED_KEY_FILE"


def load_private_key(settings: Settings) -> RSAPrivateKey:
    """The key of the text variable, or else of the file.

    Raises:
        AuthenticationError: no key, or one that cannot be used; names the variable.
    """
    passphrase = settings.private_key_passphrase
    secret = passphrase.get_secret_value().encode() if passphrase else None
    if settings.private_key is not None:
        # Secret stores and .env files keep a PEM on one line, with the line ends spelled out.
        text = settings.private_key.get_secret_value().replace("\\n", "\n").strip()
        return _parse(text.encode() + b"\n", secret, TEXT_VARIABLE)
    if settings.private_key_file is not None:
        path = settings.private_key_file.expanduser()
        pem = _read(path, allow_shared=settings.allow_shared_key_file)
        return _parse(pem, secret, f"{FILE_VARIABLE} ({path})")
    raise AuthenticationError(
        f"No private key: neither {FILE_VARIABLE} nor {TEXT_VARIABLE} is set.",
        action=f"Set {FILE_VARIABLE} to the key whose certificate the External Client App holds.",
    )


def _read(path: Path, *, allow_shared: bool) -> bytes:
    where = f"{FILE_VARIABLE} ({path})"
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            raise AuthenticationError(f"{where} is not a file.", action="Name the PEM file itself.")
        if status.st_mode & (stat.S_IRGRP | stat.S_IROTH) and not allow_shared:
            raise AuthenticationError(
                f"{where} may be read by others (mode {stat.S_IMODE(status.st_mode):04o}).",
                action=f"Run `chmod 600 {path}`, or set {SHARED_VARIABLE}=1 if it is a secret that "
                "is mounted read-only.",
            )
        return path.read_bytes()
    except FileNotFoundError:
        raise AuthenticationError(
            f"{where} does not exist.", action=f"Correct {FILE_VARIABLE}; use an absolute path."
        ) from None
    except OSError as error:
        raise AuthenticationError(
            f"{where} cannot be read ({error.strerror}).",
            action="Let the user that runs this process own the file.",
        ) from None


def _parse(pem: bytes, passphrase: bytes | None, where: str) -> RSAPrivateKey:
    _refuse_other_content(pem, where)
    load = load_ssh_private_key if b"BEGIN OPENSSH PRIVATE KEY" in pem else load_pem_private_key
    try:
        key = load(pem, password=passphrase)
    except TypeError:  # how cryptography says that there is a passphrase too few or too many
        raise _passphrase_error(where, given=passphrase is not None) from None
    except (ValueError, UnsupportedAlgorithm):
        if passphrase is not None:
            raise AuthenticationError(
                f"{where} does not open with the passphrase of {PASSPHRASE_VARIABLE}.",
                action=f"Correct {PASSPHRASE_VARIABLE}, or the key if it is damaged.",
            ) from None
        raise AuthenticationError(
            f"{where} is damaged or encrypted in a way that cannot be read.",
            action="Copy the whole PEM again, first to last line; in a variable, `\\n` may stand "
            "for line ends.",
        ) from None
    if not isinstance(key, RSAPrivateKey):
        raise AuthenticationError(
            f"{where} holds a key that is not RSA.",
            action="Salesforce accepts RS256 only: make an RSA key and upload its certificate.",
        )
    return key


def _refuse_other_content(pem: bytes, where: str) -> None:
    if not pem.strip():
        raise AuthenticationError(f"{where} is empty.", action="Give the PEM of the private key.")
    if b"PRIVATE KEY-----" in pem:
        return
    kind = "no PEM of a private key"
    if b"BEGIN CERTIFICATE" in pem:
        kind = "a certificate, not the private key"
    elif b"PUBLIC KEY" in pem:
        kind = "a public key, not the private key"
    raise AuthenticationError(
        f"{where} holds {kind}.",
        action="Give the PEM that begins with BEGIN PRIVATE KEY or BEGIN RSA PRIVATE KEY.",
    )


def _passphrase_error(where: str, *, given: bool) -> AuthenticationError:
    if given:
        return AuthenticationError(
            f"{where} is not encrypted, but {PASSPHRASE_VARIABLE} is set.",
            action=f"Unset {PASSPHRASE_VARIABLE}.",
        )
    return AuthenticationError(
        f"{where} is encrypted, and {PASSPHRASE_VARIABLE} is not set.",
        action=f"Set {PASSPHRASE_VARIABLE}.",
    )
