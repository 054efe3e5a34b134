"""Days that the command brought in or changed are made known to a Dagster instance, once."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import dagster as dg

from stdm_platform.catalog import dmo
from stdm_platform.lake import Lake, Window
from stdm_platform.marts import MartStore
from stdm_platform.orchestration.held_days import report_held_days
from stdm_platform_tests.lake.days import published, rows

DAY = date(2026, 1, 14)


def test_a_day_is_recorded_once_and_again_when_it_holds_something_else(tmp_path: Path) -> None:
    lake, store = Lake(tmp_path / "data"), MartStore(tmp_path / "data")
    instance = dg.DagsterInstance.ephemeral()
    entry, window = dmo("sessions"), Window.of_day(DAY)
    published(lake, window, [rows(3, entry=entry)], entry=entry)
    assert report_held_days(instance, lake, store) == 1
    assert report_held_days(instance, lake, store) == 0
    published(lake, window, [rows(3, entry=entry)], entry=entry)
    assert report_held_days(instance, lake, store) == 0, "the same rows once more"
    published(lake, window, [rows(4, entry=entry)], entry=entry)
    assert report_held_days(instance, lake, store) == 1
    key = dg.AssetKey(["stdm", "sessions"])
    assert instance.get_materialized_partitions(key) == {"2026-01-14"}
