from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from stdm_platform.errors import ArgumentError
from stdm_platform.sandbox.clock import LAST, OrgClock, read_instant

START = datetime(2026, 1, 14, tzinfo=UTC)


class Elapsed:
    """Seconds that pass when a test says so."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def elapsed() -> Elapsed:
    return Elapsed()


def test_a_clock_stands_until_it_is_moved(elapsed: Elapsed) -> None:
    clock = OrgClock(START, elapsed=elapsed)
    elapsed.seconds += 3600
    assert clock.now() == START
    clock.change({"advance_seconds": 90.5})
    assert clock.now() == START + timedelta(seconds=90.5)
    clock.change({"now": "2026-01-01T02:00:00+02:00"})
    assert clock.report() == {"now": "2026-01-01T00:00:00Z", "speed": 0.0}


def test_a_running_clock_keeps_what_it_has_run_when_its_speed_changes(elapsed: Elapsed) -> None:
    clock = OrgClock(START, 600, elapsed=elapsed)
    elapsed.seconds += 6
    assert clock.now() == START + timedelta(hours=1)
    clock.change({"speed": 0})
    elapsed.seconds += 6
    assert clock.now() == START + timedelta(hours=1)
    clock.change({"speed": 3600, "advance_seconds": 3600})
    elapsed.seconds += 1
    assert clock.now() == START + timedelta(hours=3)


def test_an_org_can_be_without_a_clock_and_get_one(elapsed: Elapsed) -> None:
    clock = OrgClock(elapsed=elapsed)
    assert (clock.is_set, clock.now()) == (False, None)
    with pytest.raises(ArgumentError, match="no clock"):
        clock.change({"advance_seconds": 1})
    clock.change({"now": "2026-01-14"})
    assert (clock.is_set, clock.now()) == (True, START)
    clock.change({"now": None})
    assert clock.report() == {"now": None, "speed": 0.0}


def test_a_fast_clock_stops_before_dates_end(elapsed: Elapsed) -> None:
    clock = OrgClock(START, 1e7, elapsed=elapsed)
    elapsed.seconds += 1e6
    assert clock.now() == LAST


@pytest.mark.parametrize(
    "given",
    [
        {"now": "yesterday"}, {"now": 5}, {"now": "9999-12-31T23:59:59Z"}, {"now": "0001-01-01"},
        {"speed": -1}, {"speed": "fast"}, {"speed": float("nan")}, {"speed": 1e9}, {"speed": True},
        {"advance_seconds": None}, {"advance_seconds": 1e300}, {"advance_seconds": 1e12},
        {"time": "2026-01-14"}, {"now": "2026-01-15", "speed": None},
    ],
)  # fmt: skip
def test_a_refused_change_leaves_the_clock_as_it_was(given: dict[str, Any]) -> None:
    clock = OrgClock(START, 0)
    with pytest.raises(ArgumentError) as caught:
        clock.change(given)
    assert caught.value.action
    assert clock.report() == {"now": "2026-01-14T00:00:00Z", "speed": 0.0}


def test_an_instant_without_a_zone_is_utc() -> None:
    assert read_instant("--clock", "2026-01-14T00:00:00") == START
