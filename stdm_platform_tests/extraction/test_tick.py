"""Ticks through the real lake, with an org in memory."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from stdm_platform.catalog import dmo
from stdm_platform.errors import UnavailableError
from stdm_platform.extraction import (
    DayOutcome,
    Plan,
    extract_plan,
    extract_range,
    first_day,
    plan_now,
    request_of,
    status_of,
    windows_of_days,
)
from stdm_platform.lake import Lake, Window
from stdm_platform.settings import Settings
from stdm_platform_tests.extraction.fake_org import FakeOrg, FakeResult
from stdm_platform_tests.extraction.world import DAY, MOMENTS, SESSIONS, asked_days, held, on
from stdm_platform_tests.guard.batches import rows

HOUR = timedelta(hours=1)
START = datetime(DAY.year, DAY.month, DAY.day, tzinfo=UTC)


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(tmp_path)


def row(key: int, hour: float, **changes: Any) -> dict[str, Any]:
    return {**rows(SESSIONS, 1, first=key)[0], "started_at": on(DAY, hour), **changes}


def holding(*held_rows: dict[str, Any]) -> FakeOrg:
    org = FakeOrg()
    org.put(SESSIONS, held_rows)
    return org


def planned(lake: Lake, now: datetime, **limits: Any) -> Plan:
    limits = {"start": DAY, "dmos": [SESSIONS], **limits}
    return plan_now(lake, now=now, **limits)


def ticked(org: FakeOrg, lake: Lake, hour: float) -> list[DayOutcome]:
    return extract_plan(org, lake, planned(lake, START + hour * HOUR))


def windows(lake: Lake, day: date = DAY) -> list[tuple[float, float, int]]:
    """Hours since the first midnight, and how often the ground was read."""
    return [
        ((file.window.start - START) / HOUR, (file.window.end - START) / HOUR, file.reading)
        for file in lake.windows("sessions", day)
    ]


def test_late_and_rewritten_rows_are_in_the_lake_after_the_settle_pass(lake: Lake) -> None:
    early, late = row(1, 1, end_type="NOT_SET"), row(2, 2)
    org = holding(early)
    for hour in (3.25, 4.25, 5.25):
        ticked(org, lake, hour)
    org.put(SESSIONS, [{**early, "end_type": "USER_ENDED"}, late])
    for hour in (*range(12, 48, 6), 24 * 8 - 1):
        ticked(org, lake, hour)
    assert len(windows(lake)) > 1
    ticked(org, lake, 24 * 8)
    assert windows(lake)[0][:2] == (0, 24)
    assert [each["end_type"] for each in held(lake)] == ["USER_ENDED", late["end_type"]]
    (file,) = lake.windows("sessions", DAY)
    assert file.settled
    asked = asked_days(org)
    assert planned(lake, START + 24 * 8 * HOUR).due == ()
    assert extract_plan(org, lake, planned(lake, START + 24 * 8 * HOUR)) == []
    assert asked_days(org) == asked


def test_two_ticks_planned_at_once_read_each_window_once(lake: Lake) -> None:
    org = holding(row(1, 1))
    now = START + 30 * HOUR
    plans = [planned(lake, now), planned(lake, now)]
    threads = [
        threading.Thread(target=extract_plan, args=(org, Lake(lake.data_dir), plan))
        for plan in plans
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert asked_days(org) == 2, "one window of each of two days"
    assert {reading for *_, reading in windows(lake)} == {1}


def test_a_tick_that_was_planned_before_another_run_read_the_day_keeps_it(lake: Lake) -> None:
    org = holding(row(1, 1))
    now = START + 24 * HOUR
    plan = planned(lake, now)
    extract_range(org, lake, [SESSIONS], windows_of_days([DAY], now), now=now)
    (outcome,) = extract_plan(org, lake, plan)
    assert (outcome.status, outcome.rows) == ("kept", 1)
    assert asked_days(org) == 1


def test_a_refused_window_is_asked_for_again_a_day_later_and_stands_until_then(
    lake: Lake,
) -> None:
    broken = row(1, 1, session_id=None)
    org = holding(broken)
    assert [outcome.status for outcome in ticked(org, lake, 3)] == ["refused"]
    asked = asked_days(org)
    assert [each.window.start for each in planned(lake, START + 4 * HOUR).due] == [
        START + 3 * HOUR - SESSIONS.shortest_lag
    ]
    ticked(org, lake, 4)
    assert asked_days(org) == asked + 1
    (found,) = status_of(lake, start=DAY, now=START + 4 * HOUR, dmos=[SESSIONS])
    assert found.refused_days == (DAY,)
    assert found.watermark == START
    org.put(SESSIONS, [row(1, 1)])
    assert {outcome.status for outcome in ticked(org, lake, 27.5)} == {"published"}
    assert len(held(lake)) == 1


def test_what_an_org_lacks_is_looked_for_once_a_day(lake: Lake) -> None:
    org = FakeOrg()
    now = START + 9 * HOUR
    plan = planned(lake, now, dmos=[MOMENTS])
    assert [each.status for each in extract_plan(org, lake, plan)] == ["absent"]
    assert planned(lake, now + HOUR, dmos=[MOMENTS]).due == ()
    assert planned(lake, now + 24 * HOUR, dmos=[MOMENTS]).due != ()
    org.put(MOMENTS, [])
    extract_plan(org, lake, planned(lake, now + 24 * HOUR, dmos=[MOMENTS]))
    assert planned(lake, now + 26 * HOUR, dmos=[MOMENTS]).due != ()


def test_a_tick_that_failed_leaves_the_same_due(lake: Lake) -> None:
    org = holding(row(1, 1))

    def fail(sql: str) -> FakeResult | None:
        if "CAST(?" in sql:
            raise UnavailableError("gone")
        return None

    org.before = fail
    due = planned(lake, START + 3 * HOUR).due
    assert [outcome.status for outcome in ticked(org, lake, 3)] == ["failed"]
    assert planned(lake, START + 3 * HOUR).due == due


def test_what_was_spent_today_is_told_by_the_footers_the_refused_ones_too(lake: Lake) -> None:
    ticked(holding(row(1, 1), row(2, 2)), lake, 3)
    ticked(holding(row(1, 1), row(2, 2), row(3, 3, session_id=None)), lake, 5)
    plan = planned(lake, START + 9 * HOUR, budget=1)
    # 2 rows, then those 2 again and one refused; the org in memory bills each twice
    assert "about 10 rows were processed today" in " ".join(plan.notes)
    assert plan.due == ()
    assert planned(lake, START + 24.3 * HOUR, budget=100).due != ()


def test_the_cost_so_far_counts_every_reading(lake: Lake) -> None:
    org = holding(row(1, 1))
    for hour in (3.25, 4.25, 5.25):
        ticked(org, lake, hour)
    (found,) = status_of(lake, start=DAY, now=START + 6 * HOUR, dmos=[SESSIONS])
    assert found.frontier == START + 5 * HOUR
    assert found.watermark == START
    assert found.settled_share == 0
    assert found.age == HOUR
    assert (found.rows, found.readings) == (1, asked_days(org))
    assert found.rows_processed == 4, "the row was read twice, and each is billed as two"


def test_the_settled_share_is_of_the_time_since_the_start(lake: Lake) -> None:
    org = holding()
    now = START + 10 * 24 * HOUR
    extract_range(org, lake, [SESSIONS], [Window.of_day(DAY)], now=now)
    (found,) = status_of(lake, start=DAY, now=now, dmos=[SESSIONS])
    assert found.settled_share == pytest.approx(0.1)
    assert found.watermark == START + 24 * HOUR


def test_a_request_is_priced_by_what_is_held(lake: Lake) -> None:
    org = holding(*(row(key, 1) for key in range(10)))
    ticked(org, lake, 12.25)
    plan = request_of(lake, [SESSIONS], [Window(START, START + HOUR)], now=START + 13 * HOUR)
    (due,) = plan.due
    assert due.window == Window(START, START + 12 * HOUR), "held windows are read whole"
    assert due.rows_processed == 20


@pytest.mark.parametrize(
    ("held_back", "first"),
    [((), 7), ((0, 1), 7), (tuple(range(12)), 11), ((1, 30), 7)],
    ids=["nothing held", "a few days", "a stretch without gap", "an island long ago"],
)
def test_the_first_day_is_a_week_ago_or_where_the_days_held_without_gap_begin(
    lake: Lake, held_back: Sequence[int], first: int
) -> None:
    now = START + 40 * 24 * HOUR
    days = [now.date() - timedelta(days=back) for back in held_back]
    if days:
        extract_range(holding(), lake, [SESSIONS], windows_of_days(days, now), now=now)
    assert first_day(lake, Settings(), now) == now.date() - timedelta(days=first)


def test_the_first_day_stays_once_it_is_stored(lake: Lake) -> None:
    stored = first_day(lake, Settings(), START, keep=True)
    assert first_day(lake, Settings(), START + 50 * 24 * HOUR, keep=True) == stored
    chosen = Settings(start_date=date(2026, 1, 1))
    assert first_day(lake, chosen, START) == date(2026, 1, 1)


def test_every_dmo_waits_for_its_shortest_lag(lake: Lake) -> None:
    both = [SESSIONS, dmo("moments")]
    now = START + 12 * HOUR
    ends = {each.dmo: each.window.end for each in planned(lake, now, dmos=both).due}
    assert ends == {each.name: now - each.shortest_lag for each in both}
