"""Pages in a headless Chromium, opened from `file://` as people open them.

One browser serves all tests of a process. It is spoken to over two pipes in the DevTools protocol, so that the
tests see each request that a page begins and each line of its console, and wait for its scripts in real time.
Source: Chrome DevTools Protocol, domains Page, Runtime, Network, Log and Emulation; `--remote-debugging-pipe`
takes messages on file descriptor 3 and gives them on 4, each ended by a zero byte.
"""

from __future__ import annotations

import base64
import fcntl
import itertools
import json
import os
import select
import shutil
import subprocess
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic
from typing import Any

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
FLAGS = (
    "--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-extensions", "--hide-scrollbars",
    "--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage",
    "--remote-debugging-pipe",
)  # fmt: skip
SECONDS = 90
WIDE, NARROW = 1400, 390


def browser_path() -> str | None:
    """The Chromium of this machine; None where there is none."""
    return next((path for name in NAMES if (path := shutil.which(name))), None)


@dataclass
class Opened:
    """A page that is open: every address that it asked for, every line of its console, how long it took."""

    browser: Browser
    requests: list[str] = field(default_factory=list)
    console: list[str] = field(default_factory=list)
    milliseconds: float = 0

    def value(self, expression: str) -> Any:
        """What an expression is in the page, as JSON."""
        said = self.browser.ask(
            "Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True
        )
        assert "exceptionDetails" not in said, said
        return said["result"].get("value")

    def text(self, selector: str = "body") -> str:
        """The text of an element as it is shown."""
        return str(self.value(f"document.querySelector({json.dumps(selector)}).innerText"))

    def cells(self, figure: str, table: int = 0) -> list[list[str]]:
        """The rows of a figure's table by their sort values, where they have one, else as shown."""
        found = self.value(f"""Array.from(
            document.querySelectorAll('#{figure} table')[{table}].tBodies[0].rows, (row) => Array.from(
                row.cells, (cell) => cell.getAttribute('data-raw') ?? cell.textContent))""")
        assert isinstance(found, list)
        return found

    def screenshot(self, path: Path) -> None:
        """A picture of the whole page, for people."""
        picture = self.browser.ask("Page.captureScreenshot", captureBeyondViewport=True)
        path.write_bytes(base64.b64decode(picture["data"]))


def _as_three_and_four(to_browser: int, from_browser: int) -> None:
    """In the child: put the pipes where the browser looks for them, whatever lies there now."""
    ends = [fcntl.fcntl(each, fcntl.F_DUPFD, 10) for each in (to_browser, from_browser)]
    for place, end in zip((3, 4), ends, strict=True):
        os.dup2(end, place)


class Browser:
    """One headless browser; `close` ends it."""

    def __init__(self, path: str) -> None:
        self._home = Path(tempfile.mkdtemp(prefix="pages-"))
        to_browser, self._write = os.pipe()
        self._read, from_browser = os.pipe()
        words = [path, *FLAGS, f"--user-data-dir={self._home}", "about:blank"]
        self._process = subprocess.Popen(
            words,
            pass_fds=(3, 4),
            preexec_fn=lambda: _as_three_and_four(to_browser, from_browser),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env={**os.environ, "HOME": str(self._home)},
        )
        os.close(to_browser)
        os.close(from_browser)
        self._numbers = itertools.count(1)
        self._rest = b""
        self._session: str | None = None
        self._page: Opened | None = None
        self._target: str | None = None

    def open(self, page: str | Path, *, width: int = WIDE, is_dark: bool = False) -> Opened:
        """Open a page, given as its text or its file, and wait until its scripts have ended."""
        if isinstance(page, str):
            file = self._home / "page.html"
            file.write_text(page, encoding="utf-8")
        else:
            file = page
        self._new_tab()
        scheme = [{"name": "prefers-color-scheme", "value": "dark" if is_dark else "light"}]
        self.ask("Emulation.setEmulatedMedia", features=scheme)
        self.ask("Emulation.setDeviceMetricsOverride", width=width, height=900, deviceScaleFactor=1, mobile=width < 600)  # fmt: skip
        opened = self._page = Opened(self)
        begun = monotonic()
        self.ask("Page.navigate", url=file.as_uri())
        has_scripts = "<script>" in file.read_text(encoding="utf-8")
        ended = "document.documentElement.dataset.ready === 'true'" if has_scripts else "true"
        while not opened.value(f"document.readyState === 'complete' && {ended}"):
            assert monotonic() - begun < SECONDS, opened.console
            self._wait(0.01)
        opened.milliseconds = (monotonic() - begun) * 1000
        return opened

    def ask(self, method: str, **parameters: Any) -> dict[str, Any]:
        """The answer to a command of the protocol."""
        number = next(self._numbers)
        message = {"id": number, "method": method, "params": parameters}
        if self._session is not None and not method.startswith("Target."):
            message["sessionId"] = self._session
        os.write(self._write, json.dumps(message).encode() + b"\0")
        deadline = monotonic() + SECONDS
        while True:
            answer = self._next(deadline - monotonic())
            assert answer is not None, f"{method} was not answered"
            if answer.get("id") == number:
                assert "error" not in answer, (method, answer)
                found: dict[str, Any] = answer["result"]
                return found

    def close(self) -> None:
        """End the browser and remove its profile."""
        self._process.terminate()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        os.close(self._write)
        os.close(self._read)
        shutil.rmtree(self._home, ignore_errors=True)

    def _new_tab(self) -> None:
        old, self._session = self._target, None
        self._target = self.ask("Target.createTarget", url="about:blank")["targetId"]
        attached = self.ask("Target.attachToTarget", targetId=self._target, flatten=True)
        self._session = attached["sessionId"]
        if old is not None:
            self.ask("Target.closeTarget", targetId=old)
        for domain in ("Page", "Runtime", "Network", "Log"):
            self.ask(f"{domain}.enable")

    def _wait(self, seconds: float) -> None:
        deadline = monotonic() + seconds
        while (left := deadline - monotonic()) > 0:
            self._next(left)

    def _next(self, seconds: float) -> dict[str, Any] | None:
        deadline = monotonic() + seconds
        while b"\0" not in self._rest:
            ready, _, _ = select.select([self._read], [], [], max(0, deadline - monotonic()))
            if not ready:
                return None
            chunk = os.read(self._read, 1 << 20)
            assert chunk, "the browser ended"
            self._rest += chunk
        text, self._rest = self._rest.split(b"\0", 1)
        message: dict[str, Any] = json.loads(text)
        self._note(message.get("method", ""), message.get("params", {}))
        return message

    def _note(self, event: str, said: dict[str, Any]) -> None:
        if self._page is None:
            return
        if event == "Network.requestWillBeSent":
            self._page.requests.append(said["request"]["url"])
        elif event == "Log.entryAdded":
            self._page.console.append(said["entry"]["text"])
        elif event == "Runtime.consoleAPICalled":
            self._page.console.append(str(said["args"]))
        elif event == "Runtime.exceptionThrown":
            self._page.console.append(str(said["exceptionDetails"]))
