from __future__ import annotations

import os
import time
from concurrent.futures import Future
from datetime import timedelta
from pathlib import Path

import pytest

from stdm_platform.catalog import dmo
from stdm_platform.errors import (
    ArgumentError,
    AuthenticationError,
    FieldNotFoundError,
    PermissionDeniedError,
    UnavailableError,
    WrongOrgError,
)
from stdm_platform.extraction import DayOutcome, backfill, windows_of_days
from stdm_platform.extraction.continuation import Request
from stdm_platform.lake import Lake
from stdm_platform_tests.extraction.fake_org import FakeOrg
from stdm_platform_tests.extraction.world import (
    DAY,
    MOMENTS,
    NEXT,
    NOW,
    SESSIONS,
    STEPS,
    asked_days,
    extract,
    held,
    rows_of,
)

DAYS = [DAY, NEXT, NEXT + timedelta(days=1)]


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(tmp_path)


@pytest.fixture
def org() -> FakeOrg:
    fake = FakeOrg()
    fake.put(SESSIONS, rows_of(SESSIONS, DAYS))
    fake.put(STEPS, rows_of(STEPS, DAYS))
    return fake


def failing(org: FakeOrg, error: Exception, nth: int, entry: object = None) -> None:
    """Raise on the nth window that is asked for."""
    asked = iter(range(nth))

    def before(sql: str) -> None:
        if "CAST(?" in sql and next(asked, None) is None:
            raise error

    org.before = before


def statuses(outcomes: list[DayOutcome]) -> list[tuple[str, int, str]]:
    return [(each.dmo.name, each.day.day, each.status) for each in outcomes]


@pytest.mark.parametrize("workers", [1, 4])
def test_days_and_dmos_are_read_side_by_side_and_told_in_order(
    org: FakeOrg, lake: Lake, workers: int
) -> None:
    told: list[DayOutcome] = []
    outcomes = extract(org, lake, SESSIONS, STEPS, days=DAYS, workers=workers, progress=told.append)
    assert statuses(outcomes) == [
        (name, day, "published") for day in (14, 15, 16) for name in ("sessions", "steps")
    ]
    assert len(told) == 6
    assert len(held(lake)) == len(held(lake, STEPS)) == 15


def test_an_object_that_the_org_lacks_is_skipped_and_told(org: FakeOrg, lake: Lake) -> None:
    outcomes = extract(org, lake, SESSIONS, MOMENTS)
    assert statuses(outcomes) == [("sessions", 14, "published"), ("moments", 14, "absent")]
    assert "none of ssot__AiAgentMoment__dlm" in outcomes[1].describe()
    assert lake.days("moments") == []


def test_nothing_asked_is_nothing_done(org: FakeOrg, lake: Lake) -> None:
    assert extract(org, lake, days=[NOW.date() + timedelta(days=1)]) == []
    assert org.sql == []


def test_one_failing_day_does_not_stop_the_others(org: FakeOrg, lake: Lake) -> None:
    failing(org, UnavailableError("no answer."), nth=1)
    org_calls = org.before

    def once(sql: str) -> None:
        try:
            org_calls(sql)
        finally:
            if "CAST(?" in sql and asked_days(org) > 1:
                org.before = lambda sql: None

    org.before = once  # type: ignore[assignment]
    outcomes = extract(org, lake, days=DAYS, workers=1)
    assert [each.status for each in outcomes] == ["published", "failed", "published"]
    assert str(outcomes[1].error) == "sessions of 2026-01-15: no answer."


def test_one_refused_day_does_not_stop_the_others(org: FakeOrg, lake: Lake) -> None:
    broken = rows_of(SESSIONS, DAYS)
    broken[5]["session_id"] = broken[6]["session_id"]
    org.put(SESSIONS, broken)
    outcomes = extract(org, lake, days=DAYS)
    assert [each.status for each in outcomes] == ["published", "refused", "published"]
    assert lake.days("sessions") == [DAYS[0], DAYS[2]]


def test_a_dmo_without_a_required_column_fails_and_the_others_go_on(
    org: FakeOrg, lake: Lake
) -> None:
    org.put(SESSIONS, [], without=["started_at"])
    outcomes = extract(org, lake, SESSIONS, STEPS, days=DAYS[:2])
    assert [each.status for each in outcomes] == ["failed", "published"] * 2
    assert isinstance(outcomes[0].error, FieldNotFoundError)
    assert "sessions (ssot__AIAgentSession__dlm) of 2026-01-14 to 2026-01-15" in str(
        outcomes[0].error
    )


@pytest.mark.parametrize("error", [PermissionDeniedError("403"), AuthenticationError("no token")])
def test_an_error_that_every_day_would_meet_stops_everything(
    org: FakeOrg, lake: Lake, error: Exception
) -> None:
    failing(org, error, nth=1)
    with pytest.raises(type(error), match="sessions of 2026-01-15"):
        extract(org, lake, days=DAYS, workers=1)
    assert asked_days(org) == 2


def test_a_day_that_was_stopped_is_no_outcome_though_it_ends_before_the_one_that_failed() -> None:
    stopped: Future[DayOutcome] = Future()
    stopped.set_exception(backfill._HaltedError())
    assert list(backfill._result(stopped)) == []


def test_another_orgs_lake_is_left_alone(org: FakeOrg, lake: Lake) -> None:
    extract(org, lake)
    before = sorted(path for path in lake.data_dir.rglob("*"))
    other = FakeOrg()
    other.org_id = "00Dxx0000000002EAA"
    with pytest.raises(WrongOrgError, match=f"{org.org_id}.*{other.org_id}"):
        extract(other, Lake(lake.data_dir))
    assert sorted(path for path in lake.data_dir.rglob("*")) == before
    assert other.sql == []


def interrupted(org: FakeOrg, lake: Lake, nth: int = 1, **options: object) -> None:
    failing(org, KeyboardInterrupt(), nth)
    with pytest.raises(KeyboardInterrupt):
        extract(org, lake, days=DAYS, workers=1, **options)
    org.before = lambda sql: None
    org.sql.clear()


def test_an_interrupted_request_goes_on_where_it_stopped(org: FakeOrg, lake: Lake) -> None:
    interrupted(org, lake)
    outcomes = extract(org, lake, days=DAYS)
    assert [each.status for each in outcomes] == ["kept", "published", "published"]
    assert (asked_days(org), len(held(lake))) == (2, 15)
    assert (outcomes[0].rows, outcomes[0].rows_processed, len(outcomes[0].files)) == (5, 10, 1)


def test_a_failed_request_goes_on_too(org: FakeOrg, lake: Lake) -> None:
    failing(org, UnavailableError("no answer."), nth=2)
    extract(org, lake, days=DAYS, workers=1)
    org.before = lambda sql: None
    outcomes = extract(org, lake, days=DAYS)
    assert [each.status for each in outcomes] == ["kept", "kept", "published"]


def test_a_request_that_ended_is_read_again_when_asked_again(org: FakeOrg, lake: Lake) -> None:
    for _ in range(2):
        outcomes = extract(org, lake, days=DAYS)
        assert {each.status for each in outcomes} == {"published"}
    assert not list((lake.data_dir / "staging").iterdir())


def test_again_forces(org: FakeOrg, lake: Lake) -> None:
    interrupted(org, lake)
    outcomes = extract(org, lake, days=DAYS, again=True)
    assert {each.status for each in outcomes} == {"published"}


def test_another_request_is_not_continued(org: FakeOrg, lake: Lake) -> None:
    interrupted(org, lake)
    assert {each.status for each in extract(org, lake, days=DAYS[:2])} == {"published"}
    assert {each.status for each in extract(org, lake, days=DAYS, text="none")} == {"published"}
    assert extract(org, lake, days=DAYS)[0].status == "published"  # the day was exchanged since


def made_older(lake: Lake, seconds: float) -> None:
    (record,) = (lake.data_dir / "staging").glob("request-*.json")
    os.utime(record, (time.time() - seconds,) * 2)


@pytest.mark.parametrize(("hours", "status"), [(23, "kept"), (25, "published")])
def test_a_request_is_continued_within_a_day(
    org: FakeOrg, lake: Lake, hours: int, status: str
) -> None:
    interrupted(org, lake)
    made_older(lake, hours * 3600)
    assert extract(org, lake, days=DAYS)[0].status == status


def test_a_retry_of_the_same_run_is_continued_however_late(org: FakeOrg, lake: Lake) -> None:
    interrupted(org, lake)
    made_older(lake, 50 * 3600)
    assert extract(org, lake, days=DAYS, continued=True)[0].status == "kept"


def test_a_range_that_ends_now_is_the_same_request_a_minute_later(org: FakeOrg, lake: Lake) -> None:
    then = NOW.replace(day=16, hour=13)
    interrupted(org, lake, now=then)
    outcomes = extract(org, lake, days=DAYS, now=then + timedelta(minutes=1))
    assert [each.status for each in outcomes] == ["kept", "published", "published"]


def test_what_a_later_run_reads_meanwhile_of_today_is_not_read_again(
    org: FakeOrg, lake: Lake
) -> None:
    """A range and a tick at the same time: each began with its own clock."""
    later = NOW + timedelta(minutes=10)
    today = NOW.date()
    org.put(SESSIONS, rows_of(SESSIONS, [DAY, today]))
    asked = 0

    def meanwhile(sql: str) -> None:
        nonlocal asked
        if "CAST(?" in sql:
            org.before = lambda sql: None
            extract(org, lake, days=[today], now=later)
            asked = asked_days(org)

    org.before = meanwhile
    outcomes = extract(org, lake, days=[DAY, today], workers=1)
    assert statuses(outcomes) == [("sessions", 14, "published"), ("sessions", 20, "kept")]
    assert outcomes[1].rows == 5
    assert len(held(lake)) == 10
    assert asked_days(org) == asked
    assert lake.windows("sessions", today)[0].window.end == later


def test_a_clock_older_than_what_is_held_is_refused_before_anything_is_asked(
    org: FakeOrg, lake: Lake
) -> None:
    today = NOW.date()
    org.put(SESSIONS, rows_of(SESSIONS, [DAY, today]))
    extract(org, lake, days=[today])
    asked = asked_days(org)
    with pytest.raises(ArgumentError, match="it ends after the clock of this run"):
        extract(org, lake, days=[DAY, today], now=NOW - timedelta(hours=1))
    assert asked_days(org) == asked
    assert not held(lake, day=DAY)


def test_a_damaged_record_only_costs_a_reading(org: FakeOrg, lake: Lake) -> None:
    interrupted(org, lake)
    (record,) = (lake.data_dir / "staging").glob("request-*.json")
    record.write_text("{")
    assert {each.status for each in extract(org, lake, days=DAYS)} == {"published"}


def test_a_finished_window_that_is_gone_is_read_again(org: FakeOrg, lake: Lake) -> None:
    interrupted(org, lake)
    lake.windows("sessions", DAY)[0].path.write_bytes(b"damaged")
    assert extract(org, lake, days=DAYS)[0].status == "published"
    assert len(held(lake)) == 15


def test_a_draft_that_a_killed_request_left_goes_when_the_request_ends(tmp_path: Path) -> None:
    lake = Lake(tmp_path)
    lake.folders.staging.mkdir(parents=True)
    asked = {"now": NOW, "text": "keep", "again": False, "continued": False}
    request = Request.open(lake, [dmo("sessions")], windows_of_days([DAY], NOW), **asked)
    request.name()
    (record,) = lake.folders.staging.iterdir()
    record.with_name(f".{record.name}.1-0a1b2c3d").write_text("{")
    request.end()
    assert list(lake.folders.staging.iterdir()) == []


def test_asking_again_forgets_at_once_what_was_finished(tmp_path: Path) -> None:
    lake = Lake(tmp_path)
    lake.folders.staging.mkdir(parents=True)
    windows = windows_of_days([DAY], NOW)
    asked = {"now": NOW, "text": "keep", "continued": False}
    first = Request.open(lake, [dmo("sessions")], windows, again=False, **asked)
    first.name()
    Request.open(lake, [dmo("sessions")], windows, again=True, **asked)  # and killed
    assert list(lake.folders.staging.iterdir()) == []
