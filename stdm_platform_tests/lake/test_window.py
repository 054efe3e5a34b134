from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stdm_platform.errors import ArgumentError
from stdm_platform.lake import Window, cut_to_millisecond, frontier, holes, is_settled, watermark
from stdm_platform.lake.evidence import Evidence
from stdm_platform.lake.names import day_folder, new_name, parse, parse_day
from stdm_platform_tests.lake.days import DAY, hours, reading

NOON = datetime(2026, 1, 14, 12, tzinfo=UTC)


@dataclass(frozen=True)
class Held:
    window: Window
    settled: bool = True


def test_a_window_of_a_day_is_half_open_and_knows_its_day() -> None:
    window = Window.of_day(DAY)
    assert (window.day, window.end.date()) == (DAY, date(2026, 1, 15))
    assert not window.overlaps(Window.of_day(date(2026, 1, 15)))
    assert window.overlaps(hours(23, 24))


@pytest.mark.parametrize(
    ("start", "end", "word"),
    [
        (NOON, NOON + timedelta(hours=13), "midnight"),
        (NOON, NOON, "empty"),
        (NOON, NOON - timedelta(hours=1), "empty"),
        (NOON.replace(tzinfo=None), NOON, "UTC"),
        (NOON, NOON.astimezone(timezone(timedelta(hours=2))) + timedelta(hours=1), "UTC"),
        (NOON, NOON + timedelta(microseconds=1500), "millisecond"),
    ],
)
def test_a_window_that_is_none_is_refused(start: datetime, end: datetime, word: str) -> None:
    with pytest.raises(ArgumentError, match=word):
        Window(start, end)


def test_an_instant_is_cut_to_its_millisecond() -> None:
    assert cut_to_millisecond(NOON.replace(microsecond=1999)) == NOON.replace(microsecond=1000)


def test_a_reading_settles_a_window_only_after_the_settle_time() -> None:
    window, week = Window.of_day(DAY), timedelta(days=7)
    assert is_settled(window, window.end + week, week)
    assert not is_settled(window, window.end + week - timedelta(milliseconds=1), week)


def test_the_frontier_is_the_end_of_the_newest_window() -> None:
    assert frontier([]) is None
    assert frontier([Held(hours(6, 12)), Held(hours(0, 6))]) == NOON


def test_holes_are_the_ground_not_held_split_by_days() -> None:
    day, next_day = Window.of_day(DAY), Window.of_day(date(2026, 1, 15))
    held = [Held(hours(6, 12)), Held(hours(0, 3))]
    assert holes(held, day.start, next_day.end) == [hours(3, 6), hours(12, 24), next_day]
    assert holes([], day.start, day.start) == []
    assert holes(held, hours(7, 8).start, hours(9, 10).end) == []


def test_the_watermark_is_the_oldest_missing_or_unsettled_ground() -> None:
    start = Window.of_day(DAY).start
    assert watermark([], start) == start
    assert watermark([Held(hours(0, 6)), Held(hours(6, 12))], start) == NOON
    assert watermark([Held(hours(6, 12)), Held(hours(0, 6), settled=False)], start) == start
    assert watermark([Held(hours(0, 3)), Held(hours(6, 12))], start) == hours(3, 6).start
    assert watermark([Held(hours(0, 6))], hours(6, 12).start) == hours(6, 12).start


@given(st.lists(st.integers(0, 23), unique=True, max_size=24), st.integers(0, 23))
def test_held_ground_and_holes_make_the_whole(kept: list[int], first: int) -> None:
    held = [Held(hours(hour, hour + 1)) for hour in kept]
    start, end = hours(first, 24).start, Window.of_day(DAY).end
    missing = holes(held, start, end)
    assert sum((w.end - w.start for w in missing), timedelta()) == timedelta(
        hours=len(set(range(first, 24)) - set(kept))
    )
    assert watermark(held, start) == (missing[0].start if missing else end)


millisecond_of_day = st.integers(0, 86_400_000 - 1)


@given(millisecond_of_day, millisecond_of_day, st.integers(1, 5000), st.booleans())
def test_a_name_tells_window_reading_and_settled(
    first: int, length: int, number: int, settled: bool
) -> None:
    start = Window.of_day(DAY).start + timedelta(milliseconds=first)
    end = min(start + timedelta(milliseconds=length + 1), Window.of_day(DAY).end)
    window = Window(start, end)
    said = Evidence(window, "steps", "o", "1", (), 0, None, None, "c", (reading(),), settled)
    path = Path("steps") / day_folder(DAY) / new_name(said, number)
    file = parse(path)
    assert file is not None
    assert (file.window, file.reading, file.settled) == (window, number, settled)
    assert (file.dmo, file.day) == ("steps", DAY)
    assert new_name(said, number) != path.name
    assert Evidence.from_footer(said.as_footer()) == said


GOOD = "20260114T000000000Z_20260115T000000000Z_r001_open_0123abcd.parquet"


@pytest.mark.parametrize(
    "name",
    [
        GOOD.replace("r001", "r1"),
        GOOD.replace("open", "Open"),
        GOOD.replace("0123abcd", "0123ABCD"),
        GOOD.replace("20260115T", "20260116T"),
        GOOD.replace("20260114T", "20261314T"),
        GOOD + ".tmp",
        "x" + GOOD,
        GOOD + "\n",
        GOOD.replace("20260114", "2026011\N{FULLWIDTH DIGIT FOUR}"),
    ],
)
def test_a_name_that_is_not_exactly_ours_is_foreign(name: str) -> None:
    folder = Path("steps") / day_folder(DAY)
    assert parse(folder / GOOD) is not None
    assert parse(folder / name) is None
    assert parse(Path("steps") / "date=2026-01-13" / GOOD) is None


def test_only_a_day_in_full_is_a_day_folder() -> None:
    assert parse_day("date=2026-01-14") == DAY
    for folder in ("2026-01-14", "date=20260114", "date=2026-1-14", "date=x", "date=2026-W03-3"):
        assert parse_day(folder) is None
