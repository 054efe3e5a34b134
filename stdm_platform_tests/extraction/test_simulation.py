"""Weeks of ticks without files: what they cost. With real files and faults: `simulation/`."""

from __future__ import annotations

from datetime import timedelta

from stdm_platform_tests.extraction.pure_world import (
    DAY,
    HOUR,
    MIDNIGHT,
    PureLake,
    PureOrg,
    lagging_rows,
    tick,
)
from stdm_platform_tests.session_objects import SESSION_DMOS

MOST = 6
"""Rows processed by the org over rows held, without faults (issue 3)."""


def run(org: PureOrg, days: int, *, every: timedelta = HOUR) -> PureLake:
    """Ticks until all is settled."""
    lake, now = PureLake(), MIDNIGHT + timedelta(minutes=20)
    while now < MIDNIGHT + (days + 8) * DAY:
        tick(org, lake, now, named(org))
        now += every
    return lake


def named(org: PureOrg) -> list:
    return [dmo for dmo in SESSION_DMOS if dmo.name in org.rows]


def ratios(org: PureOrg, lake: PureLake) -> dict[str, float]:
    return {name: org.processed[name] / len(lake.rows(name)) for name in org.rows}


def assert_is_the_source(org: PureOrg, lake: PureLake, days: int) -> None:
    for name, rows in org.rows.items():
        assert lake.rows(name) == {row.key: "new" for row in rows}, name
        within = [
            each.ground
            for each in lake.held[name]
            if each.ground.window.end <= MIDNIGHT + days * DAY
        ]
        assert [ground.settled for ground in within] == [True] * days, "one window a day"
    assert lake.settled_ground_read_again == 0


def test_thirty_days_of_hourly_ticks_cost_at_most_six_times_the_rows_held() -> None:
    org = lagging_rows(99, days=30, dmos=[SESSION_DMOS[0], SESSION_DMOS[-1]], a_day=30)
    lake = run(org, 30)
    assert_is_the_source(org, lake, 30)
    print("rows processed over rows held:", ratios(org, lake))
    assert max(ratios(org, lake).values()) <= MOST


def test_rows_that_land_at_once_cost_five_readings_and_no_more() -> None:
    org = lagging_rows(1, days=5, dmos=SESSION_DMOS[:1])
    for name, rows in org.rows.items():
        org.rows[name] = [type(row)(row.clock, row.key, row.clock, row.clock) for row in rows]
    lake = run(org, 5)
    assert ratios(org, lake) == {SESSION_DMOS[0].name: 5.0}


def test_ticks_every_ten_minutes_cost_no_more_rows_than_hourly_ones() -> None:
    org = lagging_rows(2, days=3, dmos=SESSION_DMOS[:1])
    lake = run(org, 3, every=timedelta(minutes=10))
    assert_is_the_source(org, lake, 3)
    assert ratios(org, lake)[SESSION_DMOS[0].name] <= 5


def test_an_org_that_bills_whole_objects_is_asked_with_larger_windows_less_often() -> None:
    org, lake = lagging_rows(3, days=5, dmos=SESSION_DMOS[:1]), PureLake()
    name = SESSION_DMOS[0].name
    org.surcharge = len(org.rows[name])
    lake = run(org, 5)
    assert_is_the_source(org, lake, 5)
    queries = org.processed[name] / org.surcharge
    assert queries < 13 * 12, "7 a day, some hours until it is known, not 97"
