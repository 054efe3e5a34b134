"""The README's way to a real org, executed from its own text, against a sandbox org."""

from __future__ import annotations

import re
import shutil
import stat
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from stdm_platform.sandbox import SandboxHandle, SandboxOptions, running
from stdm_platform_tests.end_to_end.command import Ended, Stdm

README = Path(__file__).parents[2] / "README.md"


def shell_blocks(heading: str) -> list[str]:
    """The shell code blocks of a section of the README."""
    section = re.split(r"^## ", README.read_text(), flags=re.MULTILINE)
    (text,) = (part for part in section if part.startswith(heading))
    blocks = re.findall(r"^( *)```bash\n(.*?)^\1```", text, flags=re.MULTILINE | re.DOTALL)
    return [block for _, block in blocks]


@dataclass(frozen=True)
class Setup:
    """A user who followed the README, and their org."""

    home: Path
    org: SandboxHandle

    def stdm(self, cwd: Path, **variables: str) -> Stdm:
        return Stdm(cwd, {"HOME": str(self.home), **variables})

    def exported(self) -> dict[str, str]:
        """The variables of the README's export block, with this org's values for the user's."""
        (block,) = (block for block in shell_blocks("Your own org") if "export STDM_" in block)
        names = re.findall(r"export (STDM_\w+)=", block)
        shown = " ".join(f'"{name}=${name}"' for name in names)
        said = bash(self.home, f"{block}\nprintf '%s\\n' {shown}").splitlines()
        found = dict(line.split("=", 1) for line in said)
        ours = ("STDM_LOGIN_URL", "STDM_CONSUMER_KEY", "STDM_USERNAME")
        return {**found, **{name: self.org.env[name] for name in ours}}


def bash(home: Path, script: str) -> str:
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],
        env={**Stdm(home).environment, "HOME": str(home)},
        cwd=home,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def setup(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Setup]:
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed")
    home = tmp_path_factory.mktemp("newcomer")
    (block,) = (block for block in shell_blocks("Your own org") if "openssl req" in block)
    bash(home, block)
    cert = home / ".sf" / "jwt" / "myorg.crt"
    options = SandboxOptions(home / "org", days=1, sessions_per_day=5, cert=cert)
    with running(options) as org:
        yield Setup(home, org)


@pytest.fixture
def mended(setup: Setup) -> Iterator[Setup]:
    before = setup.org.change_settings()
    yield setup
    setup.org.clear_faults()
    setup.org.change_settings(**before)


def test_the_readmes_openssl_line_makes_a_key_that_only_its_owner_can_read(setup: Setup) -> None:
    jwt = setup.home / ".sf" / "jwt"
    assert stat.S_IMODE((jwt / "myorg.key").stat().st_mode) == 0o600
    assert stat.S_IMODE(jwt.stat().st_mode) == 0o700


def test_doctor_passes_with_the_readmes_variables(setup: Setup, tmp_path: Path) -> None:
    ended = setup.stdm(tmp_path, **setup.exported())("doctor").succeeded()
    assert ended.raw == b""
    for step in ("private key", "login", "token exchange", "sessions", "moments", "data directory"):
        assert re.search(f"^✓ .*{step}", ended.messages, flags=re.MULTILINE), step
    assert "✗" not in ended.messages


def test_doctor_passes_with_the_variables_of_the_org_served_with_the_users_certificate(
    setup: Setup, tmp_path: Path
) -> None:
    assert setup.org.env["STDM_PRIVATE_KEY_FILE"] == str(setup.home / ".sf/jwt/myorg.key")
    for name in ("doctor", "test-auth"):
        setup.stdm(tmp_path, **setup.org.env)(name).succeeded()


def test_an_alias_finds_its_keys_and_has_a_directory_of_its_own(
    setup: Setup, tmp_path: Path
) -> None:
    jwt = setup.home / ".sf" / "jwt"
    (jwt / "myorg.consumer-key").write_text(setup.org.env["STDM_CONSUMER_KEY"] + "\n")
    needed = {name: setup.org.env[name] for name in ("STDM_LOGIN_URL", "STDM_USERNAME")}
    stdm = setup.stdm(tmp_path, **needed)
    assert stdm("doctor").code == 2
    stdm("doctor", "--org", "myorg").succeeded()
    stdm(
        "extract", "--org", "myorg", "--days", "2", "--table", "sessions", "--no-marts"
    ).succeeded()
    assert list(tmp_path.glob("stdm_data/myorg/lake/sessions/date=*/*.parquet"))
    other = stdm("extract", "--org", "another", "--days", "2", "--no-marts")
    assert other.code == 2
    assert not (tmp_path / "stdm_data" / "another").exists()
    assert stdm("analyze", "--org", "myorg").code == 3


def test_a_key_that_others_may_read_is_refused_unless_that_is_meant(
    setup: Setup, tmp_path: Path
) -> None:
    shared = tmp_path / "shared.key"
    shutil.copy(setup.home / ".sf/jwt/myorg.key", shared)
    shared.chmod(0o644)
    stdm = setup.stdm(tmp_path, **{**setup.org.env, "STDM_PRIVATE_KEY_FILE": str(shared)})
    ended = stdm("doctor")
    assert ended.code == 2
    assert "chmod 600" in ended.messages
    assert str(shared) in ended.messages
    stdm("doctor", STDM_ALLOW_SHARED_KEY_FILE="1").succeeded()


def refused_by_settings(**given: Any) -> dict[str, Any]:
    return {"settings": given}


def refused_by_body(error: str, description: str) -> dict[str, Any]:
    return {"body": {"error": error, "error_description": description}}


BODIES = {
    "expired": refused_by_body("invalid_grant", "expired authorization code"),
    "not approved": refused_by_settings(user_state="not_approved"),
    "audience": {"variables": {"STDM_JWT_AUDIENCE": "https://somewhere.example.com"}},
    "locked": refused_by_settings(user_state="locked"),
    "restricted": refused_by_body("invalid_grant", "ip restricted or invalid login hours"),
    "assertion": {"other_key": True},
    "client id": {"variables": {"STDM_CONSUMER_KEY": "3MVG9another"}},
    "client": refused_by_body("invalid_client", "invalid client credentials"),
    "grant type": refused_by_body("unsupported_grant_type", "grant type not supported"),
    "inactive": refused_by_settings(user_state="inactive"),
    "app access": refused_by_settings(app_state="blocked"),
}
"""Every 400 body of section 1.1 of the Data 360 page; real refusals where the org can be set so."""


def refused(setup: Setup, cwd: Path, case: dict[str, Any], quick: Callable[..., Ended]) -> Ended:
    variables = {**setup.org.env, **case.get("variables", {})}
    if "other_key" in case:
        bash(cwd, "openssl genrsa -out other.key 2048 && chmod 600 other.key")
        variables["STDM_PRIVATE_KEY_FILE"] = str(cwd / "other.key")
    if "settings" in case:
        setup.org.change_settings(**case["settings"])
    if "body" in case:
        setup.org.set_faults([{"kind": "token_error", "on": "token.login", **case["body"]}])
    return quick(setup.stdm(cwd, **variables), "doctor")


def test_each_refused_login_has_exit_2_and_a_next_action_of_its_own(
    mended: Setup, tmp_path: Path, quick: Callable[..., Ended]
) -> None:
    before = mended.org.change_settings()
    actions: dict[str, str] = {}
    for name, case in BODIES.items():
        ended = refused(mended, tmp_path, case, quick)
        mended.org.clear_faults()
        mended.org.change_settings(**before)
        assert ended.code == 2, (name, ended.messages)
        last = ended.messages.strip().splitlines()[-1]
        assert "HTTP 400" in last, (name, last)
        assert "✗ login" in ended.messages
        actions[name] = last.partition(") ")[2] or last.rpartition("). ")[2]
        assert len(actions[name]) > 20, (name, last)
        for secret in (mended.org.env["STDM_CONSUMER_KEY"], "PRIVATE KEY-", "eyJ"):
            assert secret not in ended.messages
    assert len(set(actions.values())) == len(BODIES), actions


def test_a_refused_exchange_has_exit_2_and_an_action_of_its_own(
    mended: Setup, tmp_path: Path
) -> None:
    stdm = mended.stdm(tmp_path, **mended.org.env)
    ended = stdm("doctor", STDM_TRANSPORT="arrow", STDM_DATASPACE="nowhere")
    assert ended.code == 2
    assert "✗ token exchange" in ended.messages
    assert "data space" in ended.messages.strip().splitlines()[-1]


@pytest.mark.parametrize(
    "missing",
    ["STDM_LOGIN_URL", "STDM_CONSUMER_KEY", "STDM_USERNAME", "STDM_PRIVATE_KEY_FILE"],
)
def test_a_missing_variable_is_named_with_exit_2(
    setup: Setup, tmp_path: Path, quick: Callable[..., Ended], missing: str
) -> None:
    stdm = setup.stdm(tmp_path, **setup.org.env).with_variables(**{missing: None})
    ended = quick(stdm, "extract", "--days", "1")
    assert ended.code == 2
    assert missing in ended.messages
    assert ended.raw == b""
