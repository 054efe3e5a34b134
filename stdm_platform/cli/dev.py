"""`stdm dev`: the Dagster UI on this data directory.

Belongs here: starting Dagster's own processes with the right environment. Does not: definitions.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from contextlib import ExitStack, suppress
from datetime import timedelta
from pathlib import Path
from typing import Annotated

import typer

import stdm_platform
from stdm_platform.cli.options import DataDir, Org, clock, settings_for
from stdm_platform.cli.output import say
from stdm_platform.cli.sandbox import demo_org, variables_of
from stdm_platform.settings import Settings

GRACE_SECONDS = 20.0
"""For Dagster to end its own processes, before they are killed."""
ENDING_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def dev(
    org: Org = None,
    data_dir: DataDir = None,
    port: Annotated[int, typer.Option(help="Port on 127.0.0.1.")] = 3000,
    sandbox: Annotated[
        bool, typer.Option("--sandbox", help="Serve a sandbox org as well, and use it.")
    ] = False,
) -> None:
    """Open the Dagster UI: lineage, backfills, checks, schedules, on 127.0.0.1 only.

    With --sandbox everything is set up to materialize a week of a local org at once.

    Example: stdm dev --sandbox --port 3000
    """
    from stdm_platform.orchestration.instance import prepare_instance

    settings = settings_for(org, data_dir)
    path = settings.absolute_data_dir()
    with ExitStack() as stack:
        environment = {**os.environ, **_environment_of(settings), "STDM_DATA_DIR": str(path)}
        if sandbox:
            from stdm_platform.sandbox import running

            handle = stack.enter_context(running(demo_org(path)))
            environment |= variables_of(handle)
            say(
                f"Sandbox org at {handle.url}; its variables are in {path / 'sandbox' / 'sandbox.env'}"
            )
        environment["DAGSTER_HOME"] = str(prepare_instance(path))
        environment.setdefault("STDM_START_DATE", _first_day(path))
        say(f"Dagster UI: http://127.0.0.1:{port}   (Ctrl-C ends it)")
        raise typer.Exit(_run_dagster(port, environment))


def _run_dagster(port: int, environment: dict[str, str]) -> int:
    """Run `dagster dev` until it ends; a signal to us ends it too."""
    command = [sys.executable, "-m", "dagster", "dev", "-h", "127.0.0.1", "-p", str(port)]
    workspace = Path(stdm_platform.__file__).parents[1] / "workspace.yaml"
    source = ["-w", str(workspace)] if workspace.exists() else ["-m", "stdm_platform.definitions"]
    command += source
    # A group of its own: Ctrl-C in a terminal reaches every process of our group, and Dagster,
    # interrupted a second time by us, would leave its cleaning up unfinished.
    process = subprocess.Popen(command, env=environment, process_group=0)  # noqa: S603  # our own interpreter
    asked_at: float | None = None

    def stop(*_: object) -> None:
        nonlocal asked_at
        if asked_at is not None:  # whoever asks again wants it over now
            os.killpg(process.pid, signal.SIGKILL)
        else:
            process.send_signal(signal.SIGINT)
            asked_at = time.monotonic()

    previous = {number: signal.signal(number, stop) for number in ENDING_SIGNALS}
    try:
        while process.poll() is None:
            with suppress(subprocess.TimeoutExpired):
                process.wait(1)
            if asked_at is not None and time.monotonic() - asked_at > GRACE_SECONDS:
                os.killpg(process.pid, signal.SIGKILL)  # it was asked before it could listen
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
        with suppress(ProcessLookupError):  # what Dagster itself left, if anything
            os.killpg(process.pid, signal.SIGKILL)
    # Interrupted while it starts, Dagster calls that a failure; who asked for the end does not.
    return 0 if asked_at is not None or process.returncode == 0 else 1


def _environment_of(settings: Settings) -> dict[str, str]:
    """What an alias found in `~/.sf/jwt`, as variables for Dagster's processes."""
    found = {}
    if settings.private_key_file is not None:
        found["STDM_PRIVATE_KEY_FILE"] = str(settings.private_key_file.expanduser().absolute())
    if settings.consumer_key is not None:
        found["STDM_CONSUMER_KEY"] = settings.consumer_key.get_secret_value()
    return found


def _first_day(path: Path) -> str:
    """The oldest day held, but at least a week ago: so that the pages show days that matter."""
    held = [
        folder.name.removeprefix("date=")
        for folder in (path / "lake").glob("*/date=*")
        if folder.is_dir()
    ]
    week_ago = (clock(None).date() - timedelta(days=7)).isoformat()
    return min([*held, week_ago])
