"""`stdm dev`: on 127.0.0.1 only, with limits set, and gone without a trace when it is told to."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from stdm_platform.orchestration.instance import (
    POOL_LIMITS,
    dagster_home,
    instance_at,
    prepare_instance,
)
from stdm_platform_tests.faults.world import STDM
from stdm_platform_tests.orchestration.processes import (
    PROJECT,
    GraphQL,
    eventually,
    free_port,
    listening_addresses,
    members,
    session_of,
)
from stdm_platform_tests.parsed import lend_parse
from stdm_platform_tests.session_objects import TABLES

LOOPBACK = {"0100007F", "0000000000000000FFFF00000100007F", "00000000000000000000000001000000"}


def variables(folder: Path) -> dict[str, str]:
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("STDM_", "DAGSTER_"))}
    return {**kept, **TABLES, "STDM_DATA_DIR": str(folder / "data")}


def assert_nobody_is_left(session: int, port: int) -> None:
    deadline = time.monotonic() + 60
    while members(session) and time.monotonic() < deadline:
        time.sleep(0.1)
    left = [Path(f"/proc/{pid}/cmdline").read_bytes() for pid in members(session)]
    assert left == []
    with pytest.raises(urllib.error.URLError):
        urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=5)


def test_stdm_dev_serves_loopback_only_and_ctrl_c_ends_all_of_it(tmp_path: Path) -> None:
    port, log = free_port(), tmp_path / "said.log"
    command = [STDM, "dev", "--port", str(port), "--sandbox"]
    with session_of(command, variables(tmp_path), log) as process:
        graphql = GraphQL(port)
        repository = eventually(graphql.repository, 150, "the code location")
        assert "stdm_daily" in [job["name"] for job in repository["jobs"]]
        addresses = listening_addresses(process.pid)
        assert addresses
        assert addresses <= LOOPBACK
        os.killpg(process.pid, signal.SIGINT)  # a terminal tells the whole group
        assert process.wait(60) == 0, log.read_text()[-2000:]
        assert_nobody_is_left(process.pid, port)
    said = log.read_text()
    assert "Traceback" not in said
    assert "Aborted" not in said
    assert "telemetry" not in said.lower()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_stdm_dev_while_it_starts(tmp_path: Path, number: signal.Signals) -> None:
    port, log = free_port(), tmp_path / "said.log"
    with session_of([STDM, "dev", "--port", str(port)], variables(tmp_path), log) as process:
        eventually(lambda: "Launching Dagster services" in log.read_text(), 90, "the start")
        process.send_signal(number)
        assert process.wait(60) == 0, log.read_text()[-2000:]
        assert_nobody_is_left(process.pid, port)


def test_a_fresh_home_gets_our_settings_and_the_pool_limits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("DAGSTER_HOME", raising=False)
    home = prepare_instance(tmp_path)
    assert home == tmp_path / "dagster"
    with instance_at(home) as instance:
        assert not instance.telemetry_enabled
        limits = {one.name: one.limit for one in instance.event_log_storage.get_pool_limits()}
        assert limits == POOL_LIMITS
    (home / "dagster.yaml").write_text("telemetry: {enabled: false}\n")
    dagster_home(tmp_path)
    assert (home / "dagster.yaml").read_text() == "telemetry: {enabled: false}\n"


def test_the_definitions_load_without_a_warning(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    lend_parse(tmp_path / "data")
    ended = subprocess.run(
        [str(Path(sys.executable).with_name("dg")), "check", "defs"],
        env={**variables(tmp_path), "DAGSTER_HOME": str(home)},
        cwd=PROJECT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    said = ended.stdout + ended.stderr
    assert ended.returncode == 0, said
    assert "Warning" not in said, said
    assert "error" not in said.lower(), said
