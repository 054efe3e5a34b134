"""Pages at volume: the report of 30 days of 1 million records a day, and a session of 10,000 steps.

`python -m stdm_platform_tests.benchmarks.pages [--days 30] [--sessions 40000]` writes marts by formula (40,000
sessions with their turns, messages and steps are a million records), makes the report of them, opens it and
sessions of 10,000 steps in headless Chromium, prints wall and processor seconds, and ends with 1 when a promise
of issue 7 does not hold.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from time import perf_counter, process_time

from stdm_platform.insight import Scope
from stdm_platform.pages import report_page, session_page
from stdm_platform_tests.pages.browser import Browser, browser_path
from stdm_platform_tests.pages.records import long_record
from stdm_platform_tests.pages.written_marts import write_marts

NOW = datetime(2026, 2, 4, tzinfo=UTC)
STEPS = 10_000
MOST_SECONDS, MOST_BYTES, MOST_OPENING_MS = 20.0, 5_000_000, 2000.0


def main() -> int:
    """Write, make, open, print; 0 if all promises hold."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--days", type=int, default=30)
    parser.add_argument("--sessions", type=int, default=40_000)
    given = parser.parse_args()
    path = browser_path()
    browser = None if path is None else Browser(path)
    with tempfile.TemporaryDirectory(prefix="stdm-pages-") as name:
        held = _report(Path(name), given.days, given.sessions, browser)
    if browser is None:
        print("no Chromium on this machine: sessions were not opened")
        return int(not held)
    for turns in (1, 40, 2000):
        held &= _session(browser, turns)
    browser.close()
    return int(not held)


def _report(folder: Path, days: int, sessions: int, browser: Browser | None) -> bool:
    store = write_marts(folder, days=days, sessions=sessions)
    wall, spent = perf_counter(), process_time()
    page = report_page(store, Scope(), NOW)
    wall, spent = perf_counter() - wall, process_time() - spent
    size = len(page.encode())
    opened = f", opened in {browser.open(page).milliseconds:.0f} ms" if browser else ""
    print(
        f"report of {days} days with {sessions:,} sessions each: {wall:.1f} s ({spent:.1f} CPU s), {size / 1e6:.2f} MB{opened}"
    )
    return wall < MOST_SECONDS and size < MOST_BYTES


def _session(browser: Browser, turns: int) -> bool:
    page = session_page(long_record(STEPS, turns=turns), NOW)
    opened = [browser.open(page).milliseconds for _ in range(3)]
    print(
        f"session of {STEPS:,} steps in {turns:,} turns, {len(page) / 1e6:.1f} MB: all rows after "
        f"{', '.join(f'{each:.0f}' for each in opened)} ms"
    )
    return min(opened) < MOST_OPENING_MS


if __name__ == "__main__":
    sys.exit(main())
