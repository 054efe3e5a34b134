"""A sandbox org in a process of its own, for tests and for `stdm dev --sandbox`.

Belongs here: starting the process, waiting for it, talking to its control endpoints, ending it.
Does not: serving.
"""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from stdm_platform.errors import ArgumentError, SourceError
from stdm_platform.sandbox.clock import iso, read_instant
from stdm_platform.sandbox.identity import ENV_FILE, IDENTITY_FILE
from stdm_platform.sandbox.options import SandboxOptions

START_SECONDS = 600.0
END_SECONDS = 5.0
LOG_FILE = "sandbox.log"


@dataclass
class SandboxHandle:
    """A running sandbox org."""

    data_dir: Path
    process: subprocess.Popen[bytes]
    env: dict[str, str]
    org_id: str

    @property
    def url(self) -> str:
        """Where it answers."""
        return self.env["STDM_LOGIN_URL"]

    def set_faults(self, plan: Mapping[str, Any] | Sequence[Mapping[str, Any]]) -> None:
        """Put a fault plan in force; its counts begin at none."""
        self._ask("PUT", "/sandbox/faults", plan)

    def clear_faults(self) -> None:
        """Serve no faults from now on."""
        self._ask("DELETE", "/sandbox/faults")

    def faults(self) -> dict[str, Any]:
        """The plan with counts: `faults`, `served` by kind, `log`."""
        found: dict[str, Any] = self._ask("GET", "/sandbox/faults")
        return found

    def served(self) -> dict[str, int]:
        """How often each kind of fault was really served."""
        found: dict[str, int] = self.faults()["served"]
        return found

    def fault_log(self) -> list[dict[str, Any]]:
        """Each served fault with its request."""
        found: list[dict[str, Any]] = self.faults()["log"]
        return found

    def sql_log(self, *, clear: bool = False) -> list[dict[str, Any]]:
        """Every SQL that clients sent, with plane, parameters and time."""
        method = "DELETE" if clear else "GET"
        found: list[dict[str, Any]] = self._ask(method, "/sandbox/control/sql-log")
        return found

    def requests(self, *, clear: bool = False) -> list[dict[str, Any]]:
        """Every request to a plane, with its operation, status and faults."""
        method = "DELETE" if clear else "GET"
        found: list[dict[str, Any]] = self._ask(method, "/sandbox/control/requests")
        return found

    def execute(self, sql: str, parameters: Sequence[Any] = ()) -> list[list[Any]]:
        """Run DuckDB SQL on the org's tables (`ssot__` names, whatever the family); the rows."""
        body = {"sql": sql, "parameters": list(parameters)}
        rows: list[list[Any]] = self._ask("POST", "/sandbox/control/sql", body)["rows"]
        return rows

    def change_settings(self, **given: Any) -> dict[str, Any]:
        """Change settings (see `control.py`); all of them after the change."""
        found: dict[str, Any] = self._ask("PUT", "/sandbox/control/settings", given)
        return found

    def clock(self) -> datetime | None:
        """The org's own instant, UTC; None while it has no clock and shows all rows."""
        return self._clock("GET")

    def set_clock(self, now: datetime | None, *, speed: float | None = None) -> datetime | None:
        """Put the org's clock to an aware instant, or take it off; the clock after that.

        `speed` is clock seconds in a real second, 0 a clock that stands; None leaves it.
        """
        given: dict[str, Any] = {"now": None if now is None else iso(now)}
        return self._clock("PUT", given if speed is None else given | {"speed": speed})

    def advance(self, by: timedelta) -> datetime | None:
        """Move the org's clock on; the clock after that.

        Raises:
            ArgumentError: the org has no clock.
        """
        return self._clock("PUT", {"advance_seconds": by.total_seconds()})

    def client_secret(self) -> str:
        """The app's secret, for clients that log in with client credentials."""
        kept: dict[str, str] = json.loads((self.data_dir / IDENTITY_FILE).read_text())
        return kept["client_secret"]

    def kill_tokens(self) -> None:
        """Make every token dead."""
        self._ask("DELETE", "/sandbox/control/tokens")

    def _clock(self, method: str, given: dict[str, Any] | None = None) -> datetime | None:
        now = self._ask(method, "/sandbox/control/clock", given)["now"]
        return None if now is None else read_instant("now", now)

    def stop(self) -> int:
        """End it as SIGTERM does; its exit code. It is killed if it does not end in time."""
        self.process.terminate()
        try:
            return self.process.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            return self.process.wait()

    def _ask(self, method: str, path: str, body: object = None) -> Any:
        data = None if body is None else json.dumps(body, default=str).encode()
        request = urllib.request.Request(self.url + path, data, method=method)  # noqa: S310 - ours
        try:
            with _DIRECT.open(request, timeout=600) as answer:
                content = answer.read()
        except urllib.error.HTTPError as error:
            raise ArgumentError(f"{method} {path}: {error.read().decode()}") from error
        return json.loads(content) if content else None


# Loopback is never behind a proxy, whatever the environment says.
_DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))


@contextmanager
def running(options: SandboxOptions) -> Iterator[SandboxHandle]:
    """A sandbox org while the block runs; its process ends with it, and with ours.

    Raises:
        ArgumentError: it refused its options.
        SourceError: it ended or did not answer.
    """
    options = options.checked()
    options.until_stdin_closes = True
    options.data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    (options.data_dir / ENV_FILE).unlink(missing_ok=True)
    command = [sys.executable, "-m", "stdm_platform.sandbox", *options.arguments()]
    with (options.data_dir / LOG_FILE).open("wb") as said:  # a pipe would fill and block it
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=said, stderr=said)  # noqa: S603
    try:
        handle = _answering(process, options.data_dir)
        try:
            yield handle
        finally:
            handle.stop()
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
        if process.stdin is not None:
            process.stdin.close()


def _answering(process: subprocess.Popen[bytes], data_dir: Path) -> SandboxHandle:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            said = (data_dir / LOG_FILE).read_text(errors="replace").strip()
            if process.returncode == ArgumentError.exit_code:
                raise ArgumentError(said)
            raise SourceError(f"the sandbox org ended: {said[-2000:]}")
        env = read_env_file(data_dir / ENV_FILE)
        if env and (org_id := _health(env["STDM_LOGIN_URL"])):
            return SandboxHandle(data_dir, process, env, org_id)
        time.sleep(0.05)
    raise SourceError(f"the sandbox org did not answer within {START_SECONDS:.0f} s")


def read_env_file(path: Path) -> dict[str, str]:
    """The variables of a `sandbox.env`, quoted as a shell reads them; none if it is not there."""
    try:
        text = path.read_text()
    except FileNotFoundError:
        return {}
    words = (word.split("=", 1) for word in shlex.split(text, comments=True))
    return {pair[0]: pair[1] for pair in words if len(pair) == 2}


def _health(url: str) -> str | None:
    try:
        with _DIRECT.open(f"{url}/sandbox/health", timeout=5) as answer:
            return str(json.load(answer)["org_id"])
    except (urllib.error.URLError, ConnectionError, TimeoutError):
        return None
