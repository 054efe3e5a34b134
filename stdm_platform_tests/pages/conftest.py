"""One headless browser for all tests of this room in a process."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from stdm_platform_tests.pages.browser import Browser, browser_path


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    path = browser_path()
    if path is None:
        pytest.skip("no Chromium on this machine: pages are not looked at in a browser")
    opened = Browser(path)
    yield opened
    opened.close()
