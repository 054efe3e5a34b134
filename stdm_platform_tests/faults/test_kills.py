"""A run that is killed at any moment, and run again, equals an undisturbed one."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from stdm_platform.sandbox import SandboxHandle, running
from stdm_platform_tests.faults.kills import Killing
from stdm_platform_tests.faults.world import options


@pytest.fixture(scope="module")
def org(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SandboxHandle]:
    """One of its own: these tests change its rows."""
    with running(options(tmp_path_factory.mktemp("killed") / "org")) as handle:
        yield handle


def test_a_run_killed_while_it_extracts_shows_no_mixture_and_can_be_run_again(
    org: SandboxHandle, tmp_path: Path
) -> None:
    killing = Killing(org, tmp_path, random.Random(11))
    killing.measure("--no-marts")
    while killing.kills < 12:
        # The first third of such a short run is imports.
        killing.kill_once("--no-marts", share=(0.25, 1.0))
    killing.end("--no-marts")
    killing.turn("A")


def test_a_run_killed_while_it_builds_marts_shows_no_mixture_and_can_be_run_again(
    org: SandboxHandle, tmp_path: Path
) -> None:
    killing = Killing(org, tmp_path, random.Random(12))
    killing.measure()
    while killing.kills < 8:
        killing.kill_once(share=(0.3, 1.0))
    killing.end()
    killing.turn("A")
    assert 0 < killing.orphaned < 8
