"""A key that can be used is used; a bad one is named with the variable and the next action."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from stdm_platform.data360 import Connection
from stdm_platform.errors import AuthenticationError
from stdm_platform.settings import Settings
from stdm_platform_tests.data360.fake_org import pem, private_key

BASE = {
    "login_url": "https://login.salesforce.com/",
    "consumer_key": "3MVG9planted",
    "username": "u@example.com",
}


def made(**given: object) -> Connection:
    return Connection.from_settings(Settings(**{**BASE, **given}))  # type: ignore[arg-type]


@pytest.fixture
def key_file(tmp_path: Path) -> Callable[..., Path]:
    def write(content: str | bytes, mode: int = 0o600) -> Path:
        path = tmp_path / "server.key"
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        path.chmod(mode)
        return path

    return write


def same_key(connection: Connection) -> bool:
    ours = private_key().public_key().public_numbers()
    return connection.private_key.public_key().public_numbers() == ours


def test_a_key_is_read_from_a_file_a_variable_or_one_line(key_file: Callable[..., Path]) -> None:
    assert same_key(made(private_key_file=key_file(pem())))
    assert same_key(made(private_key=pem()))
    assert same_key(made(private_key=pem().replace("\n", "\\n")))
    assert same_key(made(private_key=pem().replace("\n", "\r\n")))
    assert same_key(made(private_key=pem(b"pw"), private_key_passphrase="pw"))


def test_a_key_in_the_form_of_openssh_is_read() -> None:
    text = private_key().private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.OpenSSH,
        serialization.NoEncryption(),
    )
    assert same_key(made(private_key=text.decode()))


def test_the_audience_is_the_login_url_unless_it_is_set() -> None:
    assert made(private_key=pem()).audience == "https://login.salesforce.com"
    other = made(private_key=pem(), jwt_audience="https://test.salesforce.com")
    assert other.audience == "https://test.salesforce.com"
    assert made(private_key=pem(), login_url="my.example.com").login_url == "https://my.example.com"


def ec_pem() -> str:
    return pem(key=ec.generate_private_key(ec.SECP256R1()))


def public_pem() -> str:
    public = private_key().public_key()
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    return public.public_bytes(serialization.Encoding.PEM, form).decode()


BAD = {
    "missing": ({}, ["STDM_PRIVATE_KEY_FILE", "STDM_PRIVATE_KEY"]),
    "empty": ({"private_key": "  "}, ["STDM_PRIVATE_KEY", "empty"]),
    "not PEM": ({"private_key": "planted nonsense"}, ["STDM_PRIVATE_KEY", "BEGIN PRIVATE KEY"]),
    "certificate": (
        {"private_key": "-----BEGIN CERTIFICATE-----\nMIIplanted\n-----END CERTIFICATE-----"},
        ["certificate, not the private key"],
    ),
    "public key": ({"private_key": public_pem()}, ["public key, not the private key"]),
    "cut": ({"private_key": pem()[:600]}, ["damaged"]),
    "not RSA": ({"private_key": ec_pem()}, ["not RSA", "RS256"]),
    "no passphrase": ({"private_key": pem(b"pw")}, ["Set STDM_PRIVATE_KEY_PASSPHRASE"]),
    "wrong passphrase": (
        {"private_key": pem(b"pw"), "private_key_passphrase": "planted"},
        ["STDM_PRIVATE_KEY_PASSPHRASE"],
    ),
    "passphrase too many": (
        {"private_key": pem(), "private_key_passphrase": "planted"},
        ["Unset STDM_PRIVATE_KEY_PASSPHRASE"],
    ),
    "no login URL": ({"login_url": None, "private_key": pem()}, ["STDM_LOGIN_URL is not set"]),
    "odd login URL": ({"login_url": "ftp://x", "private_key": pem()}, ["STDM_LOGIN_URL"]),
    "broken login URL": ({"login_url": "https://x:y", "private_key": pem()}, ["STDM_LOGIN_URL"]),
    "no consumer key": ({"consumer_key": None, "private_key": pem()}, ["STDM_CONSUMER_KEY"]),
    "no user": ({"username": " ", "private_key": pem()}, ["STDM_USERNAME is not set"]),
}


@pytest.mark.parametrize("case", BAD)
def test_what_is_missing_or_bad_is_named_with_its_variable_and_never_echoed(case: str) -> None:
    given, words = BAD[case]
    with pytest.raises(AuthenticationError) as caught:
        made(**given)
    for word in words:
        assert word in str(caught.value)
    assert caught.value.action
    assert caught.value.exit_code == 2
    assert "planted" not in str(caught.value)
    assert "MII" not in str(caught.value)


def test_a_key_file_that_others_may_read_is_refused_unless_allowed(
    key_file: Callable[..., Path],
) -> None:
    for mode in (0o644, 0o640, 0o604):
        path = key_file(pem(), mode)
        with pytest.raises(AuthenticationError) as caught:
            made(private_key_file=path)
        assert f"chmod 600 {path}" in str(caught.value)
        assert "STDM_ALLOW_SHARED_KEY_FILE" in str(caught.value)
        assert same_key(made(private_key_file=path, allow_shared_key_file=True))


def test_a_key_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(AuthenticationError, match="does not exist"):
        made(private_key_file=tmp_path / "absent.key")
    with pytest.raises(AuthenticationError, match="is not a file"):
        made(private_key_file=tmp_path)
    (tmp_path / "file").write_text("x")
    with pytest.raises(AuthenticationError, match="cannot be read"):
        made(private_key_file=tmp_path / "file" / "below")
