"""Ask the source for the figures of one day's windows and compare them.

Belongs here: the queries of one DMO and day, and windows that other runs replace meanwhile. Does not:
comparing one window (`comparison.py`), several days (`verification.py`).

Windows that meet are asked for in one query, so no window is cut in two and each row is billed once.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from itertools import groupby, pairwise

from stdm_platform.catalog import Dmo
from stdm_platform.errors import (
    FieldNotFoundError,
    ObjectNotFoundError,
    QueryError,
    SourceError,
    StdmError,
)
from stdm_platform.extraction.asking import until_answered
from stdm_platform.extraction.comparison import WindowCheck, compared
from stdm_platform.extraction.figures import (
    Figures,
    figures_of_answer,
    figures_query,
    summed_columns,
)
from stdm_platform.extraction.outcome import place_of
from stdm_platform.extraction.shape import SourceShape
from stdm_platform.extraction.source import Source
from stdm_platform.extraction.sql import fresh_nonce
from stdm_platform.guard import is_accepted
from stdm_platform.lake import Lake, Window
from stdm_platform.lake.older import refuse_other_types

ATTEMPTS = 3
"""How often windows are asked for that other runs replace while they are counted."""


@dataclass(frozen=True)
class DayCheck:
    """What was found of one DMO and day.

    `replaced` are windows that other runs replaced each time they were counted; `is_plain` says that
    the org refused all but counts.
    """

    dmo: Dmo
    day: date
    windows: tuple[WindowCheck, ...] = ()
    replaced: tuple[Window, ...] = ()
    rows_processed: int | None = None
    queries: int = 0
    is_absent: bool = False
    is_plain: bool = False
    error: StdmError | None = None

    @property
    def differing(self) -> list[WindowCheck]:
        """The windows that are not equal."""
        return [each for each in self.windows if each.kind != "equal"]


def verify_day(
    client: Source, lake: Lake, shape: SourceShape, windows: Sequence[Window], *, text: str = "keep"
) -> DayCheck:
    """Ask for the windows of a day and compare them; whole windows, as the lake holds them now.

    A window that another run replaces meanwhile is asked for again, and told as replaced in the end:
    never as a difference.

    Raises:
        StdmError: the source's or the disk's, with the place `<dmo> of <day>`.
    """
    try:
        return _Day(client, lake, shape, windows, text).checked()
    except StdmError as error:
        raise error.during(place_of(shape.dmo, windows[0].day))  # noqa: B904  # the same error


@dataclass
class _Day:
    client: Source
    lake: Lake
    shape: SourceShape
    windows: Sequence[Window]
    text: str
    billed: list[int | None] = field(default_factory=list)
    is_plain: bool = False

    def checked(self) -> DayCheck:
        dmo, day = self.shape.dmo, self.windows[0].day
        self._refuse_other_clock()
        asked: Sequence[Window] = self.windows
        done: list[WindowCheck] = []
        for _ in range(ATTEMPTS):
            found = self._compared(asked)
            names = {file.path.name for file in self.lake.windows(dmo.name, day)}
            whole = [each for each in (*done, *found) if each.kind != "replaced"]
            done = [each for each in whole if each.file.path.name in names]
            asked = [each.file.window for each in found if each not in done]
            if not asked:
                break
        said = [each for each in self.billed if each is not None]
        return DayCheck(
            dmo,
            day,
            tuple(sorted(done, key=lambda each: each.file.window)),
            tuple(asked),
            sum(said) if said else None,
            len(self.billed),
            is_plain=self.is_plain,
        )

    def _compared(self, asked: Sequence[Window]) -> list[WindowCheck]:
        held = [
            each
            for each in self.lake.evidence_of_day(self.shape.dmo.name, asked[0].day)
            if any(each[0].window.overlaps(window) for window in asked)
        ]
        refuse_other_types(self.shape.dmo, (file for file, _ in held), self.lake.footers)
        found = []
        for windows in meeting(file.window for file, _ in held):
            stretch = [each for each in held if each[0].window in windows]
            answers = self._asked(windows)
            for each, source in zip(stretch, answers, strict=True):
                quarantine = self.lake.quarantine_file(each[0])
                found.append(compared(self.shape, each, source, quarantine))
        return found

    def _asked(self, windows: Sequence[Window]) -> list[Figures]:
        if not self.is_plain:
            try:
                return self._figures(windows)
            except (ObjectNotFoundError, FieldNotFoundError):
                raise
            except QueryError:  # an engine without one of the functions still counts
                self.is_plain = True
        return self._figures(windows)

    def _figures(self, windows: Sequence[Window]) -> list[Figures]:
        names = [] if self.is_plain else summed_columns(self.shape, self.text)

        def ask() -> list[Figures]:
            asked = figures_query(
                self.shape, windows, text=self.text, nonce=fresh_nonce(), plain=self.is_plain
            )
            result = self.client.query(*asked)
            self.billed.append(result.rows_processed)  # also where the answer is lost
            return figures_of_answer(result, names, len(windows))

        return until_answered(ask)

    def _refuse_other_clock(self) -> None:
        clock = self.shape.dmo.clock
        if self.shape.dmo.is_catalogue:
            return
        served = self.shape.types.get(clock, "null")
        if not is_accepted("timestamp", served):
            raise SourceError(
                f"{self.shape.columns[clock]} is served as {served} instead of timestamp, so no row "
                "can be placed in a window.",
                action="Ask the org's admin why its type was changed.",
            )


def meeting(windows: Iterable[Window]) -> list[list[Window]]:
    """The windows in order, in groups that have no gap in them and no midnight."""
    ordered = sorted(windows)
    groups = [0] * len(ordered)
    for place, (before, window) in enumerate(pairwise(ordered), start=1):
        is_next = before.end == window.start and before.day == window.day
        groups[place] = groups[place - 1] + (0 if is_next else 1)
    pairs = zip(groups, ordered, strict=True)
    return [[window for _, window in part] for _, part in groupby(pairs, key=lambda each: each[0])]
