from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone

import pytest

from stdm_platform.errors import ArgumentError
from stdm_platform.extraction import hull, windows_for_range, windows_of_days
from stdm_platform.lake import Window

NOW = datetime(2026, 1, 20, 15, 30, 0, 123_456, tzinfo=UTC)
CUT = NOW.replace(microsecond=123_000)


def at(day: int, hour: int = 0) -> datetime:
    return datetime(2026, 1, day, hour, tzinfo=UTC)


def test_a_range_of_dates_leaves_out_its_end() -> None:
    windows = windows_for_range("2026-01-13", "2026-01-15", None, NOW)
    assert windows == [Window.of_day(date(2026, 1, 13)), Window.of_day(date(2026, 1, 14))]


def test_instants_begin_and_end_within_days() -> None:
    windows = windows_for_range("2026-01-13T18:00:00Z", "2026-01-15T06:00:00+02:00", None, NOW)
    assert windows == [
        Window(at(13, 18), at(14)),
        Window(at(14), at(15)),
        Window(at(15), at(15, 4)),
    ]


def test_an_instant_without_zone_is_utc() -> None:
    assert windows_for_range("2026-01-13T18:00", "2026-01-13T19:00", None, NOW) == [
        Window(at(13, 18), at(13, 19))
    ]


def test_an_end_after_now_is_cut_with_a_note() -> None:
    notes: list[str] = []
    windows = windows_for_range("2026-01-20", "2026-01-25", None, NOW, note=notes.append)
    assert windows == [Window(at(20), CUT)]
    assert "cut to now, 2026-01-20T15:30:00Z" in notes[0]


def test_a_range_after_now_is_empty() -> None:
    assert windows_for_range("2026-02-01", "2026-02-02", None, NOW) == []
    assert windows_for_range("2026-02-01", None, None, NOW) == []


def test_a_range_without_length_is_empty() -> None:
    assert windows_for_range("2026-01-14", "2026-01-14", None, NOW) == []


def test_a_reversed_range_is_a_bad_argument() -> None:
    with pytest.raises(ArgumentError, match="ends before it begins") as raised:
        windows_for_range("2026-01-15", "2026-01-14", None, NOW)
    assert raised.value.exit_code == 4


def test_days_are_the_last_ones_with_today() -> None:
    notes: list[str] = []
    windows = windows_for_range(None, None, 3, NOW, note=notes.append)
    assert [window.day.day for window in windows] == [18, 19, 20]
    assert windows[-1].end == CUT
    assert notes == []


def test_without_flags_the_days_since_the_first_day_to_hold_are_meant() -> None:
    assert [window.day.day for window in windows_for_range(None, None, None, NOW)] == [
        13, 14, 15, 16, 17, 18, 19, 20,
    ]  # fmt: skip
    held = windows_for_range(None, None, None, NOW, start_date=date(2026, 1, 19))
    assert [window.day.day for window in held] == [19, 20]


def test_just_after_midnight_today_has_no_window_yet() -> None:
    assert windows_for_range(None, None, 1, at(20)) == []


@pytest.mark.parametrize("days", [0, -1, 10**9])
def test_a_number_of_days_that_is_none_is_refused(days: int) -> None:
    with pytest.raises(ArgumentError, match="--days"):
        windows_for_range(None, None, days, NOW)


@pytest.mark.parametrize("flag", ["since", "until"])
def test_days_exclude_the_other_flags(flag: str) -> None:
    said = {"since": None, "until": None, flag: "2026-01-14"}
    with pytest.raises(ArgumentError, match="--days"):
        windows_for_range(said["since"], said["until"], 3, NOW)


@pytest.mark.parametrize("said", ["yesterday", "", "2026-13-01", "14.01.2026", "2026-01-14T25:00Z"])
def test_what_is_no_date_is_told_with_an_example(said: str) -> None:
    with pytest.raises(ArgumentError, match="2026-01-14T06:30:00Z"):
        windows_for_range(said, None, None, NOW)


def test_now_of_another_zone_is_the_same_now() -> None:
    there = NOW.astimezone(timezone(timedelta(hours=-8)))
    assert windows_for_range(None, None, 2, there) == windows_for_range(None, None, 2, NOW)


def test_windows_of_days_end_now_and_leave_out_days_to_come() -> None:
    days = [date(2026, 1, 20), date(2026, 1, 18), date(2026, 1, 22), date(2026, 1, 18)]
    assert windows_of_days(days, NOW) == [Window(at(18), at(19)), Window(at(20), CUT)]


HELD = [Window(at(14), at(14, 6)), Window(at(14, 6), at(14, 12)), Window(at(14, 18), at(15))]


@pytest.mark.parametrize(
    ("asked", "whole"),
    [
        ((13, 15), (13, 15)),
        ((5, 13), (0, 13)),
        ((5, 6), (0, 6)),
        ((6, 7), (6, 12)),
        ((11, 19), (6, 24)),
        ((0, 24), (0, 24)),
    ],
)
def test_held_windows_are_read_again_whole(asked: tuple[int, int], whole: tuple[int, int]) -> None:
    start, end = (at(14) + timedelta(hours=hour) for hour in asked)
    found = hull(Window(start, end), HELD, NOW)
    assert found == Window(*(at(14) + timedelta(hours=hour) for hour in whole))


def test_a_held_window_that_ends_after_now_is_refused_clearly() -> None:
    with pytest.raises(ArgumentError, match=r"has to be read whole.*--now"):
        hull(Window(at(14, 18), at(14, 19)), HELD, at(14, 20))
