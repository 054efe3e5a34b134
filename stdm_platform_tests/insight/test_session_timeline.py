"""The events of one session: found by its key alone, complete, in order."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import duckdb
import polars as pl
import pytest

from stdm_platform.errors import NotExtractedError
from stdm_platform.insight import timeline
from stdm_platform.insight.session_rows import days_to_try
from stdm_platform.lake import Lake
from stdm_platform.marts import MartStore
from stdm_platform_tests.marts.lakes import DAY, NEXT, Rows, at

ONE_DAY = timedelta(days=1)


def key_made_at(instant: datetime) -> str:
    """A UUID of the seventh kind."""
    text = f"{int(instant.timestamp() * 1000):012x}"
    return f"{text[:8]}-{text[8:]}-7000-8000-000000000001"


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(tmp_path)


@pytest.fixture
def store(tmp_path: Path) -> MartStore:
    return MartStore(tmp_path)


def held(lake: Lake, key: str) -> None:
    rows = Rows()
    for session in (key, "other"):
        rows.session(session, at("23:59"), at("00:02", NEXT))
        rows.turn(session, f"{session}-1", at("23:59"), "Orders")
        rows.turn(session, f"{session}-2", at("00:01", NEXT), "Returns")
    del rows.of["messages"][NEXT][0]["session_id"]  # only its interaction tells whose it is
    rows.publish(lake)


def test_it_holds_every_event_of_the_session_in_order_and_none_of_another(
    lake: Lake, store: MartStore
) -> None:
    held(lake, "s")
    events = timeline(lake, store, "s")
    shown = events.filter(~pl.col("event_kind").is_in(["session_start", "session_end"]))
    assert shown["event_id"].to_list() == [
        *("s-1", "s-1-m", "s-1-ACTION_STEP", "s-1-LLM_STEP"),
        *("s-2", "s-2", "s-2-m", "s-2-ACTION_STEP", "s-2-LLM_STEP"),
    ]
    turn = ["message", "step", "step"]
    assert shown["event_kind"].to_list() == ["turn", *turn, "turn", "topic_change", *turn]
    assert shown.filter(event_kind="turn")["topic"].to_list() == ["Orders", "Returns"]
    assert shown.filter(event_kind="topic_change")["previous_topic"].to_list() == ["Orders"]
    assert shown["event_at"][4] == at("00:01", NEXT)
    assert events["event_number"].to_list() == list(range(1, 12))


def test_a_session_that_no_held_day_has_is_an_error(lake: Lake, store: MartStore) -> None:
    held(lake, "s")
    with pytest.raises(NotExtractedError, match="No held day has the session nobody"):
        timeline(lake, store, "nobody")


def test_a_session_without_turns_has_only_its_start(lake: Lake, store: MartStore) -> None:
    rows = Rows()
    rows.session("bare", at("10:00"), None)
    rows.publish(lake)
    assert timeline(lake, store, "bare")["event_kind"].to_list() == ["session_start"]


def test_the_day_in_the_key_is_tried_first_and_every_other_day_after(
    lake: Lake, store: MartStore
) -> None:
    rows = Rows()
    days = [DAY + back * ONE_DAY for back in range(-3, 2)]
    rows.publish(lake, days)
    tried = list(days_to_try(lake, store, key_made_at(at("10:00", DAY - ONE_DAY))))
    assert tried[0] == DAY - ONE_DAY
    assert sorted(tried) == days
    assert list(days_to_try(lake, store, "no uuid")) == days[::-1]


def test_a_key_of_a_day_that_is_wrong_is_found_by_the_marts(lake: Lake, store: MartStore) -> None:
    Rows().publish(lake, [DAY - 2 * ONE_DAY, DAY])
    with duckdb.connect(str(store.marts_db)) as marts:
        marts.execute(
            f"create table session_summary as select 's' as session_id, date '{DAY - 2 * ONE_DAY}' as session_date"
        )
    assert next(days_to_try(lake, store, "s")) == DAY - 2 * ONE_DAY


@pytest.mark.parametrize(
    "key", [key_made_at(datetime(1970, 1, 1, tzinfo=UTC)), "f" * 12 + "7" + "f" * 19]
)
def test_a_key_with_an_impossible_day_is_no_error(lake: Lake, store: MartStore, key: str) -> None:
    Rows().publish(lake, [DAY])
    assert list(days_to_try(lake, store, key)) == [date(2026, 1, 14)]
