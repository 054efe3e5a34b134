"""What is due: derived from files alone."""

from __future__ import annotations

from datetime import timedelta

import pytest

from stdm_platform.lake import Lake
from stdm_platform.marts import (
    MartStore,
    digests,
    session_days_after,
    session_days_due,
    touched_session_days,
)
from stdm_platform_tests.marts.lakes import DAY, NEXT, READ_AT, at, hold
from stdm_platform_tests.marts.standins import publish_quickly

AFTER = NEXT + timedelta(days=1)
SESSIONS = {
    day: [{"session_id": f"{day}", "started_at": at("10:00", day)}] for day in (DAY, NEXT, AFTER)
}
TURN = {"interaction_id": "i", "session_id": f"{NEXT}", "started_at": at("11:00", NEXT)}


@pytest.fixture
def built(lake: Lake, store: MartStore, monkeypatch: pytest.MonkeyPatch) -> Lake:
    """Three session days, all built."""
    names = ["session_summary", "topic_summary"]
    for module in (digests, __import__("stdm_platform.marts.preparation", fromlist=["x"])):
        monkeypatch.setattr(module, "mart_names", lambda: names)
    for day in (DAY, NEXT, AFTER):
        hold(lake, "sessions", SESSIONS[day], day=day)
        hold(lake, "interactions", [], day=day)
    assert session_days_due(lake, store) == [DAY, NEXT, AFTER]
    publish_quickly(lake, store, [DAY, NEXT, AFTER])
    return lake


def test_nothing_is_due_after_a_build_and_after_an_equal_reading(
    built: Lake, store: MartStore
) -> None:
    assert session_days_due(built, store) == []
    later = READ_AT + timedelta(hours=1)
    hold(built, "sessions", SESSIONS[NEXT], day=NEXT, read_at=later)
    assert session_days_due(built, store) == []


def test_changed_children_make_their_day_and_the_day_before_due(
    built: Lake, store: MartStore
) -> None:
    hold(built, "messages", [], day=NEXT)
    assert session_days_due(built, store) == [DAY, NEXT]


def test_changed_children_that_are_parents_make_the_day_after_due_too(
    built: Lake, store: MartStore
) -> None:
    hold(built, "interactions", [TURN], day=NEXT)
    assert session_days_due(built, store) == [DAY, NEXT, AFTER]


def test_changed_sessions_make_their_own_day_and_the_day_after_due(
    built: Lake, store: MartStore
) -> None:
    hold(built, "sessions", [], day=NEXT)
    assert session_days_due(built, store) == [NEXT, AFTER]


def test_a_settled_reading_and_an_absent_column_make_a_day_due(
    built: Lake, store: MartStore
) -> None:
    hold(built, "sessions", SESSIONS[DAY], day=DAY, settled=True)
    assert session_days_due(built, store) == [DAY, NEXT]
    publish_quickly(built, store, [DAY, NEXT])
    hold(built, "sessions", SESSIONS[AFTER], day=AFTER, absent=["ssot__VariableText__c"])
    assert session_days_due(built, store) == [AFTER]


def test_changed_models_make_every_day_due(
    built: Lake, store: MartStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(digests, "models_digest", lambda: "other")
    assert session_days_due(built, store) == [DAY, NEXT, AFTER]


def test_a_day_that_one_mart_lacks_is_due(
    built: Lake, store: MartStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(digests, "mart_names", lambda: ["session_summary", "newer_mart"])
    assert session_days_due(built, store) == [DAY, NEXT, AFTER]


def test_lake_days_touch_their_own_and_both_neighbours_unless_refused(built: Lake) -> None:
    assert touched_session_days(built, [NEXT]) == [DAY, NEXT, AFTER]
    assert touched_session_days(built, [AFTER + timedelta(days=1)]) == [AFTER]
    assert touched_session_days(built, [DAY, NEXT], blocked=[NEXT]) == [DAY, AFTER]
    assert touched_session_days(built, [DAY - timedelta(days=9)]) == []


def test_a_day_that_was_read_is_built_and_its_neighbours_only_if_they_changed(
    built: Lake, store: MartStore
) -> None:
    assert session_days_after(built, store, [NEXT]) == [NEXT]
    hold(built, "messages", [], day=NEXT)
    assert session_days_after(built, store, [NEXT]) == [DAY, NEXT]
    assert session_days_after(built, store, [NEXT], blocked=[NEXT]) == [DAY]


def test_a_key_under_two_days_is_built_on_both(built: Lake, store: MartStore) -> None:
    moved = [*SESSIONS[AFTER], {"session_id": f"{DAY}", "started_at": at("09:00", AFTER)}]
    hold(built, "sessions", moved, day=AFTER)
    assert session_days_due(built, store) == [AFTER]
    assert publish_quickly(built, store, [AFTER]).built_days == (DAY, AFTER)


def test_a_key_that_left_a_day_is_built_where_it_still_is(built: Lake, store: MartStore) -> None:
    both = [*SESSIONS[AFTER], {"session_id": f"{DAY}", "started_at": at("09:00", AFTER)}]
    hold(built, "sessions", both, day=AFTER)
    publish_quickly(built, store, [AFTER])
    hold(built, "sessions", SESSIONS[AFTER], day=AFTER)
    assert publish_quickly(built, store, [AFTER]).built_days == (DAY, AFTER)
