"""What the simulation must notice: each check fails in a world in which its promise is broken."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pytest

from stdm_platform.catalog import Dmo, dmo
from stdm_platform.extraction import expected_shape, status_of, window_query
from stdm_platform.lake import Lake, Window
from stdm_platform_tests.simulation import story as stories
from stdm_platform_tests.simulation.landing import DAY, HOUR, a_world
from stdm_platform_tests.simulation.lives import LAST_MARK, START, a_life, assert_proven
from stdm_platform_tests.simulation.org import Answer, OneClient, SimulatedOrg
from stdm_platform_tests.simulation.proof import (
    MOST_CALM,
    assert_costs_at_most,
    assert_each_day_is_one_settled_window,
    assert_is_current,
    assert_is_the_source,
    assert_nothing_is_left_over,
    assert_nothing_was_read_that_must_not_be,
    watch_settled_ground,
)
from stdm_platform_tests.simulation.story import CALM, STILL, Fate, Story

STEPS = dmo("steps")


def short_life(data_dir: Path, entry: Dmo = STEPS, fate: Fate = CALM, **more: Any) -> Story:
    """One day of one DMO; no tick is skipped."""
    world = a_world(3, start=START, days=1, sessions_a_day=8, dmos=[entry])
    org = SimulatedOrg(world, dmos=[entry], **more)
    watch_settled_ground(org, data_dir)
    return Story(org, data_dir, 3, fate, dmos=[entry])


def assert_all_is_proven(story: Story) -> None:
    world, data_dir, entries = story.org.world, story.data_dir, story.dmos
    assert_is_the_source(
        data_dir, {each.name: world.source(each.name) for each in entries}, entries
    )
    assert_each_day_is_one_settled_window(data_dir, story.days, entries)
    assert_nothing_was_read_that_must_not_be(story.org)
    assert_nothing_is_left_over(data_dir)
    assert_costs_at_most(story.org, data_dir, MOST_CALM)


@contextmanager
def failing(match: str) -> Iterator[None]:
    with pytest.raises(AssertionError, match=match) as caught:
        yield
    print(caught.value)


def test_a_day_without_faults_is_proven(data_dir: Path) -> None:
    story = short_life(data_dir)
    story.run()
    assert_all_is_proven(story)


def test_two_calm_days_cost_at_most_six_times_the_rows_held_and_the_evidence_tells_it(
    data_dir: Path,
) -> None:
    story = a_life(50, data_dir, days=2, fate=CALM, clocks_rewritten=0)
    story.run()
    assert_proven(story, most=MOST_CALM)
    told = status_of(story.lake, start=story.days[0], now=story.org.now, dmos=story.dmos)
    assert {each.dmo: each.rows_processed for each in told} == story.org.processed()


def test_settling_too_early_is_noticed_with_dmo_day_and_keys(data_dir: Path) -> None:
    story = short_life(data_dir, replace(STEPS, settle_time=2 * DAY))
    story.run()
    with failing(r"steps of 2026-01-01: \d+ rows lack in the lake: \['[0-9a-f-]+'"):
        assert_all_is_proven(story)


@pytest.mark.parametrize("marks", [(1, 24, 72), (1, 24)])
def test_a_plan_without_the_last_mark_is_not_current(
    data_dir: Path, marks: tuple[int, ...]
) -> None:
    entry = replace(STEPS, again_after=tuple(hours * HOUR for hours in marks))
    story = short_life(data_dir, entry)
    story.run(until=STILL)
    if LAST_MARK in entry.again_after:
        assert_is_current(data_dir, story.org.world, [entry], LAST_MARK)
        return
    with failing("steps of 2026-01-01: .* rows lack in the lake"):
        assert_is_current(data_dir, story.org.world, [entry], LAST_MARK)


def test_a_row_that_a_reading_lost_is_noticed(
    data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    of = Answer.of

    def losing(sql: str, table: pa.Table, asked: Any, client: OneClient) -> Answer:
        return of(sql, table.slice(min(1, table.num_rows)), asked, client)

    monkeypatch.setattr(Answer, "of", losing)
    story = short_life(data_dir)
    story.calm_tick(START + 9 * DAY)
    with failing(r"steps of 2026-01-01: 1 rows lack in the lake"):
        assert_all_is_proven(story)


def test_a_row_that_says_something_else_is_noticed(data_dir: Path) -> None:
    story = short_life(data_dir)
    story.calm_tick(START + 9 * DAY)
    changed = story.org.world.source("steps").with_columns(step_name=pl.lit("another"))
    with failing(r"steps of 2026-01-01: \d+ rows say something else"):
        assert_is_the_source(data_dir, {"steps": changed}, [STEPS])


def test_two_runs_without_a_lock_are_seen_reading_the_same_window(
    data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    @contextmanager
    def no_lock(lake: Lake, name: str, day: object, *, wait: bool = True) -> Iterator[bool]:
        yield True

    twice = replace(CALM, doubled=1.0)
    monkeypatch.setattr(stories, "_raise_failures", lambda outcomes: None)
    with monkeypatch.context() as patch:
        patch.setattr(Lake, "extraction_lock", no_lock)
        story = short_life(data_dir, fate=twice)
        story.run(until=-20 * HOUR)
    with failing("steps .* was read by .* while .* read|steps .* was read 2 times"):
        assert_nothing_was_read_that_must_not_be(story.org)
    locked = short_life(data_dir.with_name("locked"), fate=twice)
    locked.run(until=-20 * HOUR)
    assert_nothing_was_read_that_must_not_be(locked.org)


def test_ground_read_again_after_it_was_settled_is_noticed(data_dir: Path) -> None:
    story = short_life(data_dir)
    story.calm_tick(START + 9 * DAY)
    assert_all_is_proven(story)
    (file,) = (data_dir / "lake" / "steps" / "date=2026-01-01").iterdir()
    ground = Window(START, START + HOUR)
    story.org.source("again").query(*window_query(expected_shape(STEPS), ground, nonce=1))
    with failing(f"steps .* was read and is settled: {file.name}"):
        assert_nothing_was_read_that_must_not_be(story.org)


def test_reading_at_more_marks_costs_too_much(data_dir: Path) -> None:
    marks = tuple(timedelta(hours=hours) for hours in (1, 24, 48, 72, 96, 120, 144))
    story = short_life(data_dir, replace(dmo("participants"), again_after=marks))
    story.run(every=3 * HOUR)
    with failing("rows processed over rows held: .*, not 6"):
        assert_costs_at_most(story.org, data_dir, MOST_CALM)


def test_what_a_killed_run_leaves_is_noticed_until_it_is_swept(data_dir: Path) -> None:
    story = short_life(data_dir)
    story.calm_tick(START + 9 * DAY)
    (data_dir / "staging" / "0-dead").mkdir()
    with failing("left in staging"):
        assert_all_is_proven(story)
    story.lake = Lake(data_dir)
    with story.lake.temporary_snapshot(["steps"]):
        pass
    assert_all_is_proven(story)
