"""One state of the lake that stays: hard links of the days wanted, taken without a lock.

Belongs here: `Snapshot`, linking one day. Does not: choosing days (`marts`, `insight`).

Why a day is whole: its folder is opened once, which pins it while its name is exchanged, and after
the last link its name must still mean that folder. A folder whose name was exchanged is being
emptied, and what was linked of it is thrown away and taken again.
"""

from __future__ import annotations

import logging
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType

import polars as pl
import pyarrow.parquet as pq

from stdm_platform.catalog import Dmo
from stdm_platform.lake import files
from stdm_platform.lake.evidence import Evidence
from stdm_platform.lake.folders import windows_in
from stdm_platform.lake.footers import FooterCache
from stdm_platform.lake.names import WindowFile
from stdm_platform.lake.staging import file_schema

logger = logging.getLogger(__name__)

SCHEMA_FILE = Path("date=1970-01-01") / "_schema.parquet"


@dataclass(frozen=True)
class Snapshot:
    """Links of windows as they were at one moment per day: `<target>/<name>/date=…/….parquet`.

    Each name also has a file without rows that shows the catalog's whole schema, so that a name
    of which nothing is held, or a column missing in older files, is no error to any reader.
    """

    target: Path
    dmos: Mapping[str, Dmo]
    files: tuple[WindowFile, ...]
    _footers: FooterCache = field(repr=False, compare=False)

    def of(self, name: str) -> tuple[WindowFile, ...]:
        """The files of one DMO, oldest window first."""
        return tuple(file for file in self.files if file.dmo == name)

    def evidence(self, file: WindowFile) -> Evidence:
        """What the footer of one of its files says; cached."""
        return self._footers.evidence(file)

    def scan(self, name: str) -> pl.LazyFrame:
        """The rows of one DMO with the catalog's columns and types, and the day as `date`."""
        empty = self.target / name / SCHEMA_FILE
        schema = pl.read_parquet_schema(empty)
        return pl.scan_parquet(
            [empty, *(file.path for file in self.of(name))],
            schema=schema,
            hive_partitioning=True,
            hive_schema={"date": pl.Date},
            missing_columns="insert",
            extra_columns="ignore",
            glob=False,
            hidden_file_prefix=[],
        )

    def remove(self) -> None:
        """Remove the links; the lake is not touched."""
        files.remove_tree(self.target)

    def __enter__(self) -> Snapshot:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.remove()


def write_schema_file(target: Path, dmo: Dmo) -> None:
    """Write the file without rows that shows every column of a DMO."""
    path = target / dmo.name / SCHEMA_FILE
    path.parent.mkdir(parents=True)
    pq.write_table(file_schema(dmo).empty_table(), path)


def link_day(source: Path, target: Path) -> list[WindowFile] | None:
    """Link a day folder once; None when it was exchanged meanwhile, [] when there is no such day."""
    try:
        with files.opened_folder(source) as descriptor:
            held, foreign = windows_in(target, files.names_in(descriptor))
            target.mkdir(parents=True)
            for file in held:
                files.link(file.path.name, descriptor, file.path)
            whole = files.is_named(source, descriptor)
    except FileNotFoundError:
        whole, held, foreign = not source.exists(), [], []
    if not whole or not held:
        shutil.rmtree(target, ignore_errors=True)
        return None if not whole else []
    if foreign:
        logger.warning("%s holds files that are no windows, ignored: %s", source, foreign)
    return held
