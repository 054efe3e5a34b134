"""Whoever stops a command does not wait for what other threads wait for at the org."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from stdm_platform.errors import UnavailableError
from stdm_platform.extraction import (
    Span,
    Verified,
    days_to_verify,
    extract_trees,
    trees,
    verify_days,
)
from stdm_platform.lake import Lake
from stdm_platform_tests.extraction.conversations import NOW as TREES_NOW
from stdm_platform_tests.extraction.conversations import conversation, put
from stdm_platform_tests.extraction.fake_org import FakeOrg
from stdm_platform_tests.extraction.world import DAY, NEXT, SESSIONS, extract, rows_of

DAYS = [DAY, NEXT]


class RunningOrg(FakeOrg):
    """Once `hangs` is set, its queries with that text run on until they are stopped, and Ctrl-C comes."""

    def __init__(self) -> None:
        super().__init__()
        self.hangs = ""
        self.stopped = threading.Event()
        self._is_first = threading.Lock()
        self.before = self._run  # type: ignore[assignment]

    def stop(self) -> None:
        self.stopped.set()

    def _run(self, sql: str) -> None:
        if not self.hangs or self.hangs not in sql:
            return
        if self._is_first.acquire(blocking=False):
            os.kill(os.getpid(), signal.SIGINT)
        self.stopped.wait(60)
        raise UnavailableError("the client was stopped.")


@pytest.fixture
def ctrl_c() -> Iterator[None]:
    """As Polars leaves it: the signal is noted, and wakes no thread that waits for a lock."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.siginterrupt(signal.SIGINT, False)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(tmp_path)


def extraction(org: RunningOrg, lake: Lake) -> None:
    org.hangs = "CAST(?"
    extract(org, lake, days=DAYS, workers=2)


def verification(org: RunningOrg, lake: Lake) -> None:
    extract(org, lake, days=DAYS)
    org.hangs = "COUNT(DISTINCT"
    verified = Verified(lake.data_dir)
    wanted = days_to_verify(lake, [SESSIONS], Span(), verified)
    list(verify_days(org, lake, wanted, verified, workers=2))


def whole_sessions(org: RunningOrg, lake: Lake) -> None:
    org.hangs = " IN ("
    extract_trees(org, lake, ["s1", "s2"], now=TREES_NOW)


WAYS: Mapping[str, Callable[[RunningOrg, Lake], None]] = {
    "extract": extraction,
    "verify": verification,
    "extract-tree": whole_sessions,
}


@pytest.mark.usefixtures("ctrl_c")
@pytest.mark.parametrize("interrupted", WAYS.values(), ids=WAYS)
def test_an_interruption_ends_what_other_threads_wait_for(
    interrupted: Callable[[RunningOrg, Lake], None], lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trees, "SESSIONS_PER_READING", 1)
    org = RunningOrg()
    put(org, conversation("s1"))
    org.put(SESSIONS, rows_of(SESSIONS, DAYS))
    with pytest.raises(KeyboardInterrupt):
        interrupted(org, lake)
    assert org.stopped.is_set()
