"""Tables of the lake and published marts as lazy Polars frames.

Belongs here: opening them so that they stay readable while runs go on. Does not: questions.

A table is scanned from a snapshot (hard links), a mart from its published generation, which outlives its
replacement by a day: neither changes under a reader. A lazy frame does not keep alive what made it, so a
snapshot stays until it is closed or the process ends; after a kill, the lake sweeps it away itself.
"""

from __future__ import annotations

import atexit
from contextlib import ExitStack
from datetime import date
from pathlib import Path

import polars as pl

from stdm_platform.catalog import DMOS
from stdm_platform.errors import ArgumentError, NotExtractedError
from stdm_platform.insight.asking import frame
from stdm_platform.lake import Lake
from stdm_platform.marts import MartStore
from stdm_platform.marts.store import DAY_PREFIX

SESSION_DAY = DAY_PREFIX.rstrip("=")


class LazyFrames:
    """Lazy frames of one data directory; `close` removes its snapshots.

    `since` and `until` bound the days `[since, until)`: of tables the day of the row, of marts the day
    of the session.
    """

    def __init__(
        self, data_dir: Path, since: date | None = None, until: date | None = None
    ) -> None:
        self.store = MartStore(data_dir)
        self.lake = Lake(self.store.data_dir)
        self.since, self.until = since, until
        self._open = ExitStack()
        atexit.register(self._open.close)
        self._tables: dict[str, pl.LazyFrame] = {}

    def table(self, name: str) -> pl.LazyFrame:
        """The rows of a DMO as served, with the catalog's columns and types and their day as `date`.

        Raises:
            ArgumentError: the catalog has no such DMO.
            NotExtractedError: no day of it is held in the range.
        """
        known = [entry.name for entry in DMOS]
        if name not in known:
            raise ArgumentError(f"{name!r} is no table.", action=f"Choose from {', '.join(known)}.")
        if name not in self._tables:
            days = [day for day in self.lake.days(name) if self._wanted(day)]
            if not days:
                raise NotExtractedError(
                    f"{name} were never extracted for these days in {self.store.data_dir}.",
                    action=f"Run `stdm extract --days 7 --table {name}`.",
                )
            snapshot = self._open.enter_context(self.lake.temporary_snapshot([name], days))
            self._tables[name] = snapshot.scan(name)
        return self._tables[name]

    def mart(self, name: str) -> pl.LazyFrame:
        """The rows of a published mart with the columns of its contract.

        Raises:
            ArgumentError: there is no such mart.
            NotExtractedError: no marts were published yet.
        """
        columns = frame(self.store, f"select * from {_identifier(name)} limit 0", []).columns
        generation = self.store.current()
        if generation is None or name not in generation.marts():  # a view over other things
            return frame(self.store, f"from {_identifier(name)}", []).lazy()
        held = [file.path for file in generation.files(name) if self._wanted(file.day)]
        everything = [file.path for file in generation.files(name)]
        rows = pl.scan_parquet(
            held or everything,
            hive_partitioning=True,
            hive_schema={SESSION_DAY: pl.Date},
            missing_columns="insert",
            extra_columns="ignore",
            glob=False,
        ).select(columns)
        return rows if held else rows.clear()

    def close(self) -> None:
        """Remove the snapshots; frames of tables can be collected no more."""
        self._tables.clear()
        self._open.close()
        atexit.unregister(self._open.close)

    def _wanted(self, day: date) -> bool:
        return (self.since is None or self.since <= day) and (
            self.until is None or day < self.until
        )


def as_day(value: date | str | None) -> date | None:
    """A UTC day, given as such or like `2026-01-14`.

    Raises:
        ArgumentError: the text is no date.
    """
    if value is None or isinstance(value, date):
        return value
    try:
        return date.fromisoformat(value)
    except ValueError:
        raise ArgumentError(
            f"{value!r} is no UTC date.", action="Write it like 2026-01-15."
        ) from None


def _identifier(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
