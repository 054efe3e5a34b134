"""A directory in memory: an fsync of thousands of small files is not what is simulated."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

MEMORY = Path("/dev/shm")


@pytest.fixture
def data_dir(tmp_path: Path) -> Iterator[Path]:
    if not (MEMORY.is_dir() and os.access(MEMORY, os.W_OK)):
        yield tmp_path / "data"
        return
    folder = Path(tempfile.mkdtemp(prefix="stdm-simulation-", dir=MEMORY))
    try:
        yield folder / "data"
    finally:
        shutil.rmtree(folder)
