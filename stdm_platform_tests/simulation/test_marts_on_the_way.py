"""Marts that were built while rows landed and changed equal those of a full rebuild at the end."""

from __future__ import annotations

import shutil
from datetime import datetime
from pathlib import Path

import polars as pl
import pytest

from stdm_platform.lake import Lake
from stdm_platform.marts import (
    MartStore,
    build_marts,
    mart_names,
    session_days_due,
    session_days_to_build,
)
from stdm_platform.settings import Settings
from stdm_platform_tests.marts.conftest import quick_dbt
from stdm_platform_tests.parsed import lend_parse
from stdm_platform_tests.simulation.landing import DAY, HOUR
from stdm_platform_tests.simulation.lives import a_life, assert_proven
from stdm_platform_tests.simulation.story import Fate

BUILT_AT = (1.5, 3.5, 8.2)
"""Days after the start; the last time is before the first day is settled."""
DAYS = 5
"""In these two seeds no session of the last day goes on after it, where nothing is held."""
SPARSE = Fate(skipped=0.6, dies=0.1)

__all__ = ["quick_dbt"]


def rows_of(store: MartStore) -> dict[str, pl.DataFrame]:
    with store.connect() as marts:
        return {name: marts.sql(f"select * from {name} order by all").pl() for name in mart_names()}


def build_what_is_due(data_dir: Path, now: datetime) -> int:
    lake, store = Lake(data_dir), MartStore(data_dir)
    days = session_days_to_build(lake, store)
    if days:
        build_marts(lake, store, days, Settings(), clock=lambda: now)
    return len(days)


@pytest.mark.usefixtures("quick_dbt")
@pytest.mark.parametrize("seed", [100, 101])
def test_marts_built_on_the_way_equal_a_full_rebuild(seed: int, data_dir: Path) -> None:
    story = a_life(seed, lend_parse(data_dir), days=DAYS, fate=SPARSE)
    world, built = story.org.world, []

    def build(now: datetime) -> None:
        if len(built) < len(BUILT_AT) and now >= world.start + BUILT_AT[len(built)] * DAY:
            built.append(build_what_is_due(data_dir, now))

    story.run(every=2 * HOUR, after_tick=build)
    now = world.end + 9 * DAY
    built.append(build_what_is_due(data_dir, now))
    assert_proven(story)
    assert all(built), f"each time some days were due: {built}"
    assert session_days_due(Lake(data_dir), MartStore(data_dir)) == []
    fresh = lend_parse(data_dir.with_name("fresh"))
    shutil.copytree(data_dir / "lake", fresh / "lake")
    assert build_what_is_due(fresh, now) == world.days
    grown, rebuilt = rows_of(MartStore(data_dir)), rows_of(MartStore(fresh))
    assert grown.keys() == rebuilt.keys()
    for name, rows in rebuilt.items():
        assert grown[name].equals(rows), (
            f"{name}: {grown[name].join(rows, on=rows.columns, how='anti', nulls_equal=True)}"
        )
    sessions = world.source("sessions")
    assert set(grown["session_summary"]["session_id"]) == set(sessions["session_id"])
    states = set(grown["session_summary"]["completeness"])
    assert states <= {"complete", "forced_incomplete"}, f"all is settled: {states}"
