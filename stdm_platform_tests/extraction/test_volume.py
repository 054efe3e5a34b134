from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise

import pytest

from stdm_platform.extraction.due import HeldGround
from stdm_platform.extraction.volume import (
    LARGEST_WINDOW,
    MOST_ROWS,
    ROWS_PER_WINDOW,
    Size,
    Volume,
    like_days,
    parts_of,
)
from stdm_platform.lake import Window

DAY = date(2026, 1, 14)
BEFORE, SAME_WEEKDAY = DAY - timedelta(days=1), DAY - timedelta(days=7)
WHOLE = Window.of_day(DAY)


def window(day: date, start: float, end: float) -> Window:
    midnight = datetime.combine(day, time(), UTC)
    return Window(midnight + timedelta(hours=start), midnight + timedelta(hours=end))


def held(day: date, start: float, end: float, rows: int | None) -> HeldGround:
    return HeldGround(window(day, start, end), True, None, rows)


def cover(windows: list[Window], whole: Window) -> bool:
    """Whether they cover it exactly: half-open, in order, none twice."""
    is_joined = all(before.end == after.start for before, after in pairwise(windows))
    return is_joined and (windows[0].start, windows[-1].end) == (whole.start, whole.end)


def test_a_day_of_no_more_rows_than_a_window_may_hold_is_one_window() -> None:
    assert Volume.of([held(BEFORE, 0, 24, MOST_ROWS)]).cut(WHOLE, Size()) == [WHOLE]
    assert len(Volume.of([held(BEFORE, 0, 24, MOST_ROWS + 1)]).cut(WHOLE, Size())) == 3


def test_a_day_of_which_nothing_is_known_is_one_window() -> None:
    assert Volume.of([]).cut(WHOLE, Size()) == [WHOLE]
    assert Volume.of([held(BEFORE, 0, 24, None)]).cut(WHOLE, Size()) == [WHOLE]


def test_a_day_of_ten_million_rows_is_twenty_windows_that_cover_it() -> None:
    windows = Volume.of([held(BEFORE, 0, 24, 10_000_000)]).cut(WHOLE, Size())
    assert len(windows) == 20
    assert cover(windows, WHOLE)


def shapes() -> Iterator[list[HeldGround]]:
    yield [held(BEFORE, 0, 8, 100_000), held(BEFORE, 8, 9, 4_000_000), held(BEFORE, 9, 24, 900_000)]
    yield [held(BEFORE, hour, hour + 1, 100_000 * (hour % 7) ** 2) for hour in range(24)]
    yield [held(BEFORE, 0, 23.999, 10), held(BEFORE, 23.999, 24, 3_000_000)]
    yield [held(BEFORE, 0, 12, 5_000_000)]
    yield [held(SAME_WEEKDAY, 0, 24, 9_000_000), held(BEFORE, 0, 24, 10)]


@pytest.mark.parametrize("known", list(shapes()))
@pytest.mark.parametrize("asked", [WHOLE, window(DAY, 3.51234, 17.2), window(DAY, 8, 8.9)])
def test_windows_cover_what_is_asked_and_each_is_expected_to_hold_few_enough_rows(
    known: list[HeldGround], asked: Window
) -> None:
    volume = Volume.of(known)
    windows = volume.cut(asked, Size())
    assert cover(windows, asked)
    expected = [volume.expected(each) or 0.0 for each in windows]
    assert max(expected) <= MOST_ROWS
    if len(windows) > 1:
        assert len(windows) <= 1.1 * sum(expected) / ROWS_PER_WINDOW + 2


def test_held_windows_are_never_cut_and_few_large_ones_are_made_of_them() -> None:
    ground = [held(DAY, hour, hour + 1, 200_000) for hour in range(24)]
    windows = Volume.of(ground).cut(WHOLE, Size())
    assert len(windows) == 12
    assert cover(windows, WHOLE)
    assert {each.start for each in windows} <= {each.window.start for each in ground}
    large = [held(DAY, 0, 6, 5_000_000), held(DAY, 6, 24, 100)]
    assert Volume.of(large).cut(WHOLE, Size()) == [each.window for each in large]


def test_what_is_held_of_the_day_itself_counts_before_other_days() -> None:
    known = [held(DAY, 0, 24, 10), held(BEFORE, 0, 24, 9_000_000)]
    assert Volume.of(known).expected(WHOLE) == 10


def test_the_nearest_day_and_the_nearest_of_the_same_weekday_are_alike() -> None:
    days = [DAY + timedelta(days=shift) for shift in (-14, -7, -3, 2, 7)]
    assert like_days(days, DAY) == [days[3], days[1]]
    assert like_days([*days, DAY], DAY) == [days[3], days[1], DAY]
    assert like_days([], DAY) == []


def test_where_queries_are_dear_windows_are_as_large_as_what_a_query_costs() -> None:
    assert Size.at_price(0) == Size()
    assert Size.at_price(3_000_000) == Size(3_000_000, 3_000_000)
    assert Size.at_price(10**9).target == LARGEST_WINDOW


def test_a_window_of_too_many_rows_is_cut_down_to_a_second() -> None:
    found = [WHOLE]
    while len(parts := parts_of(found[0])) > 1:
        assert cover(parts, found[0])
        found = parts
    assert found[0].end - found[0].start == timedelta(seconds=1)


def test_parts_keep_held_windows_whole() -> None:
    assert parts_of(WHOLE, [WHOLE]) == [WHOLE]
    parts = parts_of(WHOLE, [window(DAY, 2.5, 7.25), window(DAY, 7.25, 8)])
    assert cover(parts, WHOLE)
    assert {window(DAY, 2.5, 7.25), window(DAY, 7.25, 8)} <= set(parts)
