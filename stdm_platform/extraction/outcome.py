"""What became of one DMO and day, for the command, for Dagster and for tests.

Belongs here: `DayOutcome` and its sentence. Does not: producing one (`days.py`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any, Literal

import pyarrow as pa

from stdm_platform.catalog import Dmo
from stdm_platform.errors import StdmError
from stdm_platform.guard import Verdict
from stdm_platform.lake import Window, WindowFile

PREVIEW_ROWS = 5

Status = Literal["published", "refused", "absent", "kept", "failed"]
"""published: read, good and visible. refused: broke its contract, the old rows stay. absent: the org
has no such object. kept: finished before by the same, interrupted request, or read by another run
meanwhile. failed: see `error`."""


@dataclass(frozen=True)
class DayOutcome:
    """What became of one DMO and day.

    `quarantined` are rows that were served and are kept aside (`kept`: of what is held).
    `rows`, `bytes` and `rows_processed` are of the windows that this request read (or, for `kept`,
    had read); `preview` holds no column of sensitivity text or person; `changed` says whether the
    day in the lake is another than before.
    """

    dmo: Dmo
    day: date
    status: Status
    windows: tuple[Window, ...] = ()
    files: tuple[WindowFile, ...] = ()
    verdict: Verdict | None = None
    rows: int = 0
    quarantined: int = 0
    bytes: int = 0
    rows_processed: int | None = None
    absent_columns: tuple[str, ...] = ()
    seconds: float = 0.0
    changed: bool = False
    preview: tuple[Mapping[str, Any], ...] = ()
    refused_files: tuple[Path, ...] = ()
    error: StdmError | None = None

    @property
    def place(self) -> str:
        """`sessions of 2026-01-14`."""
        return place_of(self.dmo, self.day)

    def describe(self) -> str:
        """One sentence; one line per failure for a refused day."""
        if self.error is not None:
            return str(self.error)
        if self.status == "refused" and self.verdict is not None:
            return self.verdict.describe()
        if self.status == "absent":
            return f"{self.place}: the org has none of {', '.join(self.dmo.objects)}; skipped."
        aside = f", {self.quarantined} in quarantine" if self.quarantined else ""
        return f"{self.place}: {self.rows} rows {self.status}{aside}."


def place_of(dmo: Dmo, day: date) -> str:
    """Where something happened, as errors and verdicts say it."""
    return f"{dmo.name} of {day.isoformat()}"


def preview_of(dmo: Dmo, batch: pa.RecordBatch) -> tuple[Mapping[str, Any], ...]:
    """The first rows, without columns that hold text of conversations or point to people."""
    shown = [column.name for column in dmo.columns if column.sensitivity == "none"]
    rows = batch.slice(0, PREVIEW_ROWS).select(shown).to_pylist()
    return tuple({name: _plain(value) for name, value in row.items()} for row in rows)


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return value
