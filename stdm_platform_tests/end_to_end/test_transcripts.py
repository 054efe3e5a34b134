"""Real conversations: transcripts of tau-bench, loaded into a sandbox org and extracted."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from time import monotonic, sleep

import pytest

from stdm_platform.sandbox import read_env_file
from stdm_platform_tests.end_to_end.command import Stdm
from stdm_platform_tests.end_to_end.facts import ask, lake_counts
from stdm_platform_tests.parsed import lend_parse

PROJECT = Path(__file__).parents[2]
TRANSCRIPTS = PROJECT / ".." / "shared" / "real" / "gpt-4o-airline.json"


@pytest.fixture(scope="module")
def extracted(
    tmp_path_factory: pytest.TempPathFactory, home: Path, capfd_said: None
) -> Iterator[Stdm]:
    if not TRANSCRIPTS.is_file():
        pytest.skip(f"the real transcripts are not here: {TRANSCRIPTS.resolve()}")
    cwd = tmp_path_factory.mktemp("transcripts")
    words = ["sandbox", "serve", "--data", "org", "--port", "0"]
    server = subprocess.Popen(
        [sys.executable, "-m", "stdm_platform", *words, "--load-transcripts", str(TRANSCRIPTS)],
        cwd=cwd,
        env=Stdm(cwd).environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        env = env_when_served(server, cwd / "org" / "sandbox.env")
        stdm = Stdm(cwd, {**env, "HOME": str(home)})
        lend_parse(stdm.data_dir)
        stdm("extract").succeeded()
        yield stdm
        server.send_signal(signal.SIGTERM)
        assert server.wait(60) == 0
    finally:
        server.kill()
        server.wait()


@pytest.fixture(scope="module")
def capfd_said(request: pytest.FixtureRequest) -> None:
    """Say it where it is seen: a skip alone is one letter among many."""
    if not TRANSCRIPTS.is_file():
        capture = request.config.pluginmanager.getplugin("capturemanager")
        with capture.global_and_fixture_disabled():
            print(f"\nSKIPPED: no real transcripts at {TRANSCRIPTS.resolve()}")


def env_when_served(server: subprocess.Popen[bytes], path: Path) -> dict[str, str]:
    deadline = monotonic() + 60
    while not path.exists():
        assert server.poll() is None, "the sandbox org ended"
        assert monotonic() < deadline, "the sandbox org did not answer"
        sleep(0.05)
    return read_env_file(path)


def test_the_marts_hold_200_sessions_and_what_was_said_in_them(extracted: Stdm) -> None:
    (figures,) = ask(
        extracted.data_dir,
        """
        select count(*), sum(user_message_count)::int, sum(action_step_count)::int,
            sum(action_error_count)::int, count_if(outcome = 'escalated')
        from session_summary
        """,
    )
    assert figures == (200, 1490, 1164, 73, 48)


def test_the_lake_holds_the_stop_words_of_the_users_as_they_were_said(extracted: Stdm) -> None:
    rows = extracted("sql", "from session_summary", "--format", "json").succeeded().json()
    assert len(rows) == 200
    assert sum(row["user_message_count"] for row in rows) == 1490
    messages = sum(
        n for (name, _), n in lake_counts(extracted.data_dir).items() if name == "messages"
    )
    assert messages > 1490
    glob = extracted.data_dir / "lake" / "messages" / "*" / "*.parquet"
    (stops,) = ask(
        extracted.data_dir,
        f"select count(*) from '{glob}' where content_text like '%###STOP###%' and message_type = 'Input'",
    )
    assert stops[0] > 100


def test_the_commands_show_the_conversations(extracted: Stdm) -> None:
    (row,) = extracted("analyze", "--format", "json").succeeded().json()
    assert row["sessions"] == 200
    assert row["agent_name"] == "gpt_4o_airline"
    assert row["escalated_share"] == 0.24
    topics = extracted("topics", "--format", "json").succeeded().json()
    assert sum(topic["turn_count"] for topic in topics) == 1490


def test_actions_and_their_errors_are_those_of_the_file_itself(extracted: Stdm) -> None:
    """Counted from the JSON with nothing of ours: calls by name, answers that begin with Error."""
    calls, errors, transferred = Counter[str](), Counter[str](), 0
    for conversation in json.loads(TRANSCRIPTS.read_text()):
        names = [
            call["function"]["name"]
            for message in conversation["traj"]
            for call in message.get("tool_calls") or []
        ]
        calls.update(names)
        transferred += "transfer_to_human_agents" in names
        errors.update(
            message["name"]
            for message in conversation["traj"]
            if message["role"] == "tool" and str(message["content"]).startswith("Error")
        )
    rows = extracted("actions", "--format", "json").succeeded().json()
    names = [row["action_name"].rpartition(".")[2] for row in rows]
    assert set(names) == set(calls)
    found, failed = Counter[str](), Counter[str]()
    for name, row in zip(names, rows, strict=True):
        found[name] += row["calls"]
        failed[name] += row["error_count"]
    assert found == calls
    assert +failed == errors
    few = ["find", "--outcome", "escalated", "--definition", "session_end_step", "--limit", "1"]
    assert f"{transferred:,} found, 1 shown" in extracted(*few).succeeded().messages
