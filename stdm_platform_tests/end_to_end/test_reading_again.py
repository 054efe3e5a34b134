"""A range twice, an empty day, an open day that grows: the lake ends as if read once."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta

import pyarrow.parquet as pq

from stdm_platform.catalog import arrow_schema
from stdm_platform.sandbox import SandboxHandle
from stdm_platform_tests.end_to_end.command import Ended, Stdm
from stdm_platform_tests.end_to_end.conftest import (
    DAYS,
    FIRST,
    NOW,
    SESSIONS_PER_DAY,
    UNTIL,
)
from stdm_platform_tests.end_to_end.facts import (
    all_marts,
    ask,
    assert_same_marts,
    evidence,
    lake_checksums,
    lake_counts,
    lake_rows,
)
from stdm_platform_tests.session_objects import SESSION_DMOS

LAST = DAYS[-1]


def test_a_range_extracted_twice_with_an_empty_day_equals_one_extracted_once(
    stdm: Stdm, held: Stdm
) -> None:
    empty = FIRST - timedelta(days=1)
    span = ("--since", str(empty), "--until", str(UNTIL), "--now", NOW)
    stdm("extract", *span, "--no-marts").succeeded()
    once = lake_checksums(stdm.data_dir)
    stdm("extract", *span).succeeded()
    assert lake_checksums(stdm.data_dir) == once
    assert lake_counts(stdm.data_dir) == lake_counts(held.data_dir)
    assert_same_marts(all_marts(stdm.data_dir), all_marts(held.data_dir))
    for entry in SESSION_DMOS:
        for day in [empty, *DAYS]:
            (said,) = evidence(stdm.data_dir, entry.name, day)
            assert len(said.readings) == 2
            assert said.settled
            if day != empty:
                assert once[entry.name, day] == lake_checksums(held.data_dir)[entry.name, day]
        (file,) = (stdm.data_dir / "lake" / entry.name / f"date={empty}").glob("*.parquet")
        assert pq.read_metadata(file).num_rows == 0
        assert pq.read_schema(file).names == arrow_schema(entry).names


def test_an_empty_day_alone_is_asked_about_without_an_error(
    stdm: Stdm, quick: Callable[..., Ended]
) -> None:
    day = FIRST - timedelta(days=1)
    stdm("extract", "--since", str(day), "--until", str(FIRST), "--now", NOW).succeeded()
    for words in (
        ["analyze"],
        ["topics"],
        ["topics", "--routing"],
        ["sql", "from session_summary"],
    ):
        assert quick(stdm, *words, "--format", "json").succeeded().json() == []


def assert_held_up_to(at: Stdm, whole_day: Stdm, clock: str) -> None:
    for entry in SESSION_DMOS:
        said = evidence(at.data_dir, entry.name, LAST)[-1]
        assert f"{said.window.end:%H:%M:%S.%f}" == clock
        assert not said.settled
        whole = lake_rows(whole_day.data_dir, entry.name, LAST)
        assert lake_rows(at.data_dir, entry.name).equals(
            whole.filter(whole[entry.clock] < said.window.end)
        )


def test_an_open_day_grows_and_ends_equal_to_a_day_that_was_read_once(
    stdm: Stdm, held: Stdm
) -> None:
    stdm("extract", "--days", "1", "--now", f"{LAST}T09:30:00Z").succeeded()
    assert_held_up_to(stdm, held, "09:30:00.000000")
    ((sessions, complete),) = ask(
        stdm.data_dir,
        "select count(*), count_if(completeness = 'complete') from session_summary",
    )
    assert 0 < sessions < SESSIONS_PER_DAY
    assert complete == 0

    stdm("extract", "--days", "1", "--now", f"{LAST}T18:00:00.5Z", "--no-marts").succeeded()
    assert_held_up_to(stdm, held, "18:00:00.500000")

    before = lake_checksums(stdm.data_dir)
    earlier = stdm("extract", "--days", "1", "--now", f"{LAST}T12:00:00Z", "--no-marts")
    assert earlier.code == 4
    assert "--now" in earlier.messages
    assert lake_checksums(stdm.data_dir) == before

    stdm("extract", "--since", str(LAST), "--until", str(UNTIL), "--now", NOW).succeeded()
    of_the_day = {
        key: said for key, said in lake_checksums(held.data_dir).items() if key[1] == LAST
    }
    assert lake_checksums(stdm.data_dir) == of_the_day
    where = f"session_date = date '{LAST}'"
    alone = all_marts(stdm.data_dir)
    # The day before is not held here, so what refers to it cannot be told.
    assert set(alone["orphan_rows"]["state"]) <= {"before_held"}
    alone["orphan_rows"] = alone["orphan_rows"].clear()
    assert_same_marts(alone, all_marts(held.data_dir, where))


def test_today_can_be_read_with_the_real_clock(stdm: Stdm, org: SandboxHandle) -> None:
    """The org has nothing of today; a fact all the same."""
    stdm("extract", "--days", "1", "--table", "sessions", "--no-marts").succeeded()
    assert set(lake_counts(stdm.data_dir)) == set()
    ((day, file),) = (
        (path.parent.name, path)
        for path in (stdm.data_dir / "lake" / "sessions").glob("date=*/*.parquet")
    )
    assert pq.read_metadata(file).num_rows == 0
    assert evidence(stdm.data_dir, "sessions", day_of(day))[0].settled is False


def day_of(folder: str) -> date:
    return date.fromisoformat(folder.removeprefix("date="))
