"""The `stdm` command as a user runs it: a process of its own, in a directory of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from stdm_platform_tests import warm
from stdm_platform_tests.session_objects import TABLES

SECONDS = 300


@dataclass(frozen=True)
class Ended:
    """How a command ended."""

    code: int
    raw: bytes
    messages: str

    @property
    def out(self) -> str:
        return self.raw.decode()

    def json(self) -> list[dict[str, Any]]:
        found = json.loads(self.out)
        assert isinstance(found, list)
        return found

    def succeeded(self) -> Ended:
        assert self.code == 0, f"exit {self.code}\n{self.out}\n{self.messages}"
        return self


@dataclass(frozen=True)
class Stdm:
    """The command with the variables of one user; nothing of the machine's own `STDM_*`.

    It holds the six objects of a session, or all where the user says `STDM_TABLES=""`.
    """

    cwd: Path
    variables: Mapping[str, str] = field(default_factory=dict)

    @property
    def environment(self) -> dict[str, str]:
        kept = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("STDM_", "DAGSTER_"))
        }
        return {**kept, **TABLES, **self.variables}

    @property
    def data_dir(self) -> Path:
        return Path(self.variables.get("STDM_DATA_DIR", self.cwd / "stdm_data"))

    def with_variables(self, **given: str | None) -> Stdm:
        """The same with variables set, or taken away by None."""
        merged = {**self.variables, **given}
        return Stdm(self.cwd, {name: value for name, value in merged.items() if value is not None})

    def __call__(self, *words: str, **variables: str) -> Ended:
        environment = {**self.environment, **variables}
        if warm.can_start(environment):
            done = warm.run("stdm", words, env=environment, cwd=self.cwd, timeout=SECONDS)
        else:
            done = subprocess.run(
                [sys.executable, "-m", "stdm_platform", *words],
                cwd=self.cwd,
                env=environment,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=SECONDS,
                check=False,
            )
        messages = done.stderr.decode()
        assert "Traceback" not in messages, messages
        return Ended(done.returncode, done.stdout, messages)
