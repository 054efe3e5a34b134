"""Schedule and sensor beside each other: who reads what, and what both together cost."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, Literal

import dagster as dg
import pytest
from dagster._core.definitions.run_request import InstigatorType

from stdm_platform.extraction.plan import plan_of
from stdm_platform.lake import Window
from stdm_platform.orchestration import jobs
from stdm_platform.orchestration.jobs import daily_schedule
from stdm_platform.orchestration.ticks import TICK
from stdm_platform_tests.extraction.history import write_history
from stdm_platform_tests.extraction.pure_world import (
    DAY,
    FIRST,
    HOUR,
    MIDNIGHT,
    PureLake,
    PureOrg,
    lagging_rows,
    tick,
)
from stdm_platform_tests.orchestration.instigators import turn_on
from stdm_platform_tests.session_objects import SESSION_DMOS

NIGHT = datetime(2026, 1, 17, 2, 0, tzinfo=UTC)
DAYS = 6
SOME = (SESSION_DMOS[0], SESSION_DMOS[-1])


def evaluate(at: datetime = NIGHT) -> Any:
    return daily_schedule(dg.build_schedule_context(scheduled_execution_time=at))


@pytest.fixture(autouse=True)
def empty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("STDM_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.delenv("STDM_START_DATE", raising=False)
    return


@pytest.fixture
def sensor_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "sensor_is_on", lambda context: True)


def test_the_schedule_alone_asks_for_the_whole_day_before_its_tick(tmp_path: Path) -> None:
    request = evaluate()
    assert request.partition_key == "2026-01-16"
    assert request.run_key == "2026-01-16"
    assert request.tags == {}
    with (
        dg.DagsterInstance.local_temp(str(tmp_path)) as instance,
        # Left open, it puts the storage of this instance back for all that follow when it is collected.
        dg.build_schedule_context(instance=instance, scheduled_execution_time=NIGHT) as context,
    ):
        assert not jobs.sensor_is_on(context)
        turn_on(instance, InstigatorType.SENSOR, "stdm_watermark_sensor")
        assert jobs.sensor_is_on(context)
        assert daily_schedule(context).tags == {TICK: "2026-01-17T02:00:00+00:00"}


@pytest.mark.usefixtures("sensor_on")
def test_a_schedule_beside_a_sensor_that_has_read_the_day_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs, "session_days_to_build", lambda lake, store: [])
    write_history(tmp_path / "data", SESSION_DMOS, NIGHT.date(), 9, read_at=NIGHT)
    said = evaluate()
    assert isinstance(said, dg.SkipReason)
    assert said.skip_message == (
        "Nothing of 2026-01-16 is due at 2026-01-17 02:00 UTC: the sensor has read it."
    )
    monkeypatch.setattr(jobs, "session_days_to_build", lambda lake, store: [date(2026, 1, 16)])
    assert evaluate().partition_key == "2026-01-16", "the marts of the day are due"


def test_a_day_before_the_first_one_to_hold_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STDM_START_DATE", "2026-01-17")
    assert evaluate().skip_message == "2026-01-16 is before the first day to hold, 2026-01-17."


Night = Literal["off", "due", "whole"]


def run(org: PureOrg, *, sensor: bool, nightly: Night) -> PureLake:
    """Hourly ticks at twenty past, and the schedule at 02:00, until all is settled."""
    lake, now = PureLake(), MIDNIGHT
    while now < MIDNIGHT + (DAYS + 8) * DAY:
        if now.hour == 2 and nightly != "off" and now.date() > FIRST:
            night(org, lake, now, whole=nightly == "whole")
        if sensor:
            tick(org, lake, now + timedelta(minutes=20), SOME)
        now += HOUR
    return lake


def night(org: PureOrg, lake: PureLake, now: datetime, *, whole: bool) -> None:
    day = now.date() - DAY
    if whole:  # as a person's launch of the day: all that it names
        for each in SOME:
            window = Window.of_day(day)
            lake.publish(each, window, org.read(each.name, window, now), now)
        return
    entries = {each.name: each for each in SOME}
    for due in plan_of((lake.holdings(each) for each in SOME), start=FIRST, now=now).due:
        if due.window.day == day:
            lake.publish(entries[due.dmo], due.window, org.read(due.dmo, due.window, now), now)


def cost(lake: PureLake, org: PureOrg) -> float:
    """Rows processed by the org over rows held, of all objects."""
    return sum(org.processed.values()) / sum(len(lake.rows(each.name)) for each in SOME)


def test_the_schedule_beside_the_sensor_costs_next_to_nothing() -> None:
    costs = {}
    for nightly in ("off", "due", "whole"):
        org = lagging_rows(7, days=DAYS, dmos=SOME, a_day=40)
        lake = run(org, sensor=True, nightly=nightly)
        costs[nightly] = cost(lake, org)
        assert lake.settled_ground_read_again == 0
        assert all(len(lake.rows(name)) == len(rows) for name, rows in org.rows.items())
    print("rows processed per row held, sensor with nightly schedule:", costs)
    assert costs["due"] <= costs["off"] * 1.02
    assert costs["whole"] > costs["due"] * 1.1, "what it would cost to read the whole day"


def test_the_schedule_alone_reads_each_day_once_and_whole() -> None:
    org = lagging_rows(7, days=DAYS, dmos=SOME, a_day=40)
    lake = run(org, sensor=False, nightly="whole")
    for each in SOME:
        windows = [held.ground.window for held in lake.held[each.name]]
        assert windows[:DAYS] == [Window.of_day(FIRST + n * DAY) for n in range(DAYS)]
    assert cost(lake, org) == 1.0
