"""A lake, a fake org and rows, for the tests of extraction."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import polars as pl

from stdm_platform.catalog import Dmo, dmo
from stdm_platform.extraction import DayOutcome, extract_range, windows_of_days
from stdm_platform.lake import Lake
from stdm_platform_tests.extraction.fake_org import FakeOrg
from stdm_platform_tests.guard.batches import rows

SESSIONS, STEPS, MOMENTS = dmo("sessions"), dmo("steps"), dmo("moments")
DAY = date(2026, 1, 14)
NEXT = date(2026, 1, 15)
NOW = datetime(2026, 1, 20, 15, 30, tzinfo=UTC)


def on(day: date, hour: float = 12) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(hours=hour)


def rows_of(entry: Dmo, days: Iterable[date], count: int = 5) -> list[dict[str, Any]]:
    """Rows at noon of each day; keys are unique over all days."""
    made = []
    for place, day in enumerate(days):
        for row in rows(entry, count, first=place * count):
            made.append({**row, entry.clock: on(day) + timedelta(seconds=len(made))})
    return made


def extract(
    org: FakeOrg, lake: Lake, *entries: Dmo, days: Iterable[date] = (DAY,), **options: Any
) -> list[DayOutcome]:
    options = {"now": NOW, **options}
    windows = options.pop("windows", None) or windows_of_days(days, options["now"])
    return extract_range(org, lake, entries or (SESSIONS,), windows, **options)


def held(lake: Lake, entry: Dmo = SESSIONS, day: date | None = None) -> list[dict[str, Any]]:
    """All rows of a DMO in the lake, by key."""
    days = lake.days(entry.name) if day is None else [day]
    files = [file.path for each in days for file in lake.windows(entry.name, each)]
    frames = [pl.read_parquet(path, hive_partitioning=False) for path in files]
    return pl.concat(frames).sort(entry.key).to_dicts() if frames else []


def asked_days(org: FakeOrg) -> int:
    """How many windows were asked for."""
    return sum("CAST(? AS TIMESTAMPTZ)" in sql for sql in org.sql)
