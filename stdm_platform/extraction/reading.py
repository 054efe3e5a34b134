"""Read one window: query → decode → contract → staged file → published or refused.

Belongs here: the stream of one window, in bounded memory, in one pass. Does not: which window
(`days.py`), HTTP (`data360`), the exchange of a day (`lake`).
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from stdm_platform.errors import IncompleteResultError, LakeError, QueryExpiredError
from stdm_platform.extraction.conform import Conformer
from stdm_platform.extraction.counting import count_unplaced_rows
from stdm_platform.extraction.in_hand import InHand
from stdm_platform.extraction.outcome import place_of, preview_of
from stdm_platform.extraction.question import Answer, Questions
from stdm_platform.extraction.shape import SourceShape
from stdm_platform.extraction.source import Result, Source
from stdm_platform.guard import Gate, Verdict, is_accepted
from stdm_platform.lake import Lake, Reading, StagedWindow, Window, WindowFile, is_settled

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

    `questions` asks for the rows; `now` stands in the evidence; `halted` is asked between batches
    and raises to stop; `limit` is the share of a window's rows that may be kept aside; `in_hand`
    bounds what all windows of the run hold. Safe for the threads of one day.
    """

    client: Source
    lake: Lake
    shape: SourceShape
    now: datetime
    text: str
    halted: Callable[[], None]
    limit: float
    questions: Questions
    in_hand: InHand = field(default_factory=InHand)
    turn: threading.Lock = field(default_factory=threading.Lock)

    def read(self, window: Window, *, can_be_cut: bool = False) -> WindowOutcome | None:
        """Read a window that replaces the held ones that it covers; the caller has the day's lock.

        None when the only fault is that other windows of the day hold the same keys: their clocks
        may have been rewritten since, so the caller reads them together.

        Raises:
            TooManyRows: it can be cut, and has to be.
            StdmError: it cannot be read.
        """
        attempt = 0
        while True:
            attempt += 1
            try:
                outcome = self._read_once(window, can_be_cut=can_be_cut, anew=attempt > 1)
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
            else:
                if outcome is not None:
                    self.questions.done(window)
                return outcome

    def _read_once(self, window: Window, *, can_be_cut: bool, anew: bool) -> WindowOutcome | None:
        self.halted()
        if not self._has_clock():
            return self._refused_by_clock(window)
        answer = self.questions.ask(window, can_be_cut=can_be_cut, anew=anew)
        result = answer.result
        with (
            self.in_hand.holding(result.row_count, self.halted),
            self.lake.stage(self.shape.dmo, window) as staged,
            self._gate(staged, result) as gate,
        ):
            preview = self._pour(result, gate, staged)
            with self.turn:  # else two windows with one key would not see each other
                verdict = gate.conclude(self._beside(window))
                self._close(staged, answer, gate, verdict)
                return self._decided(staged, verdict, result, preview)

    def _has_clock(self) -> bool:
        """Whether rows can be asked for by time; those of a catalogue need not."""
        dmo = self.shape.dmo
        return dmo.is_catalogue or is_accepted("timestamp", self.shape.types.get(dmo.clock, "null"))

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

    def _close(self, staged: StagedWindow, answer: Answer, gate: Gate, verdict: Verdict) -> None:
        result = answer.result
        staged.close(
            org_id=self.client.org_id,
            reading=Reading(
                answer.read_at,
                result.query_id,
                result.sql_sha256,
                result.rows_processed,
                result.transport,
                staged.rows,
                staged.window,
            ),
            settled=is_settled(staged.window, answer.read_at, self.shape.dmo.settle_time),
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
