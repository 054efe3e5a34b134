"""Days of hourly ticks with faults, half of the seeds; see `lives.py`, and for more of them `__main__.py`."""

from __future__ import annotations

from pathlib import Path

import pytest

from stdm_platform_tests.simulation.lives import assert_all_was_met, assert_seed_is_proven

met: set[tuple[str, str]] = set()


@pytest.mark.parametrize("seed", range(4))
def test_after_the_settle_time_the_lake_is_the_source_though_ticks_die_and_rows_change(
    seed: int, data_dir: Path
) -> None:
    met.update(assert_seed_is_proven(seed, data_dir))


def test_these_seeds_met_every_fault_and_every_change_with_every_object() -> None:
    if not met:
        pytest.skip("alone: it asks what the seeds of this file met")
    assert_all_was_met(met)
