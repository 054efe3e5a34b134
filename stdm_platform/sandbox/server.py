"""The server: socket, signals, the life of the org's process.

Belongs here: starting and ending. Does not: answering (`app.py`).
"""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from stdm_platform.errors import ArgumentError
from stdm_platform.sandbox.app import SandboxApp, build_app
from stdm_platform.sandbox.fault_layer import Connections
from stdm_platform.sandbox.identity import load_identity, write_env_file
from stdm_platform.sandbox.options import SandboxOptions
from stdm_platform.sandbox.org import Org
from stdm_platform.sandbox.tls import tls_front

log = logging.getLogger(__name__)

HOST = "127.0.0.1"
GRACE_SECONDS = 2
ENDING = (signal.SIGTERM, signal.SIGINT)


@dataclass(frozen=True)
class Ready:
    """What whoever starts a sandbox org wants to print."""

    url: str
    env_file: Path
    org_id: str


def serve(options: SandboxOptions, *, on_ready: Callable[[Ready], None] | None = None) -> None:
    """Serve a sandbox org until SIGTERM or SIGINT.

    `on_ready` is called when `sandbox.env` is written and the port is about to answer.

    Raises:
        ArgumentError: an option cannot be meant, the port is taken, the directory is in use.
    """
    options = options.checked()
    with _bound(options.port) as listening, ExitStack() as front:
        port = listening.getsockname()[1]
        url = f"http://{HOST}:{port}"
        org = Org(options)
        try:
            identity = load_identity(options)
            tenant = url
            if options.tls:
                tenant = front.enter_context(tls_front(options.data_dir, port))
            app = build_app(options, org, identity, url, tenant)
            env_file = write_env_file(options.data_dir, identity, url)
            log.info(
                "org %s: rows %s in %.1f s",
                identity.org_id,
                "reused" if org.built.reused else "made",
                org.built.seconds,
            )
            if on_ready is not None:
                on_ready(Ready(url, env_file, identity.org_id))
            if options.until_stdin_closes:
                threading.Thread(target=_end_with_stdin, daemon=True).start()
            try:
                with _signals_outlived():
                    _run(app, listening)
            finally:
                app.store.close()
        finally:
            org.close()


def _bound(port: int) -> socket.socket:
    """A socket that holds the port and does not answer yet."""
    made = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        made.bind((HOST, port))
    except OSError as error:
        made.close()
        raise ArgumentError(
            f"--port {port} cannot be used: {error.strerror}.", action="Use another, or 0."
        ) from error
    return made


def _end_with_stdin() -> None:
    """End when the parent process is gone: its end of the pipe closes with it."""
    # Unbuffered: a lock on the buffer, held by a daemon thread, aborts the interpreter at its end.
    while os.read(sys.stdin.fileno(), 1):
        pass
    os.kill(os.getpid(), signal.SIGTERM)


@contextmanager
def _signals_outlived() -> Iterator[None]:
    """Let uvicorn's own handlers end it, and nothing more.

    Uvicorn sends itself the signal again when it has ended; by default that kills the process
    before the results are deleted. Before this block the default is right: a build in DuckDB
    would hold a Python handler up.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.signal(number, lambda *_: None) for number in ENDING}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _run(app: SandboxApp, listening: socket.socket) -> None:
    # A broken connection is our doing, and uvicorn would write a traceback for each.
    logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)
    config = uvicorn.Config(
        app.asgi,
        http=protocol_class(app.connections),
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_keep_alive=65,
        timeout_graceful_shutdown=GRACE_SECONDS,
    )
    _Server(config, app.store.interrupt).run(sockets=[listening])


class _Server(uvicorn.Server):
    """Uvicorn that stops the queries when it is told to end, so that nothing holds it up."""

    def __init__(self, config: uvicorn.Config, interrupt: Callable[[], None]) -> None:
        super().__init__(config)
        self._interrupt = interrupt

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        super().handle_exit(sig, frame)
        # In a thread: a signal handler must not wait for locks that its own thread may hold.
        threading.Thread(target=self._interrupt, daemon=True).start()


def protocol_class(connections: Connections) -> type[asyncio.Protocol]:
    """Uvicorn's HTTP protocol, with its transports known to the fault layer."""

    class KnownProtocol(H11Protocol):
        def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
            connections.opened(transport)
            super().connection_made(transport)

        def connection_lost(self, exc: Exception | None) -> None:
            connections.closed(self.transport)
            super().connection_lost(exc)

    return KnownProtocol
