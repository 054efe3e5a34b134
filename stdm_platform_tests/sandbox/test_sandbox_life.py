from __future__ import annotations

import signal
import socket
import stat
import subprocess
import sys
import time
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from stranger import Stranger

from stdm_platform.errors import ArgumentError
from stdm_platform.sandbox import SandboxOptions, read_env_file, read_fault_plan, running
from stdm_platform.sandbox.arguments import options_from_arguments
from stdm_platform.sandbox.handle import LOG_FILE

NOW = datetime(2026, 1, 20, 12, tzinfo=UTC)
OPENSSL = (
    "openssl req -x509 -newkey rsa:2048 -nodes -days 30 -subj /CN=me -keyout my.key -out my.crt"
)

LINUX = pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="reads /proc")


def empty(path: Path, **given: Any) -> SandboxOptions:
    return SandboxOptions(path, sessions_per_day=0, **given)


def started(path: Path, *flags: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "stdm_platform.sandbox", f"--data={path}"]
    made = subprocess.Popen([*command, "--sessions-per-day=0", *flags])
    deadline = time.monotonic() + 30
    while not (path / "sandbox.env").exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    return made


def test_the_settings_file_is_complete_private_and_there_when_the_port_answers(
    tmp_path: Path,
) -> None:
    with running(empty(tmp_path)) as sandbox:
        env_file = tmp_path / "sandbox.env"
        assert stat.S_IMODE(env_file.stat().st_mode) == 0o600
        assert read_env_file(env_file) == sandbox.env
        assert list(sandbox.env) == [
            "STDM_LOGIN_URL", "STDM_JWT_AUDIENCE", "STDM_CONSUMER_KEY", "STDM_USERNAME",
            "STDM_PRIVATE_KEY_FILE",
        ]  # fmt: skip
        key_file = Path(sandbox.env["STDM_PRIVATE_KEY_FILE"])
        assert key_file.is_absolute()
        assert stat.S_IMODE(key_file.stat().st_mode) == 0o600
        Stranger(sandbox.env).log_in()
        assert not [path for path in tmp_path.iterdir() if path.name.startswith(".")]


def test_an_org_is_the_same_after_a_restart_and_keeps_its_rows(tmp_path: Path) -> None:
    insert = "INSERT INTO \"ssot__AIAgentSession__dlm\" (ssot__Id__c) VALUES ('kept')"
    count = 'SELECT count(*) FROM "ssot__AIAgentSession__dlm"'
    with running(empty(tmp_path / "a")) as sandbox:
        first = (sandbox.org_id, sandbox.env["STDM_USERNAME"], sandbox.env["STDM_CONSUMER_KEY"])
        key = Path(sandbox.env["STDM_PRIVATE_KEY_FILE"]).read_bytes()
        sandbox.execute(insert)
    with running(empty(tmp_path / "a")) as sandbox:
        again = (sandbox.org_id, sandbox.env["STDM_USERNAME"], sandbox.env["STDM_CONSUMER_KEY"])
        assert again == first
        assert Path(sandbox.env["STDM_PRIVATE_KEY_FILE"]).read_bytes() == key
        assert sandbox.execute(count) == [[1]]
        with (
            pytest.raises(ArgumentError, match="another sandbox org"),
            running(empty(tmp_path / "a")),
        ):
            pass
    with running(empty(tmp_path / "a", seed=2)) as sandbox:
        assert sandbox.execute(count) == [[0]]
        assert sandbox.org_id != first[0]


def test_two_directories_are_two_orgs_unless_told_otherwise(tmp_path: Path) -> None:
    given = "00D000000000001AAA"
    with running(empty(tmp_path / "a")) as one, running(empty(tmp_path / "b")) as two:
        assert one.org_id != two.org_id
    with running(empty(tmp_path / "b", org_id=given)) as two:
        assert two.org_id == given


def test_it_ends_at_sigterm_whatever_it_does(tmp_path: Path) -> None:
    process = started(
        tmp_path, '--faults=[{"kind": "hang", "seconds": 600, "on": "token.exchange"}]'
    )
    env = read_env_file(tmp_path / "sandbox.env")
    stranger = Stranger(env)
    stranger.org_token = stranger.post_login().json()["access_token"]
    slow = "SELECT count(*) FROM generate_series(1, 100000) a, generate_series(1, 100000) b WHERE a <> b"
    with pytest.raises(httpx.TimeoutException):
        stranger.http.post("/services/a360/token", data={}, timeout=0.3)
    with pytest.raises(httpx.TimeoutException):
        stranger.connect(json={"sql": slow}, timeout=0.5)
    waiting = httpx.Client(base_url=env["STDM_LOGIN_URL"], trust_env=False)
    waiting.get("/sandbox/health")  # an idle kept connection
    process.send_signal(signal.SIGTERM)
    assert process.wait(60) == 0
    assert not (tmp_path / "results").exists()


@LINUX
def test_it_ends_with_the_process_that_started_it(tmp_path: Path) -> None:
    script = (
        "import sys, os; from pathlib import Path; from stdm_platform.sandbox import *\n"
        f"with running(SandboxOptions(Path({str(tmp_path)!r}), sessions_per_day=0)) as s:\n"
        "    print(s.process.pid, flush=True); os.kill(os.getpid(), 9)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False
    )
    child = int(done.stdout)
    deadline = time.monotonic() + 60
    while Path(f"/proc/{child}").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
        if "Z" in Path(f"/proc/{child}/stat").read_text().split(")")[1][:3]:
            return  # ended; whoever inherited it has not buried it yet
    assert not Path(f"/proc/{child}").exists()


@pytest.mark.skipif(not Path("/usr/bin/openssl").exists(), reason="needs openssl")
@pytest.mark.parametrize("keeps_key", [True, False])
def test_a_users_own_certificate_is_taken(tmp_path: Path, *, keeps_key: bool) -> None:
    subprocess.run(OPENSSL.split(), cwd=tmp_path, check=True, capture_output=True)
    key = (tmp_path / "my.key").read_text()
    if not keeps_key:
        (tmp_path / "my.key").unlink()
    with running(empty(tmp_path / "org", cert=tmp_path / "my.crt")) as sandbox:
        said = (tmp_path / "org" / LOG_FILE).read_text()
        assert ("STDM_PRIVATE_KEY_FILE" in sandbox.env) == keeps_key
        assert ("Set it yourself" in said) == (not keeps_key)
        assert Stranger(sandbox.env).post_login(key=key).status_code == 200


@pytest.mark.parametrize(
    "words",
    [
        ["--days=0"], ["--sessions-per-day=-1"], ["--port=70000"], ["--end=2099-01-01"],
        ["--end=yesterday"], ["--load-transcripts=/nowhere"], ["--cert=/nowhere"], ["--colour"],
        ["--faults={"], ["--faults=/nowhere"], ['--faults=[{"kind": "x"}]'], ["--org-id=abc"],
        ["--family=x"], ["--column-type=x"], ["--chunk-rows=0"], ["--days=99999"],
        ["--clock=noon"], ["--clock=2999-01-01"], ["--clock-speed=2"],
        ["--clock=2026-01-14", "--clock-speed=-1"], ["--longest-lag-hours=0"], ["--billing=credits"],
    ],
)  # fmt: skip
def test_nonsense_is_refused_with_the_flag_and_a_next_action(
    tmp_path: Path, words: list[str]
) -> None:
    with pytest.raises(ArgumentError) as caught:
        options_from_arguments([f"--data={tmp_path}", *words]).checked()
    assert str(caught.value).endswith(".")
    assert caught.value.action


def test_refused_options_end_the_process_with_exit_4(tmp_path: Path) -> None:
    (tmp_path / "bad.crt").write_text("no certificate")
    for flags in ([f"--cert={tmp_path / 'bad.crt'}"], ["--hide-object=nothing"], ["--days=0"]):
        command = [sys.executable, "-m", "stdm_platform.sandbox", f"--data={tmp_path}", *flags]
        done = subprocess.run(
            [*command, "--sessions-per-day=0"], capture_output=True, text=True, check=False
        )
        assert (done.returncode, done.stdout) == (4, "")
        assert "Traceback" not in done.stderr
        assert done.stderr


def test_a_taken_port_is_refused(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(ArgumentError, match=str(port)), running(empty(tmp_path, port=port)):
            pass


def test_options_survive_the_command_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("[]")
    options = SandboxOptions(
        tmp_path, port=5, days=3, sessions_per_day=4, seed=5, end=date(2026, 1, 3),
        transcripts=tmp_path / "file", cert=tmp_path / "file", faults={"faults": [{"kind": "cut"}]},
        family="std", hide_objects=("moments",), hide_columns=("sessions.ended_at",),
        column_types={"sessions.ended_at": "DECIMAL(10,2)"}, org_id="00D000000000001",
        one_use_tokens=True, chunk_rows=6, chunk_bytes=7, page_bytes=8, cache_results=True,
        until_stdin_closes=True, tls=True, clock=NOW, clock_speed=2.5, longest_lag_hours=9.5,
        billing="object",
    )  # fmt: skip
    assert options_from_arguments(options.arguments()) == options


def test_the_last_day_is_yesterday_and_transcripts_come_alone(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("[]")
    plain = SandboxOptions(tmp_path).checked(now=NOW)
    assert plain.end == NOW.date() - timedelta(days=1)
    assert plain.synthetic_sessions_per_day == 200
    transcripts = SandboxOptions(tmp_path, transcripts=tmp_path / "file")
    assert transcripts.checked(now=NOW).synthetic_sessions_per_day == 0
    transcripts.sessions_per_day = 3
    assert transcripts.synthetic_sessions_per_day == 3


def test_a_fault_plan_can_come_from_a_file(tmp_path: Path) -> None:
    (tmp_path / "plan.json").write_text('[{"kind": "cut"}]')
    assert read_fault_plan(str(tmp_path / "plan.json")) == {"faults": [{"kind": "cut"}]}
    with running(empty(tmp_path, faults=read_fault_plan(str(tmp_path / "plan.json")))) as sandbox:
        assert sandbox.faults()["faults"][0]["kind"] == "cut"


def test_generated_rows_are_served(tmp_path: Path) -> None:
    options = SandboxOptions(tmp_path, days=2, sessions_per_day=3, end=date(2026, 1, 14))
    sql = "SELECT CAST(ssot__StartTimestamp__c AS DATE), count(*) FROM ssot__AiAgentSession__dlm GROUP BY 1 ORDER BY 1"
    with running(options) as sandbox:
        rows = Stranger(sandbox.env).log_in().connect_rows(sql)
    assert rows == [["2026-01-13", 3], ["2026-01-14", 3]]


@LINUX
def test_memory_stays_small_for_a_large_result(tmp_path: Path) -> None:
    """Two million rows of 200 bytes are 400 MB; chunks are 16 MB."""
    sql = "SELECT a AS id, repeat('x', 200) AS filler FROM generate_series(1, 2000000) a"
    with running(empty(tmp_path)) as sandbox:
        stranger = Stranger(sandbox.env).log_in()
        before = resident(sandbox.process.pid)
        _, status = stranger.v3_submit(sql, transferMode="ASYNC")
        status = stranger.v3_finished(status)
        assert status["rowCount"] == 2_000_000
        grown = peak(sandbox.process.pid) - before
        chunk = stranger.v3("GET", f"/{status['queryId']}/chunks/{status['chunkCount'] - 1}")
    assert chunk.json()["data"][-1][0] == 2_000_000
    assert grown < 350_000


def resident(pid: int) -> int:
    return _status(pid, "VmRSS")


def peak(pid: int) -> int:
    return _status(pid, "VmHWM")


def _status(pid: int, name: str) -> int:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(name))
