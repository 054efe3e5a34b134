"""Freshness: what counts as late, who is told and how often, and what the checks show."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from dagster._core.definitions.run_request import InstigatorType
from dagster._core.scheduler.instigation import InstigatorStatus

from stdm_platform.extraction import Promise
from stdm_platform.lake import Lake, Window
from stdm_platform.orchestration import freshness
from stdm_platform.orchestration.freshness import SPECS, freshness_checks, freshness_sensor
from stdm_platform.orchestration.promises import NIGHTLY_LIMIT, promise_of
from stdm_platform.orchestration.resources import Platform
from stdm_platform.settings import Settings
from stdm_platform_tests.extraction.history import ORG, write_history
from stdm_platform_tests.lake.days import published, reading
from stdm_platform_tests.notify.receiver import Receiver, receiving
from stdm_platform_tests.orchestration.instigators import SINCE, turn_on
from stdm_platform_tests.session_objects import SESSION_DMOS

NOW = datetime(2026, 1, 20, 10, 20, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
HOURLY = Promise(3 * HOUR, "stdm_watermark_sensor", settles=True)


class At(Platform):
    """The platform at a given instant."""

    at: str

    def now(self) -> datetime:
        return datetime.fromisoformat(self.at)


@pytest.fixture(scope="module")
def one_receiver() -> Iterator[Receiver]:
    with receiving() as receiver:
        yield receiver


@pytest.fixture
def receiver(one_receiver: Receiver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Receiver:
    one_receiver.came.clear()
    monkeypatch.setenv("STDM_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("STDM_START_DATE", "2026-01-18")
    monkeypatch.setenv("STDM_WEBHOOK_URL", one_receiver.url)
    monkeypatch.setattr(freshness, "promise_of", lambda instance, settings: HOURLY)
    return one_receiver


@pytest.fixture
def lake(tmp_path: Path, receiver: Receiver) -> Lake:
    """Read by an hourly tick at `NOW`."""
    return write_history(tmp_path / "data", SESSION_DMOS, NOW.date(), 3, read_at=NOW)


class Ticks:
    """Ticks one after the other, the cursor handed on."""

    def __init__(self) -> None:
        self.cursor: str | None = None
        self.sensor = freshness_sensor()
        self.definitions = dg.Definitions(sensors=[self.sensor])

    def tick(self, now: datetime) -> Any:
        with dg.build_sensor_context(
            instance=dg.DagsterInstance.ephemeral(),
            cursor=self.cursor,
            resources={"platform": At(at=now.isoformat())},
            definitions=self.definitions,
        ) as context:
            said = self.sensor.evaluate_tick(context)
        self.cursor = said.cursor
        return said


@pytest.mark.usefixtures("receiver")
def test_a_new_data_directory_is_not_late() -> None:
    said = Ticks().tick(NOW)
    assert said.skip_message == "Nothing is held yet, so nothing is late."
    assert not said.asset_events


@pytest.mark.usefixtures("lake")
def test_an_object_that_is_late_is_told_once_and_once_when_it_recovers(
    receiver: Receiver, tmp_path: Path
) -> None:
    ticks = Ticks()
    assert "objects are in time; the oldest is" in ticks.tick(NOW + HOUR).skip_message
    assert receiver.came == []
    said = ticks.tick(NOW + 5 * HOUR)
    assert said.skip_message.startswith("Late: ")
    ticks.tick(NOW + 6 * HOUR)
    (notice,) = receiver.notices()
    assert notice["event"] == "late"
    assert notice["assets"] == [f"stdm/{each.name}" for each in SESSION_DMOS]
    sessions = next(each for each in SESSION_DMOS if each.name == "sessions")
    edge = NOW - sessions.shortest_lag
    assert f"sessions: held up to {edge:%Y-%m-%d %H:%M} UTC, 5.2 h behind" in notice["reason"]
    assert "stdm_watermark_sensor keeps it within 3.3 h" in notice["reason"]
    write_history_again(tmp_path / "data")
    assert "in time" in ticks.tick(NOW + 6.5 * HOUR).skip_message
    ticks.tick(NOW + 7 * HOUR)
    assert [each["event"] for each in receiver.notices()] == ["late", "recovered"]


def write_history_again(data_dir: Path) -> None:
    """As the ticks leave it that read up to six hours later."""
    lake = Lake(data_dir)
    for each in SESSION_DMOS:
        held = lake.windows(each.name, NOW.date())[-1].window.end
        window = Window(held, NOW + 6 * HOUR - each.shortest_lag)
        published(lake, window, entry=each, org=ORG, said=reading(NOW + 6 * HOUR))


@pytest.mark.usefixtures("lake")
def test_a_deleted_cursor_repeats_a_message_and_loses_none(receiver: Receiver) -> None:
    ticks = Ticks()
    for cursor in (None, "nonsense", '{"late": ["sessions"], "recorded": "never"}', "[1]"):
        ticks.cursor = cursor
        ticks.tick(NOW + 5 * HOUR)
    assert [each["event"] for each in receiver.notices()] == ["late"] * 4


def test_reading_an_old_day_again_makes_nothing_fresh(lake: Lake, receiver: Receiver) -> None:
    for each in SESSION_DMOS:
        published(
            lake, Window.of_day(date(2026, 1, 18)), entry=each, org=ORG,
            said=reading(NOW + 5 * HOUR),
        )  # fmt: skip
    assert Ticks().tick(NOW + 5 * HOUR).skip_message.startswith("Late: ")
    assert len(receiver.came) == 1


@pytest.mark.usefixtures("lake")
def test_what_nobody_promised_is_never_late(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    nothing = Promise(None, "nobody")
    monkeypatch.setattr(freshness, "promise_of", lambda instance, settings: nothing)
    said = Ticks().tick(NOW + 30 * DAY).skip_message
    assert "No age is promised: sensor and schedule are off" in said
    assert receiver.came == []


@pytest.mark.usefixtures("lake")
def test_a_sensor_that_has_just_been_turned_on_gets_the_time_that_it_needs(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    late = NOW + 20 * HOUR
    new = Promise(3 * HOUR, "stdm_watermark_sensor", since=late - HOUR, settles=True)
    monkeypatch.setattr(freshness, "promise_of", lambda instance, settings: new)
    ticks = Ticks()
    assert "in time" in ticks.tick(late).skip_message
    assert ticks.tick(late + 3 * HOUR).skip_message.startswith("Late: ")


@pytest.mark.usefixtures("lake")
def test_windows_that_should_be_final_and_are_not_are_late_though_new_rows_come(
    receiver: Receiver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    later = NOW + 12 * DAY
    write_history(tmp_path / "data", SESSION_DMOS, later.date(), 3, read_at=later)
    said = Ticks().tick(later).skip_message
    assert "windows from 2026-01-18 on should be final by now and are not" in said
    assert len(receiver.came) == 1
    nightly = Promise(NIGHTLY_LIMIT, "stdm_daily_schedule")
    monkeypatch.setattr(freshness, "promise_of", lambda instance, settings: nightly)
    assert "in time" in Ticks().tick(later).skip_message, "a schedule promises no settle pass"


@pytest.mark.usefixtures("lake")
def test_checks_are_recorded_about_hourly_and_when_a_verdict_changes() -> None:
    ticks = Ticks()
    minutes = (0, 15, 30, 45, 60, 75)
    counts = [len(ticks.tick(NOW + timedelta(minutes=more)).asset_events) for more in minutes]
    assert counts == [len(SESSION_DMOS), 0, 0, 0, len(SESSION_DMOS), 0]
    (first, *_) = ticks.tick(NOW + 5 * HOUR).asset_events
    assert first.passed is False
    assert first.severity is dg.AssetCheckSeverity.WARN
    assert len(ticks.tick(NOW + 5.2 * HOUR).asset_events) == 0


@pytest.mark.usefixtures("lake")
def test_the_check_shows_up_to_where_rows_are_held_and_final() -> None:
    later = NOW + 5 * HOUR
    assets = [dg.AssetSpec(dg.AssetKey(["stdm", each.name])) for each in SESSION_DMOS]
    result = dg.materialize(
        [*assets, freshness_checks],
        selection=dg.AssetSelection.checks(*(spec.key for spec in SPECS)),
        resources={"platform": At(at=later.isoformat())},
        instance=dg.DagsterInstance.ephemeral(),
    )  # fmt: skip
    found = {each.asset_key.path[-1]: each for each in result.get_asset_check_evaluations()}
    assert found.keys() == {each.name for each in SESSION_DMOS}
    said = {name: value.value for name, value in found["sessions"].metadata.items()}
    assert said["held_up_to"] == datetime(2026, 1, 20, 10, 5, tzinfo=UTC).timestamp()
    assert said["final_up_to"] == datetime(2026, 1, 18, tzinfo=UTC).timestamp()
    assert said["age_hours"] == 5.25
    assert said["limit_hours"] == 3.33
    assert said["summary"].startswith("Late: held up to 2026-01-20 10:05 UTC, 5.2 h behind")
    assert not found["sessions"].passed


def test_the_limit_follows_from_what_is_on(tmp_path: Path) -> None:
    with dg.DagsterInstance.local_temp(str(tmp_path)) as instance:
        assert promise_of(instance, Settings()).limit is None
        turn_on(instance, InstigatorType.SCHEDULE, "stdm_daily_schedule")
        assert promise_of(instance, Settings()).limit == NIGHTLY_LIMIT
        state = turn_on(instance, InstigatorType.SENSOR, "stdm_watermark_sensor")
        promise = promise_of(instance, Settings())
        assert (promise.limit, promise.settles) == (3 * HOUR, True)
        assert promise.since == SINCE
        assert promise_of(instance, Settings(tick_minutes=120)).limit == 6 * HOUR
        assert promise_of(instance, Settings(freshness_hours=1.5)).limit == 1.5 * HOUR
        instance.update_instigator_state(state.with_status(InstigatorStatus.STOPPED))
        assert promise_of(instance, Settings()).limit == NIGHTLY_LIMIT


def test_the_cursor_is_small_and_holds_no_more_than_names(lake: Lake) -> None:
    ticks = Ticks()
    ticks.tick(NOW + 5 * HOUR)
    assert json.loads(ticks.cursor or "") == {
        "late": sorted(each.name for each in SESSION_DMOS),
        "recorded": (NOW + 5 * HOUR).isoformat(),
    }
