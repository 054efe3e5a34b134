"""Five days of hourly ticks with faults, a quarter of the seeds; see `lives.py`."""

from __future__ import annotations

from pathlib import Path

import pytest

from stdm_platform_tests.simulation.lives import assert_seed_is_proven


@pytest.mark.parametrize("seed", range(10, 15))
def test_after_the_settle_time_the_lake_is_the_source_though_ticks_die_and_rows_change(
    seed: int, data_dir: Path
) -> None:
    assert_seed_is_proven(seed, data_dir)
