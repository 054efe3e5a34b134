"""The steps around dbt: the lock, the division of many days, what is refused."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from datetime import date

import duckdb
import pytest

from stdm_platform.errors import MartError
from stdm_platform.lake import Lake
from stdm_platform.marts import MartStore, build, build_marts
from stdm_platform.marts.dbt_command import DbtOutcome
from stdm_platform.marts.digests import ONE_DAY
from stdm_platform.settings import Settings
from stdm_platform_tests.marts.lakes import DAY, NEXT, at, hold
from stdm_platform_tests.marts.standins import MADE

TAKE_LOCK = """
import fcntl, sys
fcntl.flock(open(sys.argv[1]), fcntl.LOCK_EX | fcntl.LOCK_NB)
"""


def others_can_take(store: MartStore) -> bool:
    command = [sys.executable, "-c", TAKE_LOCK, str(store.lock_path)]
    return subprocess.run(command, check=False, capture_output=True).returncode == 0


def test_one_process_builds_at_a_time_and_a_thread_may_lock_twice(store: MartStore) -> None:
    with store.lock() as outer, store.lock() as inner:
        assert outer == inner
        assert not others_can_take(store)
    assert others_can_take(store)


def test_a_subprocess_that_inherits_the_lock_keeps_it(store: MartStore) -> None:
    with store.lock() as descriptor:
        child = subprocess.Popen(
            [sys.executable, "-c", "input()"], stdin=subprocess.PIPE, pass_fds=(descriptor,)
        )
    assert not others_can_take(store)
    child.communicate(b"\n")
    assert others_can_take(store)


def test_many_rows_are_built_in_several_runs_that_each_publish(
    lake: Lake, store: MartStore, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    for day in (DAY, NEXT):
        hold(lake, "sessions", [{"session_id": f"{day}", "started_at": at("10:00", day)}], day=day)

    def quick(store: MartStore, _settings: Settings, _lock: int) -> DbtOutcome:
        with duckdb.connect(str(store.warehouse_path)) as warehouse:
            warehouse.execute(MADE.format(value=1, snapshot=store.snapshot_dir))
        return DbtOutcome(("test far found 1 rows",), ())

    monkeypatch.setattr(build, "run_dbt", quick)
    monkeypatch.setattr(build, "ROWS_AT_ONCE", 1)
    runs: list[Sequence[date]] = []
    watched: list[Sequence[date]] = []
    generation = build_marts(
        lake,
        store,
        [NEXT, DAY],
        settings,
        runs.append,
        watch=lambda _outcome, days: watched.append(days),
    )
    assert runs == watched == [(DAY,), (NEXT,)]
    assert (generation.number, generation.built_days) == (2, (DAY, NEXT))
    assert generation.warnings == ("test far found 1 rows",) * 2


def test_a_lake_day_that_two_session_days_read_counts_once(
    lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    days = [DAY + number * ONE_DAY for number in range(4)]
    for day in days:
        hold(lake, "sessions", [{"session_id": f"{day}", "started_at": at("10:00", day)}], day=day)
        turns = [{"interaction_id": f"{day}-{n}", "started_at": at("10:00", day)} for n in range(9)]
        hold(lake, "interactions", turns, day=day)
    # Two days with the one after; then two days with the one before, of which sessions are read too.
    monkeypatch.setattr(build, "ROWS_AT_ONCE", 3 + 3 * 9)
    assert list(build._chunks(lake, days)) == [days[:2], days[2:]]
    monkeypatch.setattr(build, "ROWS_AT_ONCE", 1 + 3 * 9)
    assert list(build._chunks(lake, days)) == [days[:1], days[1:2], days[2:3], days[3:]]


def test_a_build_without_held_days_is_refused(
    lake: Lake, store: MartStore, settings: Settings
) -> None:
    with pytest.raises(MartError, match="No session day was named"):
        build_marts(lake, store, [], settings)
    with pytest.raises(MartError, match="holds no sessions"):
        build_marts(lake, store, [DAY], settings)
    assert store.current() is None
