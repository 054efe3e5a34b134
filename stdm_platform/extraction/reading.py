"""Read one window: query → decode → contract → staged file → published or refused.

Belongs here: the stream of one window, in bounded memory, in one pass. Does not: which window
(`days.py`), HTTP (`data360`), the exchange of a day (`lake`).
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from stdm_platform.errors import IncompleteResultError, LakeError, QueryExpiredError
from stdm_platform.extraction.conform import Conformer
from stdm_platform.extraction.counting import count_unplaced_rows
from stdm_platform.extraction.outcome import place_of, preview_of
from stdm_platform.extraction.shape import SourceShape
from stdm_platform.extraction.source import Result, Source
from stdm_platform.extraction.sql import fresh_nonce, window_query
from stdm_platform.guard import Gate, Verdict, is_accepted
from stdm_platform.lake import Lake, Reading, StagedWindow, Window, WindowFile, is_settled
from stdm_platform.settings import QUARANTINE_LIMIT

logger = logging.getLogger(__name__)

QUERIES_PER_WINDOW = 6
"""A lost query id starts the window again with a new query, which is billed again."""


@dataclass(frozen=True)
class WindowOutcome:
    """What became of one window: its file if it was good, else where the refused one lies."""

    window: Window
    verdict: Verdict
    rows: int
    rows_processed: int | None
    file: WindowFile | None
    refused: Path | None
    preview: tuple[Mapping[str, Any], ...]


@dataclass(frozen=True)
class WindowReader:
    """Reads windows of one DMO from one org into one lake.

    `now` stands in the evidence; `halted` is asked between batches and raises to stop; `limit` is
    the share of a window's rows that may be kept aside.
    """

    client: Source
    lake: Lake
    shape: SourceShape
    now: datetime
    text: str
    halted: Callable[[], None]
    limit: float = QUARANTINE_LIMIT

    def read(self, window: Window) -> WindowOutcome | None:
        """Read a window that replaces the held ones that it covers; the caller has the day's lock.

        None when the only fault is that other windows of the day hold the same keys: their clocks
        may have been rewritten since, so the caller reads them together.
        """
        attempt = 0
        while True:
            attempt += 1
            try:
                return self._read_once(window)
            except (QueryExpiredError, IncompleteResultError) as error:
                if attempt == QUERIES_PER_WINDOW:
                    raise
                logger.warning(
                    "%s: %s The window starts again.", self._place(window), error.message
                )
            except OSError as error:
                raise LakeError(
                    f"The disk refused: {error}.",
                    action="Nothing that was published has changed. Free space, then run again.",
                ) from error

    def _read_once(self, window: Window) -> WindowOutcome | None:
        self.halted()
        if not is_accepted("timestamp", self.shape.types.get(self.shape.dmo.clock, "null")):
            return self._refused_by_clock(window)
        sql, parameters = window_query(self.shape, window, text=self.text, nonce=fresh_nonce())
        result = self.client.query(sql, parameters)
        with (
            self.lake.stage(self.shape.dmo, window) as staged,
            self._gate(staged, result) as gate,
        ):
            preview = self._pour(result, gate, staged)
            verdict = gate.conclude(self._beside(window))
            self._close(staged, result, gate, verdict)
            return self._decided(staged, verdict, result, preview)

    def _beside(self, window: Window) -> list[Path]:
        """The files of the day that stay beside the window and hold keys."""
        return [
            file.path
            for file, said in self.lake.evidence_of_day(self.shape.dmo.name, window.day)
            if said.rows and not file.window.overlaps(window)
        ]

    def _pour(
        self, result: Result, gate: Gate, staged: StagedWindow
    ) -> tuple[Mapping[str, Any], ...]:
        """All rows, batch by batch, through the gate into the files; a preview of them."""
        conformer = Conformer(self.shape.dmo, self.shape.asked(self.text))
        preview: tuple[Mapping[str, Any], ...] = ()
        for served in result.batches():
            self.halted()
            conformed = conformer.conform(served)
            passed = gate.take(conformed.batch, conformed.undecodable, served)
            preview = preview or preview_of(self.shape.dmo, passed)
        arrived = staged.rows + staged.aside.rows
        if arrived != result.row_count:
            raise IncompleteResultError(
                f"{arrived} rows arrived of {result.row_count} that the org promised.",
                action="Extract the day again.",
            )
        return preview

    def _close(self, staged: StagedWindow, result: Result, gate: Gate, verdict: Verdict) -> None:
        staged.close(
            org_id=self.client.org_id,
            reading=Reading(
                self.now,
                result.query_id,
                result.sql_sha256,
                result.rows_processed,
                result.transport,
                staged.rows,
                staged.window,
            ),
            settled=is_settled(staged.window, self.now, self.shape.dmo.settle_time),
            absent_columns=self.shape.left_out(self.text),
            profile=gate.profile(self.shape.object_name),
            proof=verdict,
        )

    def _refused_by_clock(self, window: Window) -> WindowOutcome:
        """Refuse a window whose clock has another type: the org cannot even be asked for it."""
        clock = self.shape.dmo.clock
        served, source = self.shape.types[clock], self.shape.columns[clock]
        rows = count_unplaced_rows(self.client, self.shape, window)
        verdict = Verdict.of_odd_clock(self.shape.dmo.name, window, rows, source, served)
        with self.lake.stage(self.shape.dmo, window) as staged:
            refused = self.lake.refuse(
                staged, verdict.describe(), details=verdict.as_dict(), at=self.now
            )
        return WindowOutcome(window, verdict, rows, None, None, refused, ())

    def _decided(
        self,
        staged: StagedWindow,
        verdict: Verdict,
        result: Result,
        preview: tuple[Mapping[str, Any], ...],
    ) -> WindowOutcome | None:
        file, refused = None, None
        if verdict.passed:
            name, day = self.shape.dmo.name, staged.window.day
            (file,) = self.lake.publish(name, day, [staged])
        elif verdict.only_repeats_held:
            return None
        else:
            refused = self.lake.refuse(staged, verdict.describe(), details=verdict.as_dict())
        rows = verdict.rows if file is None else staged.rows
        return WindowOutcome(
            staged.window, verdict, rows, result.rows_processed, file, refused, preview
        )

    def _gate(self, staged: StagedWindow, result: Result) -> Gate:
        asked = self.shape.asked(self.text)
        served = {column.name.lower(): column.type for column in result.columns}
        return Gate(
            self.shape.dmo,
            staged.window,
            {name: self.shape.columns[name] for name in asked},
            {name: served[name] for name in asked if name in served},
            write=staged.write,
            set_aside=staged.set_aside,
            spool_folder=staged.path.parent,
            limit=self.limit,
        )

    def _place(self, window: Window) -> str:
        return place_of(self.shape.dmo, window.day)


def billed(outcomes: Sequence[WindowOutcome]) -> int | None:
    """Rows that the org processed for these windows; None when it did not say for any."""
    said = [each.rows_processed for each in outcomes if each.rows_processed is not None]
    return sum(said) if said else None
