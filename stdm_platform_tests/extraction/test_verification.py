"""Source against lake: what differs is found, named, and never reported falsely."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from stdm_platform.errors import (
    AuthenticationError,
    IncompleteResultError,
    QueryError,
    QueryExpiredError,
    UnavailableError,
    WrongOrgError,
)
from stdm_platform.extraction import (
    DayCheck,
    Finding,
    Span,
    Verified,
    counting_of,
    days_to_verify,
    finding_of,
    next_reading,
    plan_now,
    refusals_of_day,
    status_of,
    verify_days,
)
from stdm_platform.extraction.figures import figures_query
from stdm_platform.extraction.shape import expected_shape
from stdm_platform.lake import Lake, Window
from stdm_platform_tests.extraction.fake_org import FakeOrg, FakeResult
from stdm_platform_tests.extraction.world import (
    DAY,
    MOMENTS,
    NEXT,
    NOW,
    SESSIONS,
    asked_days,
    extract,
    held,
    on,
    rows_of,
)

HELD = Span()
SETTLED = on(DAY, 24 * 9)
Rows = list[dict[str, Any]]


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(tmp_path)


def holding(rows: Rows, **options: Any) -> FakeOrg:
    org = FakeOrg(**options)
    org.put(SESSIONS, rows)
    return org


def checks(org: FakeOrg, lake: Lake, span: Span = HELD, **options: Any) -> list[DayCheck]:
    verified = Verified(lake.data_dir)
    wanted = days_to_verify(lake, options.pop("dmos", [SESSIONS]), span, verified)
    found = verify_days(org, lake, wanted, verified, **options)
    return sorted(found, key=lambda check: (check.dmo.name, check.day))


def finding(check: DayCheck, lake: Lake, now: Any = NOW) -> Finding:
    timings = plan_now(lake, start=DAY, now=now, dmos=[check.dmo]).timings
    return finding_of(check, now, lambda window: next_reading(lake, timings, check.dmo, window))


def kinds(found: list[DayCheck]) -> list[str]:
    return [window.kind for check in found for window in check.windows]


def hours(first: float, last: float) -> Window:
    return Window(on(DAY, first), on(DAY, last))


@pytest.mark.parametrize("transport", ["arrow", "json"])
def test_what_is_equal_is_asked_for_once(lake: Lake, transport: str) -> None:
    org = holding(rows_of(SESSIONS, [DAY, NEXT]), transport=transport)
    extract(org, lake, days=[DAY, NEXT])
    found = checks(org, lake)
    assert kinds(found) == ["equal", "equal"]
    assert not any(finding(check, lake).is_difference for check in found)
    assert [check.rows_processed for check in found] == [2, 2]
    org.sql.clear()
    assert checks(org, lake) == []
    assert org.sql == []


def test_the_record_may_be_deleted_or_damaged(lake: Lake) -> None:
    org = holding(rows_of(SESSIONS, [DAY]))
    extract(org, lake)
    checks(org, lake)
    (record,) = (lake.data_dir / "verified").rglob("*.json")
    record.write_text("{")
    assert len(checks(org, lake)) == 1
    assert checks(org, lake) == []
    shutil.rmtree(lake.data_dir / "verified")
    assert len(checks(org, lake)) == 1


def test_the_record_forgets_windows_that_are_no_longer_held(lake: Lake) -> None:
    org = holding(rows_of(SESSIONS, [DAY]))
    for _ in range(3):
        extract(org, lake, again=True)
        checks(org, lake)
    (record,) = (lake.data_dir / "verified").rglob("*.json")
    (file,) = lake.windows("sessions", DAY)
    assert file.reading == 3
    assert record.read_text().count(".parquet") == 1
    assert file.path.name in record.read_text()


def added(rows: Rows) -> Rows:
    return [*rows, {**rows[0], "session_id": "late"}]


def changed(**values: Any) -> Callable[[Rows], Rows]:
    return lambda rows: [{**rows[0], **values}, *rows[1:]]


CHANGES: list[tuple[Callable[[Rows], Rows], str, int, str]] = [
    (added, "more", 1, "1 row landed since they were read at 2026-01-20 15:30 UTC"),
    (lambda rows: rows[1:], "fewer", -1, "1 row deleted at the source"),
    (lambda rows: [rows[0], *rows], "doubled", 1, "1 row with a repeated key at the source"),
    (changed(started_at=on(NEXT)), "fewer", -1, "1 row deleted"),
    (changed(started_at=on(DAY, 13)), "rewritten", 0, "ssot__StartTimestamp__c"),
    (changed(session_id="other"), "rewritten", 0, "ssot__Id__c"),
    (changed(ended_at=None), "rewritten", 0, "ssot__EndTimestamp__c"),
    (changed(end_type="TIMEOUT"), "rewritten", 0, "ssot__AiAgentSessionEndType__c"),
    (changed(variable_text=None), "rewritten", 0, "ssot__VariableText__c"),
]


@pytest.mark.parametrize(("change", "kind", "difference", "words"), CHANGES)
def test_a_change_at_the_source_is_found_and_named(
    lake: Lake, change: Callable[[Rows], Rows], kind: str, difference: int, words: str
) -> None:
    rows = rows_of(SESSIONS, [DAY])
    org = holding(rows)
    extract(org, lake)
    checks(org, lake)
    org.put(SESSIONS, change(rows))
    (check,) = checks(org, lake, Span(on(DAY), on(NEXT)))
    found = finding(check, lake)
    assert kinds([check]) == [kind]
    assert found.is_difference
    assert found.difference == difference
    assert words in str(found.reason)
    assert "stdm extract --table sessions --since 2026-01-14 --until 2026-01-15" in str(
        found.action
    )
    assert len(checks(org, lake)) == 1, "what differs is no longer verified"
    if kind != "doubled":
        extract(org, lake, days=[DAY, NEXT], again=True)
        assert set(kinds(checks(org, lake))) == {"equal"}


def test_a_difference_is_that_of_its_window_in_one_query_for_the_day(lake: Lake) -> None:
    rows = [
        {**row, "started_at": on(DAY, place)} for place, row in enumerate(rows_of(SESSIONS, [DAY]))
    ]
    org = holding(rows)
    parts = [hours(0, 1), hours(1, 3), hours(3, 4), hours(4, 24)]
    for part in parts:
        extract(org, lake, windows=[part])
    org.put(SESSIONS, [{**rows[0], "session_id": "late", "started_at": on(DAY, 2)}, *rows])
    org.sql.clear()
    (check,) = checks(org, lake)
    assert asked_days(org) == 1
    assert [window.kind for window in check.windows] == ["equal", "more", "equal", "equal"]
    found = finding(check, lake)
    assert (found.source_rows, found.lake_rows) == (6, 5)
    assert str(found.reason).startswith("01:00-03:00: 1 row landed")
    assert found.action == (
        "stdm extract --table sessions --since 2026-01-14T01:00:00Z --until 2026-01-14T03:00:00Z"
    )
    ((again,),) = [each.windows for each in days_to_verify(lake, [SESSIONS], Span(), Verified(lake.data_dir))]  # fmt: skip
    assert again == hours(1, 3)


def test_a_range_that_touches_a_window_takes_it_whole(lake: Lake) -> None:
    org = holding(rows_of(SESSIONS, [DAY]))
    extract(org, lake, windows=[hours(0, 6)])
    extract(org, lake, windows=[hours(6, 24)])
    wanted = days_to_verify(
        lake, [SESSIONS], Span(on(DAY, 11), on(DAY, 12)), Verified(lake.data_dir)
    )
    assert [each.windows for each in wanted] == [(hours(6, 24),)]
    (check,) = checks(org, lake, Span(on(DAY, 11), on(DAY, 12)))
    assert kinds([check]) == ["equal"]
    assert finding(check, lake).source_rows == 5


def test_an_open_window_is_counted_up_to_its_own_end(lake: Lake) -> None:
    org = holding(rows_of(SESSIONS, [DAY]))
    extract(org, lake, windows=[hours(0, 11)], now=on(DAY, 11))
    (check,) = checks(org, lake)
    assert kinds([check]) == ["equal"]
    assert finding(check, lake, on(DAY, 23)).source_rows == 0


def test_rows_that_landed_are_read_again_when_the_plan_says(lake: Lake) -> None:
    rows = rows_of(SESSIONS, [DAY])
    org = holding(rows)
    now = on(DAY, 24)
    extract(org, lake, now=now)
    org.put(SESSIONS, added(rows))
    (check,) = checks(org, lake)
    said = str(finding(check, lake, now).reason)
    assert said.endswith("read again at 2026-01-15 01:00 UTC")
    again, minute = on(DAY, 25), timedelta(minutes=1)
    due = [plan_now(lake, start=DAY, now=when, dmos=[SESSIONS]).windows("sessions", DAY) for when in (again - minute, again)]  # fmt: skip
    assert due == [[], [Window.of_day(DAY)]]
    assert str(finding(check, lake, again).reason).endswith("due now")


def test_a_final_window_that_differs_says_so(lake: Lake) -> None:
    rows = rows_of(SESSIONS, [DAY])
    org = holding(rows)
    extract(org, lake, now=SETTLED)
    org.put(SESSIONS, added(rows))
    (check,) = checks(org, lake)
    said = str(finding(check, lake, SETTLED).reason)
    assert "though the window was final" in said
    assert "read again" not in said


def test_an_older_file_put_back_is_found(lake: Lake, tmp_path: Path) -> None:
    rows = rows_of(SESSIONS, [DAY])
    org = holding(rows)
    extract(org, lake)
    (older,) = lake.windows("sessions", DAY)
    kept = tmp_path / "kept.parquet"
    shutil.copy(older.path, kept)
    checks(org, lake)
    org.put(SESSIONS, added(rows))
    extract(org, lake, again=True)
    assert kinds(checks(org, lake)) == ["equal"]
    (newer,) = lake.windows("sessions", DAY)
    newer.path.unlink()
    shutil.copy(kept, older.path)
    assert kinds(checks(org, Lake(lake.data_dir))) == ["more"]
    older.path.unlink()
    shutil.copy(kept, newer.path)
    assert kinds(checks(org, Lake(lake.data_dir))) == ["more"], "under the newer one's name, too"


def test_a_file_that_does_not_hold_what_was_written_is_found(lake: Lake) -> None:
    org = holding(rows_of(SESSIONS, [DAY]))
    extract(org, lake)
    checks(org, lake)
    (file,) = lake.windows("sessions", DAY)
    with pq.ParquetFile(file.path) as written:
        table, footer = written.read(), written.metadata.metadata
    place = table.schema.get_field_index("individual_id")
    spoiled = pc.utf8_reverse(table.column(place))
    table = table.set_column(place, table.schema.field(place), spoiled)
    with pq.ParquetWriter(file.path, table.schema) as writer:
        writer.write_table(table)
        writer.add_key_value_metadata(footer)
    (check,) = checks(org, lake)
    assert kinds([check]) == ["damaged"]
    assert finding(check, lake).is_difference


def test_a_file_whose_rows_cannot_be_read_is_found(lake: Lake) -> None:
    org = holding(rows_of(SESSIONS, [DAY], count=50))
    extract(org, lake)
    (file,) = lake.windows("sessions", DAY)
    content = bytearray(file.path.read_bytes())
    content[8:400] = bytes(392)
    file.path.write_bytes(content)
    (check,) = checks(org, lake)
    assert kinds([check]) == ["damaged"]
    assert (finding(check, lake).source_rows, finding(check, lake).lake_rows) == (50, 50)


@pytest.mark.parametrize(("times", "expected"), [(1, ["equal"]), (9, [])])
def test_a_window_replaced_while_it_is_counted_is_no_difference(
    lake: Lake, times: int, expected: list[str]
) -> None:
    rows = rows_of(SESSIONS, [DAY])
    org = holding(rows)
    extract(org, lake)
    other = Lake(lake.data_dir)
    done: list[str] = []

    def publish(sql: str) -> FakeResult | None:
        if "total_session_id" in sql and len(done) < times:
            done.append(sql)
            rows.append({**rows[0], "session_id": f"late {len(done)}"})
            late = holding(rows)
            org.put(SESSIONS, rows)
            extract(late, other, again=True)
        return None

    org.before = publish
    (check,) = checks(org, lake)
    assert kinds([check]) == expected
    assert not finding(check, lake).is_difference
    assert check.replaced == (() if expected else (Window.of_day(DAY),))


def test_a_day_that_fails_leaves_the_others(lake: Lake) -> None:
    org = holding(rows_of(SESSIONS, [DAY, NEXT]))
    extract(org, lake, days=[DAY, NEXT])

    def fail(sql: str) -> None:
        if "total_session_id" in sql and f"'{NEXT}T00:00:00.000000Z'" in sql:
            raise UnavailableError("the org is away.")

    org.before = fail  # type: ignore[assignment]
    first, second = checks(org, lake)
    assert kinds([first]) == ["equal"]
    assert isinstance(second.error, UnavailableError)
    assert str(second.error).startswith("sessions of 2026-01-15: ")
    org.before = lambda sql: None
    (check,) = checks(org, lake)
    assert check.day == NEXT


def test_figures_that_the_org_loses_are_asked_for_again(lake: Lake) -> None:
    org = holding(rows_of(SESSIONS, [DAY]))
    extract(org, lake)
    losses = iter(["lost", "short"])

    def losing(sql: str) -> FakeResult | None:
        loss = next(losses, None) if "COUNT(DISTINCT" in sql else None
        if loss == "lost":
            raise QueryExpiredError("lost.")
        if loss == "short":
            raise IncompleteResultError("short.")
        return None

    org.before = losing
    (check,) = checks(org, lake)
    assert (check.error, kinds([check])) == (None, ["equal"])
    asked = [sql for sql in org.sql if "COUNT(DISTINCT" in sql]
    assert len(set(asked)) == 3, "each time with another text, which no cache answers"


def test_without_a_token_the_rest_is_not_asked_for(lake: Lake) -> None:
    org = holding(rows_of(SESSIONS, [DAY, NEXT]))
    extract(org, lake, days=[DAY, NEXT])

    def fail(sql: str) -> None:
        if "total_session_id" in sql:
            raise AuthenticationError("no token.")

    org.before = fail  # type: ignore[assignment]
    (check,) = checks(org, lake, workers=1)
    assert isinstance(check.error, AuthenticationError)


def test_an_org_without_a_function_is_held_against_by_counts(lake: Lake) -> None:
    rows = rows_of(SESSIONS, [DAY])
    org = holding(rows)
    extract(org, lake)

    def fail(sql: str) -> None:
        if "LENGTH(" in sql:
            raise QueryError("no such function.")

    org.before = fail  # type: ignore[assignment]
    (check,) = checks(org, lake)
    assert kinds([check]) == ["equal"]
    assert finding(check, lake).reason == "counts only"
    org.put(SESSIONS, rows[1:])
    assert kinds(checks(org, lake, Span(on(DAY)))) == ["fewer"]


def test_an_object_that_the_org_lacks_is_skipped(lake: Lake) -> None:
    org = holding(rows_of(SESSIONS, [DAY]))
    org.put(MOMENTS, rows_of(MOMENTS, [DAY]))
    extract(org, lake, SESSIONS, MOMENTS)
    found = checks(holding(rows_of(SESSIONS, [DAY])), lake, dmos=[SESSIONS, MOMENTS])
    assert [(check.dmo.name, check.is_absent) for check in found] == [
        ("moments", True),
        ("sessions", False),
    ]
    assert kinds(found) == ["equal"]


def test_text_that_was_never_asked_for_is_no_difference(lake: Lake) -> None:
    org = holding(rows_of(SESSIONS, [DAY]))
    extract(org, lake, text="none")
    assert kinds(checks(org, lake, text="keep")) == ["equal"]
    sql, _ = figures_query(expected_shape(SESSIONS), [Window.of_day(DAY)], text="none", nonce=0)
    assert "ssot__EndTimestamp__c" in sql
    assert "ssot__VariableText__c" not in sql


def test_another_orgs_lake_is_not_asked_for(lake: Lake) -> None:
    org = holding(rows_of(SESSIONS, [DAY]))
    extract(org, lake)
    org.sql.clear()
    org.org_id = "00Dxx0000000002EAA"
    with pytest.raises(WrongOrgError):
        checks(org, lake)
    assert org.sql == []


def test_no_query_is_ever_asked_twice(lake: Lake) -> None:
    org = holding(rows_of(SESSIONS, [DAY]))
    extract(org, lake)
    for _ in range(3):
        checks(org, lake, Span(on(DAY)))
    asked = [sql for sql in org.sql if "total_session_id" in sql]
    assert len(set(asked)) == len(asked) == 3


def test_refused_rows_stand_in_the_report_until_they_are_mended(lake: Lake) -> None:
    rows = rows_of(SESSIONS, [DAY])
    org = holding([{**rows[0], "session_id": None}, *rows[1:]])
    extract(org, lake, limit=0)
    (found,) = refusals_of_day(lake, "sessions", DAY)
    assert found.is_difference
    assert str(found.reason).startswith("5 rows read at 2026-01-20 15:30 UTC broke their contract")
    org.put(SESSIONS, rows)
    extract(org, lake, again=True)
    assert refusals_of_day(lake, "sessions", DAY) == []


def test_a_lost_file_stands_in_the_report_until_it_is_read_again(lake: Lake) -> None:
    org = holding(rows_of(SESSIONS, [DAY]))
    extract(org, lake)
    (file,) = lake.windows("sessions", DAY)
    file.path.write_bytes(b"PAR1 nothing PAR1")
    assert checks(org, lake)[0].windows == ()
    (found,) = refusals_of_day(lake, "sessions", DAY)
    assert "could not be read" in str(found.reason)
    extract(org, lake, again=True)
    assert len(held(lake)) == 5
    assert refusals_of_day(lake, "sessions", DAY) == []


def test_the_cost_of_counting_is_told_without_asking(lake: Lake) -> None:
    org = holding(rows_of(SESSIONS, [DAY, NEXT], count=20))
    extract(org, lake, days=[DAY, NEXT])
    org.sql.clear()
    wanted = days_to_verify(lake, [SESSIONS], Span(), Verified(lake.data_dir))
    plan = counting_of(lake, wanted, now=NOW)
    assert [each.window for each in plan.due] == [Window.of_day(DAY), Window.of_day(NEXT)]
    assert plan.rows_processed == 2 * 40, "this org bills each row twice"
    assert org.sql == []


def test_status_tells_the_verified_share(lake: Lake) -> None:
    rows = rows_of(SESSIONS, [DAY, NEXT])
    org = holding(rows)
    extract(org, lake, days=[DAY, NEXT])
    org.put(SESSIONS, rows[1:])
    shares = [status_of(lake, start=DAY, now=NOW, dmos=[SESSIONS])[0].verified_share]
    checks(org, lake)
    shares.append(status_of(lake, start=DAY, now=NOW, dmos=[SESSIONS])[0].verified_share)
    assert shares == [0, 0.5]
    assert status_of(lake, start=DAY, now=NOW, dmos=[MOMENTS])[0].verified_share is None
