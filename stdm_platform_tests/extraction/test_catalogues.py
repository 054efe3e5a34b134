"""Catalogues: read whole, once a day, final at once, and compared by their newest reading only."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from stdm_platform.catalog import DMOS, dmo
from stdm_platform.extraction import (
    DayOutcome,
    Span,
    Verified,
    count_rows,
    days_to_verify,
    extract_plan,
    look,
    plan_now,
    rows_without_clock,
    status_of,
    verify_days,
)
from stdm_platform.guard.findings import Figures
from stdm_platform.lake import Lake, Window, reading_that_counts
from stdm_platform.marts.digests import lake_digests, snapshot_digests
from stdm_platform_tests.extraction.fake_org import FakeOrg
from stdm_platform_tests.extraction.world import DAY, NEXT, NOW, extract, held, on

TAGS = dmo("tags")
LONG_AGO = datetime(2025, 6, 1, tzinfo=UTC)


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(tmp_path)


def org_with(*values: str | None) -> FakeOrg:
    org = FakeOrg()
    put(org, *values)
    return org


def put(org: FakeOrg, *values: str | None) -> None:
    rows = [
        {"tag_id": f"t{place}", "tag_value": value, "created_at": LONG_AGO if place else None}
        for place, value in enumerate(values)
    ]
    org.put(TAGS, rows)


def ticked(org: FakeOrg, lake: Lake, now: datetime) -> list[DayOutcome]:
    return extract_plan(org, lake, plan_now(lake, start=DAY, now=now, dmos=[TAGS]))


def windows(lake: Lake) -> list[Window]:
    return [file.window for file in lake.held("tags")]


def test_a_range_reads_it_once_under_its_newest_day_whatever_its_clock_says(lake: Lake) -> None:
    org = org_with("5", "4")
    (outcome,) = extract(org, lake, TAGS, days=[DAY, NEXT])
    assert (outcome.day, outcome.status, outcome.rows) == (NEXT, "published", 2)
    assert windows(lake) == [Window.of_day(NEXT)]
    assert [row["created_at"] for row in held(lake, TAGS)] == [None, LONG_AGO]
    (file,) = lake.held("tags")
    assert file.settled


def test_today_it_is_held_up_to_now_and_a_later_reading_replaces_the_whole(lake: Lake) -> None:
    org, noon = org_with("5"), on(DAY)
    extract(org, lake, TAGS, now=noon)
    put(org, "5", "4")
    extract(org, lake, TAGS, now=noon + timedelta(hours=1))
    assert windows(lake) == [Window(on(DAY, 0), noon + timedelta(hours=1))]
    assert len(held(lake, TAGS)) == 2


def test_each_reading_has_a_text_of_its_own(lake: Lake) -> None:
    org = org_with("5")
    extract(org, lake, TAGS)
    extract(org, lake, TAGS)
    texts = [sql for sql in org.sql if '"tag_value"' in sql]
    assert len(texts) == len(set(texts)) == 2
    assert not any("TIMESTAMPTZ" in sql for sql in texts)


def test_ticks_read_it_once_a_day_and_no_day_that_is_over(lake: Lake) -> None:
    org = org_with("5")
    assert [each.day for each in ticked(org, lake, on(NEXT))] == [NEXT]
    for hour in (13, 23.9, 24.1):
        assert ticked(org, lake, on(NEXT, hour)) == []
    assert [each.day for each in ticked(org, lake, on(NEXT, 25))] == [NEXT + timedelta(days=1)]
    assert ticked(org, lake, on(NEXT, 30)) == []


def test_a_reading_that_broke_its_contract_is_tried_again_a_day_later(lake: Lake) -> None:
    org = FakeOrg()
    org.put(TAGS, [{"tag_id": "same"}, {"tag_id": "same"}])
    assert [each.status for each in ticked(org, lake, on(DAY))] == ["refused"]
    assert ticked(org, lake, on(DAY, 20)) == []
    put(org, "5")
    assert [each.status for each in ticked(org, lake, on(NEXT, 13))] == ["published"]


def test_it_is_final_as_soon_as_it_is_held(lake: Lake) -> None:
    (before,) = status_of(lake, start=DAY, now=NOW, dmos=[TAGS])
    assert (before.frontier, before.settled_share) == (None, 0)
    ticked(org_with("5"), lake, on(NEXT))
    (status,) = status_of(lake, start=DAY, now=NOW, dmos=[TAGS])
    assert status.watermark == status.frontier == on(NEXT, 11.75)
    assert status.settled_share == 1


def test_verify_compares_the_newest_reading_and_says_what_was_added_since(lake: Lake) -> None:
    org = org_with("5")
    extract(org, lake, TAGS, days=[DAY], now=on(NEXT, 1))
    put(org, "5", "4")
    extract(org, lake, TAGS, days=[NEXT])
    wanted = days_to_verify(lake, [TAGS], Span(), Verified(lake.data_dir))
    assert [each.day for each in wanted] == [NEXT]
    (check,) = verify_days(org, lake, wanted, Verified(lake.data_dir))
    assert (check.differing, check.error) == ([], None)
    put(org, "5", "4", "3")
    wanted = days_to_verify(lake, [TAGS], Span(), Verified(lake.data_dir / "anew"))
    (check,) = verify_days(org, lake, wanted, Verified(lake.data_dir))
    assert [each.kind for each in check.differing] == ["more"]


def test_its_days_are_not_judged(lake: Lake) -> None:
    for back in range(9, -1, -1):
        extract(org_with("5"), lake, TAGS, days=[NEXT - timedelta(days=back)])
    extract(org_with(*"12345678"), lake, TAGS, days=[NEXT + timedelta(days=1)])
    figures = Figures(lake)
    for day in lake.days("tags"):
        assert (figures.judge(TAGS, day), figures.unripe(TAGS, day)) == ([], "")


def test_it_is_counted_whole_and_rows_without_a_clock_are_no_loss(lake: Lake) -> None:
    org = org_with("5", "4")
    shape = look(org, TAGS)
    assert shape is not None
    assert count_rows(org, shape, Window.of_day(DAY)) == 2
    assert rows_without_clock(org, [TAGS]) == {}


@pytest.mark.parametrize("without", [["created_at"], ["created_at", "tag_value"]])
def test_it_is_read_where_the_org_lacks_its_clock(lake: Lake, without: list[str]) -> None:
    org = FakeOrg()
    org.put(TAGS, [{"tag_id": "t"}], without=without)
    (outcome,) = extract(org, lake, TAGS)
    assert (outcome.status, outcome.rows) == ("published", 1)
    wanted = days_to_verify(lake, [TAGS], Span(), Verified(lake.data_dir))
    (check,) = verify_days(org, lake, wanted, Verified(lake.data_dir))
    assert (check.differing, check.error) == ([], None)


DAYS = [date(2026, 1, day) for day in (10, 14, 20)]


@pytest.mark.parametrize(
    ("day", "counts"), [(9, 14), (13, 20), (14, 20), (2, 10), (4, 10), (7, 14), (28, 20)]
)
def test_the_newest_reading_of_a_days_first_week_counts_for_it(day: int, counts: int) -> None:
    assert reading_that_counts(DAYS, date(2026, 1, day)) == date(2026, 1, counts)


def test_without_a_reading_none_counts_and_the_first_does_for_days_long_before() -> None:
    assert reading_that_counts([], DAY) is None
    assert reading_that_counts(DAYS, date(2025, 1, 1)) == DAYS[0]


def test_a_session_day_is_due_when_tags_change_and_not_when_they_are_read_again(
    lake: Lake,
) -> None:
    org = org_with("5")
    extract(org, lake, TAGS, days=[DAY])
    first = lake_digests(lake).of(DAY)
    extract(org, lake, TAGS, days=[NEXT])
    assert lake_digests(lake).of(DAY) == first
    put(org, "5", "4")
    extract(org, lake, TAGS, days=[NEXT])
    assert lake_digests(lake).of(DAY) != first
    long_before = DAY - timedelta(days=30)
    assert lake_digests(lake).of(long_before) == lake_digests(lake).of(long_before)


def test_a_snapshot_of_some_days_links_the_readings_that_count_for_them(lake: Lake) -> None:
    org = org_with("5")
    for day in (DAY, NEXT):
        extract(org, lake, TAGS, days=[day])
    with lake.temporary_snapshot(["tags", "sessions"], [DAY - timedelta(days=1)]) as snapshot:
        assert [file.day for file in snapshot.of("tags")] == [NEXT]
    early = DAY - timedelta(days=7)
    with lake.temporary_snapshot(["tags", "sessions"], [early]) as snapshot:
        assert [file.day for file in snapshot.of("tags")] == [DAY]
        assert snapshot_digests(snapshot).of(early) == lake_digests(lake).of(early)


def test_objects_that_an_org_lacks_are_looked_for_once_and_then_a_day_later(lake: Lake) -> None:
    org = FakeOrg()
    outcomes = extract(org, lake, *DMOS, days=[DAY, NEXT])
    assert {(each.status, each.error) for each in outcomes} == {("absent", None)}
    assert len(org.sql) == sum(len(each.objects) for each in DMOS)
    assert plan_now(lake, start=DAY, now=NOW + timedelta(hours=23), dmos=DMOS).due == ()
    assert plan_now(lake, start=DAY, now=NOW + timedelta(hours=25), dmos=DMOS).due != ()
