"""What a test of this room begins with, unless it says otherwise: an empty lake, and an org without rows."""

from __future__ import annotations

from pathlib import Path

import pytest

from stdm_platform.lake import Lake
from stdm_platform_tests.extraction.fake_org import FakeOrg
from stdm_platform_tests.extraction.peer import empty_org


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(tmp_path / "data")


@pytest.fixture
def org() -> FakeOrg:
    return empty_org()
