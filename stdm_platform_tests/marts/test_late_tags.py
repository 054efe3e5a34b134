"""Tags are written up to a week after the conversation: they reach its day once all of the week was read."""

from __future__ import annotations

from datetime import date, timedelta

import duckdb
import pytest

from stdm_platform.lake import Lake, late_days
from stdm_platform.marts import MartStore, build_marts, session_days_after
from stdm_platform.marts.digests import lake_digests, snapshot_digests
from stdm_platform.settings import Settings
from stdm_platform_tests.marts.lakes import DAY, READ_AT, at, hold

WEEK = 7


def later(days: int) -> date:
    return DAY + timedelta(days=days)


def tag(key: str, session: str, day: date) -> dict[str, object]:
    return {
        "tag_association_id": key, "session_id": session, "tag_id": "t", "created_at": at("12:00", day)
    }  # fmt: skip


@pytest.fixture
def tagged(lake: Lake) -> Lake:
    """A session whose second tag is written five days later, and a week that is not over."""
    hold(lake, "sessions", [{"session_id": "s", "started_at": at("10:00")}])
    hold(lake, "tag_associations", [tag("soon", "s", DAY)])
    hold(lake, "tag_associations", [tag("late", "s", later(5))], day=later(5))
    hold(lake, "tag_associations", day=later(WEEK))
    return lake


def digest(lake: Lake) -> str:
    found = lake_digests(lake).of(DAY)
    with lake.temporary_snapshot(["sessions", "tag_associations"], [DAY]) as snapshot:
        assert snapshot_digests(snapshot).of(DAY) == found
    return found


def test_late_days_count_once_a_day_after_all_of_them_is_held() -> None:
    held = [later(number) for number in (0, 1, 2, 5, 7)]
    assert late_days(held, DAY, WEEK) == []
    assert late_days([*held, later(8)], DAY, WEEK) == [later(2), later(5), later(7)]
    assert late_days([*held, later(8)], DAY, 1) == []
    assert late_days([], DAY, WEEK) == []


def test_a_day_is_due_once_more_for_late_tags_and_not_when_they_are_read_again(
    tagged: Lake,
) -> None:
    first = digest(tagged)
    hold(tagged, "tag_associations", [tag("late", "s", later(4))], day=later(4))
    assert digest(tagged) == first
    hold(tagged, "tag_associations", day=later(WEEK + 1))
    whole = digest(tagged)
    assert whole != first
    again = READ_AT + timedelta(days=1)
    hold(tagged, "tag_associations", day=later(WEEK), read_at=again, settled=True)
    assert digest(tagged) == whole
    hold(tagged, "tag_associations", [tag("more", "s", later(6))], day=later(6))
    assert digest(tagged) != whole


@pytest.mark.usefixtures("quick_dbt")
def test_a_late_tag_reaches_its_session_and_none_whose_week_is_not_over(
    tagged: Lake, store: MartStore, settings: Settings
) -> None:
    hold(
        tagged, "sessions", [{"session_id": "u", "started_at": at("10:00", later(2))}], day=later(2)
    )
    hold(tagged, "tag_associations", [tag("of u", "u", later(WEEK))], day=later(WEEK))
    build_marts(tagged, store, [DAY, later(2)], settings)
    assert tags_in(store) == {("s", "soon")}
    assert session_days_after(tagged, store, [later(WEEK + 1)]) == []
    hold(tagged, "tag_associations", day=later(WEEK + 1))
    assert session_days_after(tagged, store, [later(WEEK + 1)]) == [DAY]
    build_marts(tagged, store, [DAY, later(2)], settings)
    assert tags_in(store) == {("s", "soon"), ("s", "late")}


def tags_in(store: MartStore) -> set[tuple[str, str]]:
    with duckdb.connect(str(store.warehouse_path), read_only=True) as warehouse:
        found = warehouse.execute("select session_id, tag_association_id from int_session_tags")
        return set(found.fetchall())
