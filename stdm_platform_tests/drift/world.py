"""A small org that changes, a data directory from before the change, and what became of both.

Belongs here: what all drift tests share. Does not: the drifts (`cases.py`).
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any

from stdm_platform.catalog import dmo
from stdm_platform.extraction import DayOutcome, drifts_of, extract_range, windows_of_days
from stdm_platform.extraction.source import Result, Source
from stdm_platform.guard import Drift
from stdm_platform.lake import Lake
from stdm_platform.marts import MartStore
from stdm_platform.marts.digests import mart_names, session_days_to_build
from stdm_platform.notify import Notice
from stdm_platform.orchestration.drift_page import tell
from stdm_platform.sandbox import SandboxHandle, SandboxOptions
from stdm_platform.settings import Settings
from stdm_platform_tests.faults.world import files_hash
from stdm_platform_tests.marts.standins import publish_quickly
from stdm_platform_tests.session_objects import SESSION_DMOS

DAYS = [date(2026, 1, 13) + timedelta(days=more) for more in range(3)]
BEFORE, HELD, NEW = DAYS
"""The lake holds the first two when the org changes; the third is read after it for the first time."""
NOW = datetime.combine(NEW + timedelta(days=10), time(), UTC)
LATER = NOW + timedelta(days=1)
"""When the org is read again, and so the first day of what a look finds."""


def options(data_dir: Path) -> SandboxOptions:
    return SandboxOptions(
        data_dir, days=len(DAYS), sessions_per_day=36, end=NEW, chunk_rows=100, page_bytes=30_000
    )


def publish_standins(lake: Lake, days: Iterable[date]) -> None:
    """Marts of these days with one row each, so that hashes and digests tell, without dbt."""
    made = "create table session_summary as select 'a' as session_id, day as session_date from control.touched_days;"
    for mart in mart_names():
        if mart != "session_summary":
            made += f"create table {mart} as select 1 as one, day as session_date from control.touched_days;"
    publish_quickly(lake, MartStore(lake.data_dir), days, made=made)


def copied(base: Path, target: Path) -> Path:
    """The data directory as it was before the change."""
    shutil.copytree(base, target, symlinks=True)
    return target


@dataclass
class Turning:
    """A client of an org that changes while a request is under way.

    `change` is called once, just before the first window of `day` is asked for. Windows are read in
    order when there is one worker.
    """

    client: Source
    day: date
    change: Callable[[], None]
    turned: bool = False

    @property
    def org_id(self) -> str:
        return self.client.org_id

    def query(self, sql: str, parameters: Sequence[Any] = ()) -> Result:
        starts = [str(each.value)[:10] for each in parameters]
        if not self.turned and str(self.day) in starts[:1]:
            self.turned = True
            self.change()
        return self.client.query(sql, parameters)


@dataclass
class Heard:
    """A notifier that keeps what it is told; `STDM_NOTIFIER` names `notifier` below."""

    notices: list[Notice] = field(default_factory=list)

    def send(self, notice: Notice) -> None:
        self.notices.append(notice)


HEARD = Heard()


def notifier(settings: Settings) -> Heard:
    return HEARD


@dataclass
class World:
    """One data directory and the org that it is read from."""

    org: SandboxHandle
    data_dir: Path

    @cached_property
    def lake(self) -> Lake:
        return Lake(self.data_dir)

    def read(
        self, client: Source, names: Sequence[str], days: Sequence[date] = (HELD, NEW), **given: Any
    ) -> dict[tuple[str, date], DayOutcome]:
        """Extract these, one after another, as the command and the sensors do."""
        given = {"now": LATER, "again": True, "workers": 1, **given}
        windows = windows_of_days(days, given["now"])
        outcomes = extract_range(client, self.lake, [dmo(each) for each in names], windows, **given)
        return {(each.dmo.name, each.day): each for each in outcomes}

    def drifts(self, *names: str) -> list[Drift]:
        """What stands, as `stdm drift`, the checks and the sensor find it."""
        return drifts_of(Lake(self.data_dir), [dmo(each) for each in names] or SESSION_DMOS)

    def told(self, *names: str) -> list[Notice]:
        """What people are sent about it; a second look sends nothing more."""
        HEARD.notices.clear()
        settings = Settings(data_dir=self.data_dir, notifier=f"{__name__}:notifier")
        found = self.drifts(*names)
        tell(settings, self.lake, found, LATER)
        first = list(HEARD.notices)
        tell(settings, self.lake, found, LATER)
        assert first == HEARD.notices, "told twice"
        return first

    def published(self) -> dict[str, str]:
        """Every file that people read, by its path."""
        root = self.data_dir
        found = files_hash(root / "lake", root / "marts", root / "marts.duckdb")
        return {name: text for name, text in found.items() if "/.cache" not in name}

    def mart_days_to_build(self) -> list[date]:
        """The session days that a sensor would build now."""
        return session_days_to_build(Lake(self.data_dir), MartStore(self.data_dir))

    def rows(self, name: str, day: date) -> int:
        return sum(said.rows for _, said in self.lake.evidence_of_day(name, day))


def table(name: str) -> str:
    """The org's own table of a DMO, quoted."""
    return f'"{dmo(name).objects[0]}"'


def source(name: str, column: str) -> str:
    return dmo(name)[column].source


def on_day(name: str, day: date) -> str:
    """The SQL condition for the rows of a UTC day."""
    clock = f'"{source(name, dmo(name).clock)}"'
    return f"{clock} >= TIMESTAMPTZ '{day} 00:00:00+00' AND {clock} < TIMESTAMPTZ '{day + timedelta(days=1)} 00:00:00+00'"


def some_rows(name: str, day: date, count: int | None = None) -> str:
    """The SQL condition for the first rows of a day; all of them without a count."""
    key = f'"{source(name, dmo(name).key)}"'
    if count is None:
        return on_day(name, day)
    return f"{key} IN (SELECT {key} FROM {table(name)} WHERE {on_day(name, day)} ORDER BY {key} LIMIT {count})"


def as_it_was(before: Mapping[str, Any]) -> dict[str, Any]:
    """The settings that describe how the org looks, of all that `change_settings` gave."""
    looks = ("family", "families", "rename_objects", "rename_columns", "hide_objects", "hide_columns", "column_types")  # fmt: skip
    return {name: before[name] for name in looks}
