"""Which held days lie beyond what is usual, and the words for it.

Belongs here: judging the days of a lake from their evidence; nobody is asked. Does not: the ranges
(`ranges.py`, `shares.py`), telling people (`orchestration`, `cli`).

Rows and empty values of a day are judged from the reading 24 hours after its end on, because rows
land late and values are filled in late. Where days are read sooner and never again, they are judged
as they were read. Repeats and texts are judged at any age.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from stdm_platform.catalog import DMOS, Dmo
from stdm_platform.guard.history import (
    DayFigures,
    figures_of,
    first_late_age,
    rows_as_read_at,
)
from stdm_platform.guard.judgement import Judgement
from stdm_platform.guard.levels import HISTORY
from stdm_platform.guard.ranges import judge_rows
from stdm_platform.guard.shares import judge_share
from stdm_platform.lake import Lake

VOLUME, NULL_SHARE = "volume", "null_share"
TRAITS: Mapping[str, tuple[str, str, float, str]] = {
    "nulls": (NULL_SHARE, "null_share", 0.10, "have no value"),
    "undecoded": (NULL_SHARE, "text_decodes", 0.10, "hold text that does not decode"),
    "repeats": (VOLUME, "duplicate_share", 0.05, "repeat another row under another key"),
}
"""Trait of rows → check, kind of drift, margin of the share, words."""


@dataclass(frozen=True)
class Finding:
    """One figure of one day against its range.

    `check` is the asset check that shows it, `kind` the kind of drift; `column` is a lake column, ""
    for the whole object.
    """

    check: str
    kind: str
    dmo: Dmo
    day: date
    column: str
    object_name: str
    judged: Judgement

    def describe(self) -> str:
        """One line: object, day, column, what was found and expected, and why."""
        source = f" {self.dmo[self.column].source}:" if self.column else ""
        return f"{self.dmo.name} of {self.day}:{source} {self.judged.sentence}"


class Figures:
    """Figures of the days of a lake, each made once; for one evaluation, not to be kept."""

    def __init__(self, lake: Lake, dmos: Sequence[Dmo] = DMOS) -> None:
        self._lake = lake
        self._dmos = dmos
        self._days: dict[str, set[date]] = {}
        self._known: dict[tuple[str, date], DayFigures] = {}

    def judge(self, dmo: Dmo, day: date) -> list[Finding]:
        """What can be judged of a held day; fired or not. A catalogue has no days to compare."""
        if dmo.is_catalogue:
            return []
        own = self._between(dmo, day - HISTORY, day)
        if day not in own:
            return []
        return [*self._rows(dmo, day, own), *self._shares(dmo, day, own)]

    def unripe(self, dmo: Dmo, day: date) -> str:
        """Why rows of a held day are not judged yet; "" if they are, or never will be."""
        if dmo.is_catalogue:
            return ""
        own = self._between(dmo, day - HISTORY, day)
        if day not in own or self._is_ripe(dmo, own[day], own):
            return ""
        return "Rows and empty values are judged from the reading 24 h after the day's end on: rows land late."

    def same_weekdays(self, dmo: Dmo, day: date) -> dict[date, int]:
        """The rows of a held day and of the same weekdays before it, as the day's age makes them comparable.

        Newest first. Empty for a day that is not held, and for a catalogue, which has no days.
        """
        own = {} if dmo.is_catalogue else self._between(dmo, day - HISTORY, day)
        if day not in own:
            return {}
        rows = rows_as_read_at(own[day].age, own.values())
        return {
            each: rows[each] for each in sorted(rows, reverse=True) if (day - each).days % 7 == 0
        }

    def _rows(self, dmo: Dmo, day: date, own: Mapping[date, DayFigures]) -> Iterator[Finding]:
        if not self._is_ripe(dmo, own[day], own):
            return
        age = own[day].age
        others = [
            rows_as_read_at(age, self._between(other, day - HISTORY, day).values())
            for other in self._dmos
            if other.name != dmo.name and not other.is_catalogue
        ]
        judged = judge_rows(rows_as_read_at(age, own.values()), day, others)
        if judged is not None:
            yield Finding(VOLUME, VOLUME, dmo, day, "", own[day].object_name, judged)

    def _shares(self, dmo: Dmo, day: date, own: Mapping[date, DayFigures]) -> Iterator[Finding]:
        ripe = self._is_ripe(dmo, own[day], own)
        for trait, column in own[day].shares:
            if trait == "nulls" and not ripe:
                continue
            check, kind, margin, words = TRAITS[trait]
            shares = {
                each: figures.shares[trait, column]
                for each, figures in own.items()
                if (trait, column) in figures.shares
            }
            judged = judge_share(shares, day, margin=margin, trait=words)
            if judged is not None:
                yield Finding(check, kind, dmo, day, column, own[day].object_name, judged)

    def _is_ripe(self, dmo: Dmo, of_day: DayFigures, own: Mapping[date, DayFigures]) -> bool:
        late = first_late_age(dmo)
        if of_day.age >= late:
            return True
        # A day that ended long ago was read late by now, if days are read again at all.
        before = [each for each in own.values() if each.day < of_day.day - timedelta(days=2)]
        return of_day.age >= 0 and bool(before) and all(each.age < late for each in before)

    def _between(self, dmo: Dmo, first: date, last: date) -> dict[date, DayFigures]:
        if dmo.name not in self._days:
            self._days[dmo.name] = set(self._lake.days(dmo.name))
        held = [day for day in self._days[dmo.name] if first <= day <= last]
        return {day: self._figures(dmo, day) for day in sorted(held)}

    def _figures(self, dmo: Dmo, day: date) -> DayFigures:
        if (dmo.name, day) not in self._known:
            said = [evidence for _, evidence in self._lake.evidence_of_day(dmo.name, day)]
            self._known[dmo.name, day] = figures_of(dmo, day, said)
        return self._known[dmo.name, day]


def judged_days(
    lake: Lake, days: Mapping[str, Iterable[date]], dmos: Sequence[Dmo] = DMOS
) -> list[Finding]:
    """What can be judged of these days of these DMOs (by name), fired or not; days not held are left out."""
    figures = Figures(lake, dmos)
    by_name = {dmo.name: dmo for dmo in dmos}
    found = [
        finding
        for name, of_name in days.items()
        for day in sorted(of_name)
        for finding in figures.judge(by_name[name], day)
    ]
    lake.footers.save()
    return found
