"""A day of many rows: cut into windows, read side by side, going on after an interruption."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from stdm_platform.errors import UnavailableError
from stdm_platform.extraction import (
    day_reading,
    extract_plan,
    plan_now,
    request_of,
    windows_of_days,
)
from stdm_platform.extraction.in_hand import InHand
from stdm_platform.extraction.volume import Size, together
from stdm_platform.lake import Lake, Window
from stdm_platform_tests.extraction.storing_org import StoringOrg
from stdm_platform_tests.extraction.world import (
    DAY,
    NEXT,
    NOW,
    SESSIONS,
    asked_days,
    extract,
    held,
    on,
    rows_of,
)

TARGET, MOST = 5, 10
ROWS = 36


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(tmp_path)


@pytest.fixture
def org(monkeypatch: pytest.MonkeyPatch) -> StoringOrg:
    monkeypatch.setattr(Size, "at_price", classmethod(lambda cls, _: cls(TARGET, MOST)))
    fake = StoringOrg()
    fake.put(SESSIONS, spread())
    return fake


def spread(rows: int = ROWS) -> list[dict[str, Any]]:
    """Rows all over two days, half of each in one hour."""
    made = rows_of(SESSIONS, [DAY, NEXT], rows)
    for place, row in enumerate(made):
        hour = 9 + place % rows / rows * 2 if place % 2 else place % rows / rows * 24
        row["started_at"] = on(DAY if place < rows else NEXT, hour)
    return made


def sizes(lake: Lake, day: Any = DAY) -> list[int]:
    return [said.rows for _, said in lake.evidence_of_day("sessions", day)]


def covered(lake: Lake) -> bool:
    return lake.holes("sessions", on(DAY, 0), on(DAY, 24)) == []


@pytest.mark.parametrize("workers", [1, 4])
def test_a_day_of_which_nothing_is_known_is_asked_once_and_then_in_parts(
    org: StoringOrg, lake: Lake, workers: int
) -> None:
    (outcome,) = extract(org, lake, workers=workers)
    assert outcome.status == "published", outcome.describe()
    assert covered(lake)
    assert max(sizes(lake)) <= MOST
    assert (outcome.rows, len(held(lake))) == (ROWS, ROWS)
    assert f"LIMIT {MOST + 1}" in org.sql[-1]
    assert not list(lake.folders.staging.iterdir())


def test_the_next_day_is_cut_as_the_one_before_suggests_and_no_query_is_wasted(
    org: StoringOrg, lake: Lake
) -> None:
    extract(org, lake)
    org.sql.clear()
    planned = request_of(lake, [SESSIONS], windows_of_days([NEXT], NOW), now=NOW)
    (outcome,) = extract(org, lake, days=[NEXT])
    assert outcome.windows == tuple(each.window for each in planned.due)
    assert asked_days(org) == len(outcome.windows) > 1
    assert max(sizes(lake, NEXT)) <= MOST


def test_a_small_day_is_one_query_and_one_file(org: StoringOrg, lake: Lake) -> None:
    org.put(SESSIONS, spread(MOST))
    for day in (DAY, NEXT):
        (outcome,) = extract(org, lake, days=[day])
        assert outcome.windows == (Window.of_day(day),)
    assert asked_days(org) == 2


def test_rows_that_share_one_instant_are_read_as_one_window(
    org: StoringOrg, lake: Lake, caplog: pytest.LogCaptureFixture
) -> None:
    made = rows_of(SESSIONS, [DAY], 2 * MOST)
    org.put(SESSIONS, [{**row, "started_at": on(DAY, 7)} for row in made])
    extract(org, lake, windows=[Window(on(DAY, 7), on(DAY, 7) + timedelta(seconds=20))])
    assert sorted(sizes(lake))[-2:] == [0, 2 * MOST]
    assert "cannot be told apart by windows" in caplog.text


class KilledError(Exception):
    """As a kill: nothing is tidied up by us."""


def kill_at(org: StoringOrg, nth: int) -> None:
    """Die when the rows of the nth result are fetched."""
    before = iter(range(nth))

    def fetching(result: Any) -> None:
        if result.row_count and next(before, None) is None:
            raise KilledError

    org.fetching = fetching


@pytest.mark.parametrize("workers", [1, 4])
def test_an_interrupted_day_goes_on_by_windows_and_by_stored_results(
    org: StoringOrg, lake: Lake, workers: int
) -> None:
    for nth in (2, 3, 1):
        kill_at(org, nth)
        with pytest.raises(KilledError):
            extract(org, lake, workers=workers)
    org.fetching = lambda result: None
    later = NOW + timedelta(hours=1)
    (outcome,) = extract(org, lake, workers=workers, now=later)
    assert outcome.rows == len(held(lake)) == ROWS
    assert covered(lake)
    assert org.reopened
    assert sum("GROUP BY 1" in sql for sql in org.sql) == 1, "rows were counted once"
    assert asked_days(org) == len(outcome.windows) + 2, "no window was asked for twice"
    times = {said.read_at for _, said in lake.evidence_of_day("sessions", DAY)}
    assert NOW in times, "the evidence tells when the query was made"
    assert times <= {NOW, later}
    assert not list(lake.folders.staging.iterdir())


def test_a_stored_result_that_is_gone_is_asked_anew(org: StoringOrg, lake: Lake) -> None:
    kill_at(org, 2)
    with pytest.raises(KilledError):
        extract(org, lake, workers=1)
    org.stored.clear()
    org.fetching = lambda result: None
    (outcome,) = extract(org, lake, workers=1)
    assert (outcome.rows, org.reopened) == (ROWS, [])


@pytest.mark.parametrize(
    "change",
    [
        lambda org, lake: {"again": True},
        lambda org, lake: {"text": "none"},
        lambda org, lake: {"windows": [Window.of_day(DAY), Window.of_day(NEXT)]},
        lambda org, lake: made_older(lake) or {"continued": True},
    ],
    ids=["again", "other columns", "another request", "a day later"],
)
def test_only_the_same_request_reads_a_stored_result(
    org: StoringOrg, lake: Lake, change: Callable[[StoringOrg, Lake], dict[str, Any]]
) -> None:
    kill_at(org, 2)
    with pytest.raises(KilledError):
        extract(org, lake, workers=1)
    org.fetching = lambda result: None
    extract(org, lake, workers=1, **change(org, lake))
    assert org.reopened == []


def made_older(lake: Lake) -> None:
    (record,) = lake.folders.staging.glob("asked-*.json")
    noted = json.loads(record.read_text())
    for asked in noted.values():
        asked["at"] = "2020-01-01T00:00:00Z"
    record.write_text(json.dumps(noted))


def test_a_failed_window_keeps_what_the_others_published(org: StoringOrg, lake: Lake) -> None:
    def fetching(result: Any) -> None:
        if sum(sizes(lake)) > ROWS / 4:
            raise UnavailableError("no answer.")

    org.fetching = fetching
    (outcome,) = extract(org, lake, workers=1)
    assert outcome.status == "failed"
    assert 0 < len(held(lake)) < ROWS
    org.fetching = lambda result: None
    (outcome,) = extract(org, lake)
    assert (outcome.status, outcome.rows) == ("published", ROWS)


def test_a_tick_that_was_killed_goes_on_with_what_it_had_asked(org: StoringOrg, lake: Lake) -> None:
    now = on(DAY, 36)
    plan = plan_now(lake, start=DAY, now=now, dmos=[SESSIONS])
    kill_at(org, 3)
    with pytest.raises(KilledError):
        extract_plan(org, lake, plan, dmos=[SESSIONS], workers=1)
    org.fetching = lambda result: None
    later = now + timedelta(minutes=10)
    extract_plan(org, lake, plan_now(lake, start=DAY, now=later, dmos=[SESSIONS]), dmos=[SESSIONS])
    assert len(org.reopened) == 1
    assert covered(lake)
    assert plan_now(lake, start=DAY, now=later, dmos=[SESSIONS]).due == ()


def test_the_settle_pass_makes_windows_few_and_large_within_the_bound(
    org: StoringOrg, lake: Lake
) -> None:
    hours = [Window(on(DAY, hour), on(DAY, hour + 1)) for hour in range(24)]
    extract(org, lake, windows=hours, now=on(NEXT, 1))
    before = len(sizes(lake))
    now = on(DAY, 24 * 9)
    extract_plan(org, lake, plan_now(lake, start=DAY, now=now, dmos=[SESSIONS]), dmos=[SESSIONS])
    settled = lake.windows("sessions", DAY)
    assert all(file.settled for file in settled)
    assert 1 < len(settled) < before
    assert covered(lake)
    assert plan_now(lake, start=DAY, now=now, dmos=[SESSIONS]).windows("sessions", DAY) == []


def test_windows_wait_for_one_another_where_too_many_rows_would_be_in_hand() -> None:
    in_hand, inside, most = InHand(10), [0], [0]
    lock = threading.Lock()

    def fetch(rows: int) -> None:
        with in_hand.holding(rows, lambda: None):
            with lock:
                inside[0] += rows
                most[0] = max(most[0], inside[0])
            threading.Event().wait(0.005)
            with lock:
                inside[0] -= rows

    threads = [threading.Thread(target=fetch, args=(rows,)) for rows in (4, 4, 4, 9, 1, 10, 3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(5)
    assert inside == [0]
    assert most[0] <= 10
    with in_hand.holding(99, lambda: None):  # more than ever fits: alone
        assert not in_hand._has_room(1)


def hours(*rows: int) -> list[tuple[Window, int]]:
    return [(Window(on(DAY, hour), on(DAY, hour + 1)), each) for hour, each in enumerate(rows)]


@pytest.mark.parametrize(
    ("rows", "ends"),
    [
        ((1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1), [4, 8, 12]),
        ((1, 0, 20, 0, 0), [2, 3, 5]),  # what is too large stands alone, to be cut again
        ((1, 9, 1, 9), [2, 4]),
        ((0, 0), [2]),
    ],
)
def test_counted_parts_become_few_windows_within_the_bound(
    rows: tuple[int, ...], ends: list[int]
) -> None:
    windows = together(hours(*rows), Size(TARGET, MOST))
    assert [each.end for each in windows] == [on(DAY, hour) for hour in ends]
    assert windows[0].start == on(DAY, 0)


def test_a_large_day_of_an_unknown_object_costs_two_queries_more_than_its_windows(
    org: StoringOrg, lake: Lake
) -> None:
    (outcome,) = extract(org, lake)
    assert sum("GROUP BY 1" in sql for sql in org.sql) == 1
    assert asked_days(org) == len(outcome.windows) + 2
    assert len(outcome.windows) <= 2 * ROWS / TARGET


def test_a_count_that_knows_too_few_rows_does_not_lead_in_a_circle(
    org: StoringOrg, lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    def nothing(client: Any, shape: Any, windows: list[Window]) -> list[int]:
        return [0] * len(windows)

    monkeypatch.setattr(day_reading, "count_rows_of_each", nothing)
    (outcome,) = extract(org, lake)
    assert outcome.status == "published", outcome.describe()
    assert len(held(lake)) == ROWS
    assert max(sizes(lake)) <= MOST


@pytest.mark.parametrize("is_mended", [True, False])
def test_a_key_in_two_parts_of_a_large_day_is_judged_over_the_whole_day(
    org: StoringOrg, lake: Lake, monkeypatch: pytest.MonkeyPatch, is_mended: bool
) -> None:
    made = spread()
    org.put(SESSIONS, [*made, {**made[1], "started_at": on(DAY, 23)}])
    query = org.query

    def mended(sql: str, *given: Any, **more: Any) -> Any:
        if is_mended and "LIMIT" not in sql and "COUNT" not in sql:  # the whole day, unbounded
            org.put(SESSIONS, made)
        return query(sql, *given, **more)

    monkeypatch.setattr(org, "query", mended)
    (outcome,) = extract(org, lake, workers=1)
    if is_mended:
        assert (outcome.status, sizes(lake)) == ("published", [ROWS])
    else:
        assert outcome.status == "refused", outcome.describe()
        assert "unique_key" in outcome.describe()
