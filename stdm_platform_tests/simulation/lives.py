"""One seed from its first tick to its proof, alike in all files of seeds."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl

from stdm_platform_tests.session_objects import SESSION_DMOS
from stdm_platform_tests.simulation.landing import DAY, World, a_world
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
DAYS = 4
LAST_MARK = timedelta(hours=72)
KINDS = ("died", "doubled", "late tick", "new process", "rewritten", "moved", "late", "last")
"""What a tick can meet, then what can become of rows."""


def a_life(
    seed: int,
    data_dir: Path,
    *,
    days: int = DAYS,
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


def assert_seed_is_proven(seed: int, data_dir: Path, *, days: int = DAYS) -> set[tuple[str, str]]:
    """Live it and prove it; what befell which DMO, for `assert_all_was_met`."""
    story = a_life(seed, data_dir, days=days)
    changes = changes_of(story.org.world)
    for dmo in SESSION_DMOS:
        assert ("rewritten", dmo.name) in changes, f"no row of {dmo.name} is ever rewritten"
    live(story)
    assert story.happened["died"]
    assert story.happened["doubled"]
    assert_proven(story)
    return story.met | changes


def changes_of(world: World) -> set[tuple[str, str]]:
    """Which DMOs have rows that are rewritten, that get another clock, that land a day late or at last."""
    found = set()
    for dmo in SESSION_DMOS:
        versions, clock = world.versions[dmo.name], pl.col(dmo.clock)
        kinds = {
            "rewritten": versions.filter(~pl.col("final")),
            "moved": versions.filter(clock.dt.date().n_unique().over(dmo.key) > 1),
            "late": versions.filter(pl.col("seen_from") > clock + DAY),
            "last": versions.filter(pl.col("seen_from").dt.date() > clock.dt.date() + 6 * DAY),
        }
        found |= {(kind, dmo.name) for kind, rows in kinds.items() if rows.height}
    return found


def assert_all_was_met(met: set[tuple[str, str]]) -> None:
    """Some seeds of a file have shown every fault of a tick, and every change, with every DMO."""
    wanted = {(kind, dmo.name) for kind in KINDS for dmo in SESSION_DMOS}
    assert not wanted - met, sorted(wanted - met)
