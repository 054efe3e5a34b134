"""What an interrupted request had published of a day, and what of it is left to read.

Belongs here: holding the record of the request against the lake. Does not: the record
(`continuation.py`), reading the rest (`days.py`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date

from stdm_platform.catalog import Dmo
from stdm_platform.extraction.continuation import Request
from stdm_platform.extraction.outcome import DayOutcome
from stdm_platform.lake import Lake, Window, holes


@dataclass(frozen=True)
class Kept:
    """Windows that were finished and are held still, as an outcome, and the ground that is left."""

    outcome: DayOutcome
    left: tuple[Window, ...]

    def with_rest(self, rest: DayOutcome) -> DayOutcome:
        """The outcome of the day once its rest was read too."""
        mine = self.outcome
        return replace(
            rest,
            windows=tuple(sorted((*mine.windows, *rest.windows))),
            files=tuple(sorted((*mine.files, *rest.files), key=lambda file: file.window)),
            rows=mine.rows + rest.rows,
            quarantined=mine.quarantined + rest.quarantined,
            bytes=mine.bytes + rest.bytes,
            rows_processed=(mine.rows_processed or 0) + (rest.rows_processed or 0),
        )


def kept_of(
    request: Request | None, lake: Lake, dmo: Dmo, day: date, windows: Sequence[Window]
) -> Kept | None:
    """What the request published before it was interrupted, as far as the lake still holds it."""
    wanted = set() if request is None else request.files_of(dmo, day)
    if not wanted:
        return None
    held = [each for each in lake.evidence_of_day(dmo.name, day) if each[0].path.name in wanted]
    if not held:
        return None
    files, evidence = tuple(file for file, _ in held), [said for _, said in held]
    left = tuple(hole for window in windows for hole in holes(files, window.start, window.end))
    billed = [said.readings[-1].rows_processed for said in evidence]
    outcome = DayOutcome(
        dmo=dmo,
        day=day,
        status="kept",
        windows=tuple(windows) if not left else tuple(file.window for file in files),
        files=files,
        rows=sum(said.rows for said in evidence),
        quarantined=sum(said.quarantined_rows for said in evidence),
        bytes=sum(file.path.stat().st_size for file in files),
        rows_processed=sum(each or 0 for each in billed),
        absent_columns=evidence[0].absent_columns,
    )
    return Kept(outcome, left)
