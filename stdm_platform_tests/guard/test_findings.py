"""Days of a lake against what is usual: ages, words, drifts told once. All from footers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from stdm_platform.catalog import Dmo, dmo
from stdm_platform.guard import judged_days, profile_findings
from stdm_platform.guard.findings import Figures
from stdm_platform.guard.history import figures_of, rows_as_read_at
from stdm_platform.lake import Evidence, Lake, Reading, Window
from stdm_platform_tests.guard.held_figures import put
from stdm_platform_tests.guard.normal_life import AGES, FIRST, Life
from stdm_platform_tests.session_objects import SESSION_DMOS

AFTER = [timedelta(hours=1), timedelta(hours=24), timedelta(hours=72), timedelta(days=7)]
DAY = FIRST + timedelta(days=37)
"""A Wednesday."""
MIDNIGHT = Window.of_day(DAY).end
STEPS = dmo("steps")


@pytest.fixture
def life() -> Life:
    return Life(7, holidays_after=45)


def readings_of(
    life: Life, entry: Dmo, day: date, now: datetime, marks: list[timedelta] = AFTER
) -> list[Reading]:
    window = Window.of_day(day)
    return [
        Reading(window.end + after, "q", "0" * 64, None, "json", life.rows[AGES[AFTER.index(after)]][entry.name][day], window)
        for after in marks
        if window.end + after <= now
    ]  # fmt: skip


def lake_of(
    life: Life, folder: Path, now: datetime, *, marks: list[timedelta] = AFTER,
    profiles: Mapping[date, dict[str, Any]] | None = None, days: int = 60,
) -> Lake:  # fmt: skip
    """The days of a life as they are held at an instant."""
    lake = Lake(folder)
    for entry in SESSION_DMOS:
        for back in range(days):
            day = DAY + timedelta(days=3 - back)
            if day >= FIRST and (readings := readings_of(life, entry, day, now, marks)):
                put(lake, entry, day, readings, **(profiles or {}).get(day, {}))
    return lake


def fired(lake: Lake, day: date = DAY) -> list[str]:
    """One line for each figure of the day that is beyond its range."""
    found = judged_days(lake, {entry.name: [day] for entry in SESSION_DMOS})
    return [each.describe() for each in found if each.judged.fired]


def test_late_rows_are_no_fall_and_lost_ones_are_told_at_the_reading_after_a_day(
    life: Life, tmp_path: Path
) -> None:
    life.lose("steps", DAY)
    early = lake_of(life, tmp_path / "early", MIDNIGHT + timedelta(hours=2))
    assert fired(early) == []
    assert "24 h after" in Figures(early).unripe(STEPS, DAY)
    later = lake_of(life, tmp_path / "later", MIDNIGHT + timedelta(hours=24))
    (line,) = fired(later)
    assert line.startswith(f"steps of {DAY}: {life.rows['24 h']['steps'][DAY]:,} rows; the last ")
    # As the days before were at that age, not as they are now.
    assert f"{life.rows['24 h']['steps'][DAY - timedelta(days=7)]:,}" in line
    assert Figures(later).unripe(STEPS, DAY) == ""


def test_days_that_are_read_once_are_judged_as_they_were_read(life: Life, tmp_path: Path) -> None:
    life.lose("steps", DAY)
    now = MIDNIGHT + timedelta(hours=2)
    (line,) = fired(lake_of(life, tmp_path, now, marks=AFTER[:1]))
    assert line.startswith("steps of")


def test_days_of_a_backfill_stand_in_for_days_read_early(life: Life, tmp_path: Path) -> None:
    lake = Lake(tmp_path)
    for entry in SESSION_DMOS:
        for place in range(37):
            day = FIRST + timedelta(days=place)
            put(lake, entry, day, readings_of(life, entry, day, MIDNIGHT + timedelta(days=60))[-1:])
        put(lake, entry, DAY, readings_of(life, entry, DAY, MIDNIGHT + timedelta(hours=24)))
    assert fired(lake) == []


def test_small_windows_that_became_large_ones_are_compared_as_they_were(life: Life) -> None:
    hours = [Window(MIDNIGHT - timedelta(hours=n), MIDNIGHT - timedelta(hours=n - 1)) for n in range(24, 0, -1)]  # fmt: skip
    small = [Reading(w.end + timedelta(hours=1), "q", "0", None, "json", 10, w) for w in hours]
    again = [Reading(w.end + timedelta(hours=24), "q", "0", None, "json", 15, w) for w in hours]
    whole = Reading(MIDNIGHT + timedelta(days=7), "q", "0", None, "json", 480, Window.of_day(DAY))
    last = Evidence(Window.of_day(DAY), "steps", "o", "1", (), 480, None, None, "c", (*small, *again, whole), True)  # fmt: skip
    found = figures_of(STEPS, DAY, [last])
    assert [found.by_age.get(age) for age in (1, 2, 4)] == [(240, 1), (360, 2), (480, 4)]
    assert rows_as_read_at(2, [found]) == {DAY: 360}
    day_half_held = figures_of(STEPS, DAY, [])
    assert (day_half_held.age, dict(day_half_held.by_age)) == (-1, {})


def profiles(
    what: str, usual: Any, since: date, then: Any
) -> Iterator[tuple[date, dict[str, Any]]]:
    for place in range(41):
        day = FIRST + timedelta(days=place)
        yield day, {what: then if day >= since else usual}


@pytest.mark.parametrize(
    ("what", "usual", "then", "kind", "column"),
    [
        ("nulls", {"step_name": 30}, {"step_name": 9_000}, "null_share", "ssot__Name__c"),
        ("undecoded", {"output_value_text": [20, 2_000]}, {"output_value_text": [500, 2_000]}, "text_decodes", "ssot__OutputValueText__c"),
        ("repeats", [30, 60_000], [9_000, 60_000], "duplicate_share", ""),
    ],
)  # fmt: skip
def test_a_share_beyond_its_range_is_one_drift_with_its_first_day(
    life: Life, tmp_path: Path, what: str, usual: Any, then: Any, kind: str, column: str
) -> None:
    now = MIDNIGHT + timedelta(days=2)
    lake = Lake(tmp_path)
    for day, profile in profiles(what, usual, DAY, then):
        if readings := readings_of(life, STEPS, day, now):
            put(lake, STEPS, day, readings, **profile)
    (drift,) = profile_findings(lake)
    assert (drift.kind, drift.severity, drift.column, drift.first_day) == (
        kind,
        "warn",
        column,
        DAY,
    )
    line = drift.describe()
    for part in (
        "steps (ssot__AIAgentInteractionStep",
        column,
        "of ",
        f"since {DAY}",
        "was expected",
    ):
        assert part in line
    assert profile_findings(lake, since=DAY)[0].identity == drift.identity


def test_a_normal_lake_has_no_drift_of_figures(life: Life, tmp_path: Path) -> None:
    usual = dict(profiles("repeats", [30, 60_000], DAY, [31, 60_000]))
    lake = lake_of(life, tmp_path, MIDNIGHT + timedelta(hours=25), profiles=usual)
    assert profile_findings(lake) == []


def test_a_fall_that_lasts_is_told_once(life: Life, tmp_path: Path) -> None:
    life.lose("messages", DAY)
    first = profile_findings(lake_of(life, tmp_path / "1", MIDNIGHT + timedelta(hours=24)))
    last = profile_findings(lake_of(life, tmp_path / "2", MIDNIGHT + timedelta(hours=73)))
    assert [each.identity for each in first] == [each.identity for each in last]
    assert len(first) == 1
