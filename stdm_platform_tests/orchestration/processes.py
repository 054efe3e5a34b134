"""Processes of one session: who is left, who listens where."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).parents[2]
LISTENING = "0A"


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port


def members(session: int) -> list[int]:
    """The living processes of a session."""
    found = []
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                after = (folder / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            if int(after[3]) == session and after[0] != "Z":
                found.append(int(folder.name))
    return found


def listening_addresses(session: int) -> set[str]:
    """The TCP addresses on which processes of a session listen, as the kernel writes them."""
    inodes = set()
    for process in members(session):
        for descriptor in Path(f"/proc/{process}/fd").glob("*"):
            try:
                inodes.add(str(descriptor.readlink()))
            except OSError:
                continue
    found = set()
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]:
            fields = line.split()
            if fields[3] == LISTENING and f"socket:[{fields[9]}]" in inodes:
                found.add(fields[1].partition(":")[0])
    return found


@contextmanager
def session_of(
    command: Sequence[str], variables: Mapping[str, str], log: Path
) -> Iterator[subprocess.Popen[bytes]]:
    """A command in a session of its own, from the project's directory; killed in the end."""
    with log.open("wb") as said:
        process = subprocess.Popen(
            command,
            env=dict(variables),
            cwd=PROJECT,
            stdout=said,
            stderr=said,
            start_new_session=True,
        )
    try:
        yield process
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
            with suppress(subprocess.TimeoutExpired):
                process.wait(30)
        for pid in members(process.pid):
            os.kill(pid, signal.SIGKILL)
        process.wait()


def eventually(answer: Callable[[], Any], seconds: float, of: str) -> Any:
    """The first answer that is true, within a time."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if found := answer():
            return found
        time.sleep(0.3)
    raise AssertionError(f"{of}: not within {seconds:.0f} s")


class GraphQL:
    """The webserver's GraphQL; remembers every answer."""

    def __init__(self, port: int) -> None:
        self._url = f"http://127.0.0.1:{port}/graphql"
        self._direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        self.answers: list[str] = []

    def ask(self, query: str, **variables: Any) -> Any:
        body = json.dumps({"query": query, "variables": variables}).encode()
        request = urllib.request.Request(self._url, body, {"Content-Type": "application/json"})
        with self._direct.open(request, timeout=60) as answer:
            text = answer.read().decode()
        self.answers.append(text)
        found = json.loads(text)
        assert "errors" not in found, found["errors"]
        return found["data"]

    def repository(self) -> dict[str, Any] | None:
        """The code location when it is loaded."""
        query = """{ repositoriesOrError { __typename
            ... on RepositoryConnection { nodes { name location { name } jobs { name }
                schedules { name cronSchedule executionTimezone } sensors { name } } }
            ... on PythonError { message } } }"""
        try:
            nodes = self.ask(query)["repositoriesOrError"].get("nodes")
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            return None
        return nodes[0] if nodes else None
