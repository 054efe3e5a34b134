"""Commands as processes of their own that start warm: forked from one that has imported what they need.

Each has its own environment, directory, descriptors, threads and exit code, and can be killed; what is
not played again is `exec` and three seconds of imports, each for `stdm` and for the dbt that it starts.
Cold starts are proven by the demo, `stdm dev`, the kills and the contract of the command.

Belongs here: the process that forks, and asking it. Does not: what commands mean
(`end_to_end/command.py`, `faults/world.py`).
"""

from __future__ import annotations

import array
import atexit
import contextlib
import gc
import json
import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NoReturn

MEASURED = "COVERAGE_PROCESS_CONFIG"
AT_IMPORT = ("STDM_TABLES",)
"""Variables that are read while modules are imported: who sets them otherwise starts cold."""


class Forker:
    """The process that forks, of one process of tests; it ends with it."""

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="stdm-warm-")
        self.path = str(Path(self._folder.name) / "socket")
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(self.path)
            listener.listen(16)
            command = [sys.executable, "-m", __name__, str(listener.fileno()), self.path]
            self._process = subprocess.Popen(
                command, stdin=subprocess.PIPE, pass_fds=(listener.fileno(),)
            )

    def end(self) -> None:
        self._process.communicate()
        self._folder.cleanup()


def can_start(environment: Mapping[str, str]) -> bool:
    """Whether a command with these variables may start warm."""
    same = all(environment.get(name) == os.environ.get(name) for name in AT_IMPORT)
    return sys.platform == "linux" and MEASURED not in os.environ and same


def run(
    kind: str,
    words: Sequence[str],
    *,
    env: Mapping[str, str],
    cwd: str | os.PathLike[str] | None = None,
    timeout: float | None = None,
) -> subprocess.CompletedProcess[bytes]:
    """As `subprocess.run` of `stdm` with these words, its output captured."""
    if not _forkers:
        _forkers.append(Forker())
        atexit.register(lambda: _forkers.pop().end())
    return _asked(_forkers[0].path, kind, words, env, cwd, (), timeout)


_forkers: list[Forker] = []


def _asked(
    path: str,
    kind: str,
    words: Sequence[str],
    env: Mapping[str, str],
    cwd: str | os.PathLike[str] | None,
    pass_fds: Sequence[int],
    timeout: float | None,
) -> subprocess.CompletedProcess[bytes]:
    request = {"kind": kind, "words": list(words), "env": dict(env), "cwd": str(cwd or Path.cwd())}
    with (
        socket.socket(socket.AF_UNIX) as asked,
        tempfile.TemporaryFile() as out,
        tempfile.TemporaryFile() as messages,
    ):
        asked.settimeout(timeout)
        asked.connect(path)
        descriptors = array.array("i", [out.fileno(), messages.fileno(), *pass_fds])
        body = json.dumps(request).encode()
        asked.sendmsg(
            [len(body).to_bytes(8, "big")],
            [(socket.SOL_SOCKET, socket.SCM_RIGHTS, descriptors)],
        )
        asked.sendall(body)
        try:
            ended = json.loads(asked.makefile().readline())
        except TimeoutError as error:
            raise subprocess.TimeoutExpired([kind, *words], timeout or 0) from error
        out.seek(0)
        messages.seek(0)
        return subprocess.CompletedProcess(
            [kind, *words], ended["code"], out.read(), messages.read()
        )


def _serve(listener: socket.socket, path: str) -> NoReturn:
    """Fork a keeper for each request until the process of the tests is gone."""
    _import_all(path)
    gc.collect()
    gc.freeze()
    while True:
        ready, _, _ = select.select([listener, sys.stdin], [], [], 1)
        with contextlib.suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        if sys.stdin in ready:
            os._exit(0)
        if listener in ready:
            asked, _ = listener.accept()
            if os.fork() == 0:
                listener.close()
                _keep(asked)
            asked.close()


def _import_all(path: str) -> None:
    """What commands and dbt import, and the way from the one to the other."""
    import dbt.adapters.duckdb.impl
    import dbt.cli.main
    import dbt.task.build  # noqa: F401

    import stdm_platform.cli.app
    import stdm_platform.extraction
    import stdm_platform.insight  # noqa: F401
    from stdm_platform.marts import dbt_command

    def call_dbt(command: Sequence[str], **given: Any) -> subprocess.CompletedProcess[str]:
        ended = _asked(
            path, "dbt", command[1:], given["env"], given["cwd"], given["pass_fds"], None
        )
        texts = (ended.stdout.decode(), ended.stderr.decode())
        return subprocess.CompletedProcess(command, ended.returncode, *texts)

    dbt_command.subprocess = SimpleNamespace(run=call_dbt, DEVNULL=subprocess.DEVNULL)


def _keep(asked: socket.socket) -> NoReturn:
    """Start the command, wait for its end, and say how it ended."""
    head, descriptors, _, _ = socket.recv_fds(asked, 8, 16)
    request = json.loads(asked.makefile("rb").read(int.from_bytes(head, "big")))
    command = os.fork()
    if command == 0:
        asked.close()
        _become(request, descriptors)
    for descriptor in descriptors:
        os.close(descriptor)
    _, status = os.waitpid(command, 0)
    with contextlib.suppress(OSError):
        asked.sendall(json.dumps({"code": os.waitstatus_to_exitcode(status)}).encode() + b"\n")
    os._exit(0)


def _become(request: dict[str, Any], descriptors: Sequence[int]) -> NoReturn:
    signal.signal(signal.SIGINT, signal.default_int_handler)
    os.chdir(request["cwd"])
    os.environ.clear()
    os.environ.update(request["env"])
    nothing = os.open(os.devnull, os.O_RDONLY)
    for place, descriptor in enumerate((nothing, *descriptors[:2])):
        os.dup2(descriptor, place)
    for descriptor in descriptors[2:]:
        os.set_inheritable(descriptor, True)
    sys.argv = [request["kind"], *request["words"]]
    code: Any = 1
    try:
        code = _run(request["kind"], request["words"])
    except SystemExit as stop:
        code = stop.code
    except BaseException:  # noqa: BLE001  # as Python says of one that nothing catches
        sys.excepthook(*sys.exc_info())
    threading._shutdown()  # type: ignore[attr-defined]
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code if isinstance(code, int) else int(code is not None))


def _run(kind: str, words: list[str]) -> Any:
    if kind == "dbt":
        from dbt.cli.main import cli

        return cli(words)
    from stdm_platform.cli import run as run_stdm

    return run_stdm(words)


if __name__ == "__main__":
    with socket.socket(fileno=int(sys.argv[1])) as given:
        _serve(given, sys.argv[2])
