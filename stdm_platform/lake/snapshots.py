"""One state of the lake that stays: hard links of window files.

Belongs here: `Snapshot`, and reading one. Does not: taking one (`linking.py`), choosing days
(`marts`, `insight`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType

import polars as pl

from stdm_platform.catalog import Dmo
from stdm_platform.lake import files
from stdm_platform.lake.evidence import Evidence
from stdm_platform.lake.footers import FooterCache
from stdm_platform.lake.names import WindowFile

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
