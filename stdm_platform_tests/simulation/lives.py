"""One seed from its first tick to its proof, alike in all files of seeds."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl

from stdm_platform_tests.session_objects import SESSION_DMOS
from stdm_platform_tests.simulation.landing import a_world
from stdm_platform_tests.simulation.org import SimulatedOrg
from stdm_platform_tests.simulation.proof import (
    MOST_ROUGH,
    assert_costs_at_most,
    assert_each_day_is_one_settled_window,
    assert_is_current,
    assert_is_the_source,
    assert_nothing_is_left_over,
    assert_nothing_was_read_that_must_not_be,
    ratios,
    watch_settled_ground,
)
from stdm_platform_tests.simulation.story import ROUGH, ROUGHER, STILL, Fate, Story

START = datetime(2026, 1, 1, tzinfo=UTC)
LAST_MARK = timedelta(hours=72)


def a_life(
    seed: int,
    data_dir: Path,
    *,
    days: int = 5,
    sessions_a_day: int = 6,
    fate: Fate | None = None,
    **more: int,
) -> Story:
    """An org, an empty lake and what will befall them."""
    org = SimulatedOrg(a_world(seed, start=START, days=days, sessions_a_day=sessions_a_day, **more))
    watch_settled_ground(org, data_dir)
    return Story(org, data_dir, seed, fate or (ROUGH, ROUGHER)[seed % 2])


def live(story: Story) -> None:
    """All ticks; on the way the lake is shown to be current once the last mark has passed."""
    world, checked = story.org.world, []

    def look(now: datetime) -> None:
        if not checked and now >= world.end + STILL:
            checked.append(now)
            story.calm_tick(now)
            assert_is_current(story.data_dir, world, SESSION_DMOS, LAST_MARK)

    story.run(after_tick=look)
    assert checked


def assert_proven(story: Story, *, most: float = MOST_ROUGH) -> None:
    world, data_dir = story.org.world, story.data_dir
    assert_is_the_source(
        data_dir, {dmo.name: world.source(dmo.name) for dmo in SESSION_DMOS}, SESSION_DMOS
    )
    assert_each_day_is_one_settled_window(data_dir, story.days, SESSION_DMOS)
    assert_nothing_was_read_that_must_not_be(story.org)
    assert_nothing_is_left_over(data_dir)
    assert_costs_at_most(story.org, data_dir, most)
    print(f"seed {story.seed}: {dict(story.happened)}, {len(story.org.asked)} windows read,")
    print("rows processed over rows held:", ratios(story.org, data_dir))


def assert_seed_is_proven(seed: int, data_dir: Path) -> None:
    story = a_life(seed, data_dir)
    for dmo in SESSION_DMOS:
        rewritten = story.org.world.versions[dmo.name].filter(~pl.col("final"))
        assert rewritten.height, f"no row of {dmo.name} is ever rewritten"
    live(story)
    assert story.happened["died"]
    assert story.happened["doubled"]
    assert_proven(story)
