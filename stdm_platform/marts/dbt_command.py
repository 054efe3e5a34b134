"""Run dbt in a subprocess, and say in one sentence what it did not like.

Belongs here: arguments, environment, the subprocess, reading `run_results.json`. Does not: what
stands in the warehouse before (`preparation.py`) or becomes of it after (`publication.py`).

Database messages can quote values, and values can be words of a conversation: what is passed on is
cut to one line without quotations, no log file is written, and the results file goes after a
failure.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stdm_platform.errors import MartError
from stdm_platform.marts.digests import digest_of_files, project_files
from stdm_platform.marts.engine import engine_config
from stdm_platform.marts.store import DBT_PROJECT, MartStore
from stdm_platform.settings import Settings

SECRET_VARIABLES = ("STDM_PRIVATE_KEY", "STDM_PRIVATE_KEY_PASSPHRASE", "STDM_CONSUMER_KEY")
LONGEST_MESSAGE = 300
NAMES_ARE_QUOTED = ("Binder Error", "Catalog Error", "Parser Error", "Compilation Error")
"""Messages that quote names of columns and tables, never values."""


@dataclass(frozen=True)
class NodeResult:
    """How one model or data test ended: `success`, `pass`, `warn`, `fail`, `error` or `skipped`.

    `found` is how many rows a test did not like; `said` describes a failure or warning.
    """

    unique_id: str
    status: str
    seconds: float
    found: int
    said: str


@dataclass(frozen=True)
class DbtOutcome:
    """What a run of dbt came to: warnings in words, failures in words, and each node."""

    warnings: tuple[str, ...]
    failures: tuple[str, ...]
    nodes: tuple[NodeResult, ...] = ()


def dbt_arguments(store: MartStore, command: Sequence[str] = ("build",)) -> list[str]:
    """The arguments of `dbt`: unit tests are for the test suite, everything else is built."""
    arguments = ["--quiet", "--no-use-colors", "--log-level-file", "none", *command]
    if command and command[0] == "build":
        arguments += ["--exclude-resource-type", "unit_test"]
    return [
        *arguments,
        *("--project-dir", str(DBT_PROJECT), "--profiles-dir", str(DBT_PROJECT)),
        *("--target-path", str(store.target_dir), "--log-path", str(store.log_dir)),
    ]


def dbt_environment(store: MartStore, settings: Settings | None = None) -> dict[str, str]:
    """The variables that the dbt project reads, for a dbt that runs in `store.dbt_dir`.

    Paths are relative to that folder and so the same for every data directory: dbt parses its
    project anew when a variable has changed, and a parse that was moved or copied still holds.
    """
    engine = engine_config(store, settings)
    return {
        "STDM_WAREHOUSE": _from_dbt(store, store.warehouse_path),
        "STDM_SNAPSHOT_DIR": _from_dbt(store, store.snapshot_dir),
        "DO_NOT_TRACK": "1",
        "STDM_DUCKDB_MEMORY_LIMIT": engine["memory_limit"],
        "STDM_DUCKDB_THREADS": engine["threads"],
        "STDM_DUCKDB_SPILL_DIR": _from_dbt(store, Path(engine["temp_directory"])),
    }


def _from_dbt(store: MartStore, path: Path) -> str:
    return os.path.relpath(path, store.dbt_dir)


def run_dbt(store: MartStore, settings: Settings, lock: int) -> DbtOutcome:
    """Build all models and run all data tests.

    The subprocess inherits the lock, so that a killed parent does not free it while dbt writes.

    Raises:
        MartError: dbt ended without saying how it went.
    """
    results = store.target_dir / "run_results.json"
    results.unlink(missing_ok=True)
    ended = _call(store, ["build"], settings, pass_fds=(lock,))
    try:
        nodes = json.loads(results.read_bytes())["results"]
    except (FileNotFoundError, ValueError, KeyError):
        said = _harmless((ended.stdout or ended.stderr).strip())
        raise MartError(
            f"dbt ended with {ended.returncode} before it built anything: {said}",
            action="The last good marts stay. Run it again; then look at dbt_models.",
        ) from None
    failures = [_described(node) for node in nodes if node["status"] in ("error", "fail")]
    if ended.returncode and not failures:
        failures = [f"dbt ended with {ended.returncode}"]
    if failures:
        results.unlink(missing_ok=True)
    warnings = [_described(node) for node in nodes if node["status"] == "warn"]
    return DbtOutcome(tuple(warnings), tuple(failures), tuple(_node_result(node) for node in nodes))


def ensure_manifest(data_dir: Path) -> Path:
    """The dbt manifest of this data directory, parsed only when the project changed.

    Raises:
        MartError: the project cannot be parsed.
    """
    store = MartStore(data_dir)
    manifest, stamp = store.target_dir / "manifest.json", store.target_dir / "project_digest"
    digest = digest_of_files(project_files())
    if _is_parsed(manifest, stamp, digest):
        return manifest
    with store.lock() as lock:
        if not _is_parsed(manifest, stamp, digest):
            ended = _call(store, ["parse"], None, pass_fds=(lock,))
            if ended.returncode or not manifest.exists():
                said = _harmless((ended.stdout or ended.stderr).strip())
                raise MartError(
                    f"dbt cannot parse its project: {said}", action="Look at dbt_models."
                )
            stamp.write_text(digest)
    return manifest


def _is_parsed(manifest: Path, stamp: Path, digest: str) -> bool:
    return manifest.exists() and stamp.exists() and stamp.read_text() == digest


def _call(
    store: MartStore, command: Sequence[str], settings: Settings | None, pass_fds: tuple[int, ...]
) -> subprocess.CompletedProcess[str]:
    store.target_dir.mkdir(parents=True, exist_ok=True)
    inherited = {name: value for name, value in os.environ.items() if name not in SECRET_VARIABLES}
    return subprocess.run(  # noqa: S603 - the dbt beside this Python, arguments of our own
        [str(Path(sys.executable).with_name("dbt")), *dbt_arguments(store, command)],
        env=inherited | dbt_environment(store, settings),
        cwd=store.dbt_dir,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        pass_fds=pass_fds,
    )


def _node_result(node: dict[str, Any]) -> NodeResult:
    bad = node["status"] in ("error", "fail", "warn")
    return NodeResult(
        unique_id=node["unique_id"],
        status=node["status"],
        seconds=round(node["execution_time"], 3),
        found=node.get("failures") or 0,
        said=_described(node) if bad else "",
    )


def _described(node: dict[str, Any]) -> str:
    kind, name = node["unique_id"].split(".")[0], node["unique_id"].split(".")[2]
    if node["status"] in ("fail", "warn"):
        return f"{kind} {name} found {node['failures']} rows"
    return f"{kind} {name} failed: {_harmless(node.get('message') or 'no message')}"


def _harmless(message: str) -> str:
    """The first telling line, without quotations unless they can only be names."""
    lines = [line.strip() for line in message.splitlines() if line.strip()]
    telling = [line for line in lines if "Error" in line]
    line = next((one for one in telling if not one.startswith("Runtime Error in")), "")
    line = line or next(iter(lines), "no message")
    if not line.startswith(NAMES_ARE_QUOTED):
        line = re.sub(r"['\"].*", "'…'", line)  # to the end: an apostrophe in it ends no quotation
    return line[:LONGEST_MESSAGE]
