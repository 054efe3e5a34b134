"""Which windows of one DMO and day are read, and what happens when they meet trouble.

Belongs here: fitting the asked windows to the held ones, cutting them, parts of one that holds too
many rows, windows whose keys other windows hold too. Does not: the lock of the day (`days.py`), reading
one window (`reading.py`), expected rows (`volume.py`).
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from itertools import pairwise

from stdm_platform.errors import ContractError
from stdm_platform.extraction.cost import Experience
from stdm_platform.extraction.counting import count_rows_of_each
from stdm_platform.extraction.in_hand import InHand
from stdm_platform.extraction.nearby import known_around
from stdm_platform.extraction.question import Questions, TooManyRows
from stdm_platform.extraction.ranges import fitted, hull
from stdm_platform.extraction.reading import WindowOutcome, WindowReader
from stdm_platform.extraction.recall import Recall
from stdm_platform.extraction.shape import SourceShape
from stdm_platform.extraction.source import Source
from stdm_platform.extraction.volume import Size, Volume, parts_of, together
from stdm_platform.extraction.worklist import SideBySide, Submit, Worklist
from stdm_platform.lake import Lake, Window, WindowFile, holes
from stdm_platform.lake.window import from_text


def _tell_nobody(file: WindowFile) -> None:
    """For callers that remember nothing."""


@dataclass(frozen=True)
class Shared:
    """What the windows of a day share with the rest of a run.

    `submit` runs something on another thread when one is free; `owner` says who may go on with the
    queries of a killed run, None: nobody; `published` is told each new file at once.
    """

    in_hand: InHand = field(default_factory=InHand)
    submit: Submit | None = None
    owner: Callable[[], str] | None = None
    published: Callable[[WindowFile], None] = _tell_nobody


class DayReading:
    """Reads windows of one DMO and day; the caller has the extraction lock of the day."""

    def __init__(
        self,
        reader: WindowReader,
        day: date,
        shared: Shared,
        volume: Volume,
        size: Size,
        recall: Recall | None,
    ) -> None:
        self._worklist = Worklist()
        self._reader = reader
        self._day = day
        self._shared = shared
        self._volume = volume
        self._size = size
        self._recall = recall
        self._outcomes: list[WindowOutcome] = []
        self._repeating: list[Window] = []
        self._lock = threading.Lock()

    @classmethod
    def of(
        cls,
        client: Source,
        lake: Lake,
        shape: SourceShape,
        day: date,
        now: datetime,
        text: str,
        limit: float,
        halted: Callable[[], None],
        shared: Shared,
    ) -> DayReading:
        """The reading of a day as its lake and the days like it suggest; see `extract_day`."""
        recall = None
        if shared.owner is not None:
            recall = Recall.open(lake, shape.dmo, day, shared.owner)
        known = [] if shape.dmo.is_catalogue else known_around(lake, shape.dmo, [day])
        size = Size.at_price(Experience.of(known).surcharge)
        questions = Questions(client, shape, text, now, size.most, recall)
        reader = WindowReader(
            client, lake, shape, now, text, halted, limit, questions, shared.in_hand
        )
        return cls(reader, day, shared, Volume.of(known), size, recall)

    def read(self, windows: Sequence[Window]) -> tuple[list[WindowOutcome], list[WindowOutcome]]:
        """Read these windows; also gives the outcomes that a later reading replaced."""
        self._worklist.put(self._cut(fitted(windows, self._held(check=True), self._reader.now)))
        self._read_list()
        if self._repeating and self._outcomes:  # what moved may have left where it was by now
            again, self._repeating = self._repeating, []
            self._worklist.put(again)
            self._read_list()
        replaced: list[WindowOutcome] = []
        if self._repeating:
            replaced = self._read_together()
        if self._recall is not None:
            self._recall.end()
        return sorted(self._outcomes, key=lambda each: each.window), replaced

    def _read_list(self) -> None:
        SideBySide(self._worklist, self._read_one, self._shared.submit).run()

    def _read_one(self, window: Window) -> None:
        is_whole = self._reader.shape.dmo.is_catalogue
        parts = [window] if is_whole else parts_of(window, self._held())
        try:
            outcome = self._reader.read(window, can_be_cut=len(parts) > 1)
        except TooManyRows:
            self._worklist.put(self._counted(window, parts))
            return
        self._add(window, outcome)

    def _counted(self, window: Window, parts: Sequence[Window]) -> Sequence[Window]:
        """The parts of a window that holds too many rows, as the windows to ask for."""
        rows = count_rows_of_each(self._reader.client, self._reader.shape, parts)
        found = together(list(zip(parts, rows, strict=True)), self._size)
        # A count that knows fewer rows than the reading did must not lead back to the same window.
        pieces = found if len(found) > 1 else parts
        if self._recall is not None:
            self._recall.note_cut(window, pieces)
        return pieces

    def _add(self, window: Window, outcome: WindowOutcome | None) -> None:
        with self._lock:
            if outcome is None:
                self._repeating.append(window)
                return
            self._outcomes.append(outcome)
            if outcome.file is not None:
                self._shared.published(outcome.file)

    def _read_together(self) -> list[WindowOutcome]:
        """Read all that is held with what is still wanted, as one window.

        A row whose clock was rewritten stands in another window until that is read again too. Rows
        that went from either of two windows to the other can only become visible together.
        """
        held, now = self._held(), self._reader.now
        wanted = [*self._repeating, *held]
        whole = Window(min(each.start for each in wanted), max(each.end for each in wanted))
        outcome = self._reader.read(whole) if whole.end <= now else None
        if outcome is None:
            raise ContractError(
                "another run changed the day while it was read.", action="Extract the day again."
            )
        before = self._outcomes
        if outcome.file is None:
            self._outcomes = [*before, outcome]
            return []
        self._outcomes = []
        self._add(outcome.window, outcome)
        return before

    def _held(self, *, check: bool = False) -> list[Window]:
        name = self._reader.shape.dmo.name
        return [file.window for file in self._reader.lake.windows(name, self._day, check=check)]

    def _cut(self, windows: Iterable[Window]) -> list[Window]:
        """The windows, cut by expected rows, around what an interrupted run had asked for."""
        asked = {} if self._recall is None else self._recall.windows()
        too_large = {window for window, each in asked.items() if each.has_more}
        ends = {from_text(end) for window in too_large for end in asked[window].ends}
        held = self._held()
        found: list[Window] = []
        for window in windows:
            pending = [
                each
                for each in sorted(asked.keys() - too_large)
                if window.start <= each.start
                and each.end <= window.end
                and hull(each, held, self._reader.now) == each
            ]
            found += pending
            for ground in holes([_Taken(each) for each in pending], window.start, window.end):
                found += self._pieces(ground, ends)
        return found

    def _pieces(self, ground: Window, ends: Iterable[datetime]) -> list[Window]:
        """The ground as it is to be asked for: as an interrupted run had cut it, else as expected."""
        held = self._held()
        inside = sorted(
            end
            for end in ends
            if ground.start < end < ground.end
            and not any(each.start < end < each.end for each in held)
        )
        if not inside:
            return self._volume.cut(ground, self._size)
        return [Window(*edges) for edges in pairwise([ground.start, *inside, ground.end])]


@dataclass(frozen=True)
class _Taken:
    """Ground that is spoken for, in the terms of `holes`."""

    window: Window
    settled: bool = False
