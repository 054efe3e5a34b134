"""What all rooms of tests share: what is measured, where temporary files go, which files go first.

Belongs here: what makes the whole suite quick without making a check weaker. Does not: fixtures of
rooms.
"""

from __future__ import annotations

import gc
import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest

from stdm_platform_tests.longest_first import in_order
from stdm_platform_tests.session_objects import TABLES

HERE = Path(__file__).parent
UNMEASURED = {"drift", "faults", "simulation", "test_builds.py", "test_simulation.py"}
"""Rooms and files that play thousands of ticks and faults, or dbt inside this process, through code whose
lines other tests reach anyway.

Coverage makes Python two thirds slower: 1.7 times the processor time of one simulated life.
"""

WITH_PROCESSES = {"cli", "notify", "sandbox", "test_command_contract.py"}
"""Rooms and files whose processes are measured too; for all others it costs 4 of 10 seconds."""

IN_PROCESSES = "COVERAGE_PROCESS_CONFIG"
"""The variable by which coverage's `patch = subprocess` reaches a process."""

MEMORY = Path("/dev/shm")
MEMORY_BYTES = 4 << 30
"""The whole suite leaves less than 1 GiB of temporary files behind."""


def _write_bytecode() -> None:
    """Let the processes of tests find modules compiled: dbt starts in 1.5 s instead of 3.

    Machines that build images say PYTHONDONTWRITEBYTECODE, and then 2,500 modules are compiled
    anew in each of hundreds of processes.
    """
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    sys.dont_write_bytecode = False


def _keep_temporary_files_in_memory() -> None:
    """Thousands of fsyncs of small files are waited for on a disk, and are nothing in memory.

    Only where it is large enough. Which syncs there are, and that each is needed, is proven by
    `faults/test_mutations.py` on a disk of its own making.
    """
    usable = MEMORY.is_dir() and os.access(MEMORY, os.W_OK)
    if usable and shutil.disk_usage(MEMORY).free > MEMORY_BYTES:
        os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(MEMORY))


def _let_examples_take_their_time() -> None:
    """Hypothesis fails an example of more than 0.2 s, which on a busy machine says nothing."""
    hypothesis.settings.register_profile("suite", deadline=None)
    hypothesis.settings.load_profile("suite")


os.environ.update(TABLES)  # before anything reads it: assets are chosen as modules load
_write_bytecode()
_keep_temporary_files_in_memory()
_let_examples_take_their_time()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave the rooms that are not measured out of the coverage, and put the long files first."""
    items[:] = in_order(items)
    for item in items:
        if UNMEASURED & {_room(item), item.path.name}:
            item.add_marker(pytest.mark.no_cover)


def pytest_collection_finish() -> None:
    """Take what importing left out of the garbage collector's sight.

    Each full collection walks a million objects of Dagster, dbt and Polars else: a fifth of the
    processor time of a simulated life.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    """Measure the processes of the rooms that ask for it, and no others."""
    config = os.environ.get(IN_PROCESSES)
    if config is not None and not WITH_PROCESSES & {_room(item), item.path.name}:
        del os.environ[IN_PROCESSES]
    try:
        return (yield)
    finally:
        if config is not None:
            os.environ[IN_PROCESSES] = config


def _room(item: pytest.Item) -> str:
    return item.path.relative_to(HERE).parts[0]
