"""What all rooms of tests share.

Coverage makes Python two thirds slower. Rooms that play thousands of ticks and faults through code
whose lines other tests reach anyway are not measured (1.7 times the CPU time of one seed with it).
"""

from __future__ import annotations

import gc
from pathlib import Path

import pytest

HERE = Path(__file__).parent
UNMEASURED = {"drift", "faults", "simulation"}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave the rooms that are not measured out of the coverage."""
    for item in items:
        if item.path.relative_to(HERE).parts[0] in UNMEASURED:
            item.add_marker(pytest.mark.no_cover)


def pytest_collection_finish() -> None:
    """Take what importing left out of the garbage collector's sight.

    Each full collection walks a million objects of Dagster, dbt and Polars else: a fifth of the
    processor time of a simulated life.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)
