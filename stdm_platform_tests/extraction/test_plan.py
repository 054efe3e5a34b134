from __future__ import annotations

from datetime import date, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stdm_platform.catalog import dmo
from stdm_platform.extraction.cost import Experience
from stdm_platform.extraction.due import HeldGround, RefusedGround
from stdm_platform.extraction.plan import Holdings, Plan, plan_of
from stdm_platform.lake import Window, is_settled
from stdm_platform_tests.extraction.pure_world import (
    DAY,
    FIRST,
    HOUR,
    MIDNIGHT,
    PureLake,
    PureOrg,
    tick,
)

SESSIONS = dmo("sessions")
MINUTE = timedelta(minutes=1)


def hours(first: float, last: float) -> Window:
    return Window(MIDNIGHT + first * HOUR, MIDNIGHT + last * HOUR)


def at(hour: float) -> datetime:
    return MIDNIGHT + hour * HOUR


def held(
    window: Window, read_at: datetime, rows: int = 100, billed: int | None = None
) -> HeldGround:
    settled = is_settled(window, read_at, SESSIONS.settle_time)
    return HeldGround(window, settled, read_at, rows, rows if billed is None else billed)


def planned(
    *ground: HeldGround,
    now: datetime,
    refused: tuple[RefusedGround, ...] = (),
    start: date = FIRST,
    **limits: int,
) -> Plan:
    by_day: dict[date, list[HeldGround]] = {}
    for each in ground:
        by_day.setdefault(each.window.day, []).append(each)
    refusals: dict[date, list[RefusedGround]] = {}
    for refusal in refused:
        refusals.setdefault(refusal.window.day, []).append(refusal)
    sample = [each for each in ground if not each.settled]
    return plan_of([Holdings(SESSIONS, by_day, refusals, sample)], start=start, now=now, **limits)


def said(plan: Plan) -> list[tuple[Window, str]]:
    return sorted((each.window, each.reason) for each in plan.due)


def test_nothing_held_makes_all_ground_from_the_start_date_new_cut_at_midnight() -> None:
    assert said(planned(now=at(26))) == [
        (hours(0, 24), "new"),
        (hours(24, 25.75), "new"),
    ]


def test_new_ground_is_never_nearer_to_now_than_the_shortest_lag() -> None:
    plan = planned(held(hours(0, 9), at(9.5)), now=at(9.75))
    assert said(plan) == [(Window(at(9), at(9.75) - SESSIONS.shortest_lag), "new")]


def test_new_ground_of_less_than_five_minutes_waits_unless_it_ends_its_day() -> None:
    assert said(planned(held(hours(0, 9), at(9.5)), now=at(9) + 19 * MINUTE)) == []
    ended = Window(at(0), at(24) - 2 * MINUTE)
    plan = planned(held(ended, at(24)), now=at(24) + 16 * MINUTE)
    assert said(plan) == [(Window(at(24) - 2 * MINUTE, at(24)), "new")]


@pytest.mark.parametrize(("mark", "name"), [(1, "1 h"), (24, "24 h"), (72, "72 h")])
def test_a_window_is_due_again_from_each_mark_on_until_it_is_read_after_it(
    mark: int, name: str
) -> None:
    window, now = hours(0, 24), at(24 + mark)
    before = held(window, now - MINUTE)
    assert (window, f"again +{name}") in said(planned(before, now=now))
    assert window not in [w for w, _ in said(planned(before, now=now - MINUTE))]
    assert window not in [w for w, _ in said(planned(held(window, now), now=now))]


def test_marks_that_were_missed_are_one_reading() -> None:
    plan = planned(held(hours(0, 24), at(24.5)), now=at(24 * 5))
    assert [reason for window, reason in said(plan) if window.day == FIRST] == ["again +72 h"]


def test_small_windows_of_an_hour_are_read_again_as_one_when_the_last_is_due() -> None:
    small = [Window(at(10) + n * 10 * MINUTE, at(10) + (n + 1) * 10 * MINUTE) for n in range(6)]
    ground = [held(hours(0, 10), at(40)), *(held(w, w.end + 20 * MINUTE) for w in small)]
    rest = held(hours(11, 24), at(40))
    assert hours(10, 11) not in [w for w, _ in said(planned(*ground, now=at(11.9)))]
    assert (hours(10, 11), "again +1 h") in said(planned(*ground, rest, now=at(12)))


def test_the_settle_pass_reads_the_windows_of_a_closed_day_as_one() -> None:
    ground = [held(hours(n, n + 1), at(24 * 4)) for n in range(24)]
    assert hours(0, 24) not in [w for w, _ in said(planned(*ground, now=at(24 * 8 - 0.1)))]
    assert (hours(0, 24), "settle") in said(planned(*ground, now=at(24 * 8)))


def test_a_window_that_is_settled_is_never_planned_and_parts_the_settle_pass() -> None:
    ground = [held(hours(0, 8), at(80)), held(hours(8, 9), at(24 * 9)), held(hours(9, 24), at(80))]
    first_day = [each for each in said(planned(*ground, now=at(24 * 9))) if each[0].day == FIRST]
    assert first_day == [(hours(0, 8), "settle"), (hours(9, 24), "settle")]


def test_a_hole_is_ground_before_the_frontier() -> None:
    ground = [held(hours(0, 3), at(9.9)), held(hours(5, 9.75), at(9.9))]
    assert said(planned(*ground, now=at(10))) == [(hours(3, 5), "hole")]


def test_ground_that_was_refused_is_asked_for_again_after_a_day_and_new_ground_goes_on() -> None:
    refused = RefusedGround(hours(9, 10), at(10.25))
    ground = held(hours(0, 9), at(10.25))
    assert said(planned(ground, now=at(11.25), refused=(refused,))) == [(hours(10, 11), "new")]
    later = held(hours(10, 24), at(34))
    plan = planned(ground, later, now=at(34.25), refused=(refused,))
    assert (hours(9, 10), "hole") in said(plan)


def test_a_window_whose_newer_reading_was_refused_waits_a_day_too() -> None:
    ground, refused = held(hours(0, 24), at(24.5)), RefusedGround(hours(0, 24), at(25))
    before, after = at(25.5), at(25) + DAY
    assert hours(0, 24) not in [w for w, _ in said(planned(ground, now=before, refused=(refused,)))]
    assert (hours(0, 24), "again +24 h") in said(planned(ground, now=after, refused=(refused,)))


def test_a_clock_that_moved_back_plans_nothing_of_windows_that_end_after_it() -> None:
    assert said(planned(held(hours(0, 12), at(12.5)), now=at(6))) == []


def test_what_a_clock_far_ahead_called_final_is_read_again_in_its_time() -> None:
    """A clock of a month later read day 1 and a day to come."""
    ahead = held(hours(0, 24), at(30 * 24)), held(hours(48, 72), at(30 * 24))
    due = said(planned(*ahead, now=at(26)))
    assert (hours(0, 24), "again +1 h") in due
    assert not [window for window, _ in due if window.end > at(26)]
    assert (hours(48, 72), "again +1 h") in said(planned(*ahead, now=at(74)))


def test_a_clock_that_moved_back_by_hours_reads_nothing_settled_again() -> None:
    settled = held(hours(0, 24), at(8 * 24))
    due = said(planned(settled, now=at(8 * 24 - 20)))
    assert hours(0, 24) not in [window for window, _ in due]


def test_an_object_that_the_org_lacks_is_not_planned() -> None:
    assert plan_of([Holdings(SESSIONS, absent=True)], start=FIRST, now=at(100)).due == ()


def test_a_window_costs_what_its_rows_and_the_surcharge_of_earlier_queries_say() -> None:
    ground = [held(hours(0, 1), at(1.3), rows=60), held(hours(1, 2), at(3.1), rows=40)]
    costs = {each.reason: each.rows_processed for each in planned(*ground, now=at(3.25)).due}
    assert costs == {"again +1 h": 60, "new": 50}


@pytest.mark.parametrize(
    ("bill", "is_dear"),
    [
        (lambda rows: rows, False),
        (lambda rows: 3 * rows, False),
        (lambda rows: rows + 2, False),
        (lambda rows: 40_000, True),
        (lambda rows: 40_000 - rows, True),
    ],
    ids=["rows", "a multiple", "a little more", "the object", "the object, which grows at night"],
)
def test_only_an_org_that_bills_for_each_query_is_dear(bill: object, is_dear: bool) -> None:
    for count in (1, 2, 9):
        ground = [
            held(hours(n, n + 1), at(n + 1.2), rows=50 + n, billed=bill(50 + n))  # type: ignore[operator]
            for n in range(count)
        ]
        assert Experience.of(ground).is_dear is is_dear, count


def test_without_experience_the_cost_is_unknown() -> None:
    assert [each.rows_processed for each in planned(now=at(3)).due] == [None]


def test_a_budget_stops_the_plan_and_says_how_much_waits_for_tomorrow() -> None:
    ground = [held(hours(n, n + 1), at(n + 1.2)) for n in range(12)]
    plan = planned(*ground, now=at(14), budget=1000, spent=700)
    assert sum(each.rows_processed or 0 for each in plan.due) <= 300
    assert plan.due[0].reason == "new"
    assert len(plan.due) + len(plan.waiting) == len(planned(*ground, now=at(14)).due)
    assert "STDM_DAILY_ROW_BUDGET=1,000" in plan.notes[0]
    assert "tomorrow" in plan.notes[0]


def test_a_window_dearer_than_the_budget_holds_nothing_back_and_is_told() -> None:
    ground = [held(hours(n, n + 1), at(n + 1.2), rows=10 if n else 5_000) for n in range(12)]
    plan = planned(*ground, now=at(14), budget=1000)
    assert [each.rows_processed for each in plan.due]
    assert {each.window for each in plan.waiting} == {hours(0, 1)}
    assert "1 of them cost more than a whole day's budget" in plan.notes[0]


def test_a_budget_without_experience_reads_one_window_to_learn_the_price() -> None:
    plan = planned(now=at(100), budget=1000)
    assert len(plan.due) == 1
    assert "not known yet" in plan.notes[0]


def test_a_used_up_budget_reads_nothing() -> None:
    assert planned(held(hours(0, 1), at(1.2)), now=at(9), budget=10, spent=10).due == ()


def test_a_dear_org_gets_larger_windows_and_the_plan_says_so() -> None:
    ground = [held(hours(n, n + 1), at(n + 1.2), billed=50_000) for n in range(6)]
    plan = planned(*ground, now=at(8))
    assert plan.due == ()
    assert "50,000" not in plan.notes[0]
    assert "49,900 rows" in plan.notes[0]
    assert said(planned(*ground, now=at(12.25))) == [(hours(6, 12), "new")]


@settings(max_examples=40, deadline=None)
@given(
    steps=st.lists(
        st.tuples(st.integers(1, 60 * 40), st.integers(0, 4) | st.none()), min_size=1, max_size=40
    ),
    start=st.integers(0, 3),
)
def test_whatever_the_ticks_no_window_is_partial_before_the_start_or_settled_and_all_settles(
    steps: list[tuple[int, int | None]], start: int
) -> None:
    org, lake = PureOrg({"sessions": []}), PureLake()
    first, now = FIRST + start * DAY, MIDNIGHT + start * DAY
    for minutes, killed_after in steps:
        now += minutes * MINUTE
        plan = tick(org, lake, now, [SESSIONS], killed_after=killed_after, start=first)
        windows = sorted(each.window for each in plan.due)
        assert all(w.day >= first and w.end <= now - SESSIONS.shortest_lag for w in windows)
        assert not any(a.overlaps(b) for a, b in pairwise(windows))
        assert tick(org, lake, now, [SESSIONS], start=first).due == () or killed_after is not None
    tick(org, lake, now + 9 * DAY, [SESSIONS], start=first)
    assert lake.settled_ground_read_again == 0
    assert all(
        each.ground.settled for each in lake.held["sessions"] if each.ground.window.end <= now
    )
