"""What the figures of a report rest on: its days, and how far the objects that they need are held.

Belongs here: coverage and age of a scope's data, in numbers and in words. Does not: figures.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from stdm_platform.catalog import DMOS
from stdm_platform.insight import Scope, freshness, query
from stdm_platform.insight.asking import one
from stdm_platform.insight.coverage import coverage
from stdm_platform.lake import Lake
from stdm_platform.marts import MartStore

LONGEST_AXIS = 1000
"""Days of an axis; a range without sessions at its ends is cut to the days that have some."""


@dataclass(frozen=True)
class Held:
    """How far one object is held: on how many session days of the scope, and up to which instant (UTC)."""

    days: int
    until: datetime | None


@dataclass(frozen=True)
class Ground:
    """The scope with what is held of it; `facts` are those of `freshness`, `made_at` (UTC) is the page's.

    `held` is empty where marts were copied without their lake: then nobody can tell.
    """

    scope: Scope
    made_at: datetime
    facts: Mapping[str, Any]
    session_days: int
    held: Mapping[str, Held]
    all_days: tuple[date, date] | None

    @property
    def is_empty(self) -> bool:
        """Whether no session, preview or not, started in the scope."""
        return not self.facts["sessions"]

    @property
    def axis(self) -> list[date]:
        """The days of the charts, oldest first: of the range, else those from the first to the last session."""
        first = self.scope.since or self.facts["first_day"]
        end = self.scope.until or self.facts["last_day"] + timedelta(days=1)
        if (end - first).days > LONGEST_AXIS:
            first, end = self.facts["first_day"], self.facts["last_day"] + timedelta(days=1)
        return [first + timedelta(days=number) for number in range((end - first).days)]

    def age(self, objects: Sequence[str]) -> str:
        """How old the data of a figure is that needs these objects."""
        newest = self.facts["newest_session_at"]
        parts = [f"newest session {newest:%Y-%m-%d %H:%M} UTC"] if newest else []
        until = {name: self.held[name].until for name in objects if name in self.held}
        ends = {end for end in until.values() if end is not None}
        if len(ends) == 1 and None not in until.values():
            parts.append(f"{' and '.join(until)} {self._held_to(ends.pop())}")
        else:
            parts += [
                f"{name} {self._held_to(end)}" if end else f"{name} never extracted"
                for name, end in until.items()
            ]
        return "; ".join(parts)

    def never(self, objects: Sequence[str]) -> list[str]:
        """Which of these objects are held on none of the session days."""
        return [name for name in objects if name in self.held and not self.held[name].days]

    def gaps(self, objects: Sequence[str]) -> list[str]:
        """What of these objects is missing on some of the session days, as sentences."""
        return [
            f"{name} are held on {self.held[name].days:,} of {self.session_days:,} session days; "
            "the rest is unknown and not counted as nothing."
            for name in objects
            if name in self.held and self.held[name].days < self.session_days
        ]

    def _held_to(self, end: datetime) -> str:
        return f"held up to {end:%Y-%m-%d %H:%M} UTC ({ago(self.made_at - end)})"


def ground_of(store: MartStore, scope: Scope, made_at: datetime) -> Ground:
    """What the lake and the marts hold for the scope; file names are read, no footers.

    Raises:
        NotExtractedError: no marts were published yet.
    """
    lake = Lake(store.data_dir)
    covered = coverage(store, scope, [entry.name for entry in DMOS])
    where, values = scope.with_previews().where()
    days = one(
        store,
        f"select count(distinct session_date) as days from session_summary where {where}",
        values,
    )
    entries = DMOS if lake.days("sessions") else ()
    until = {entry.name: _held_until(lake, entry.name) for entry in entries}
    held = {
        # A catalogue is read as a whole, and its newest reading is good for every day.
        entry.name: Held(
            covered.days if entry.is_catalogue and until[entry.name] else covered.held[entry.name],
            until[entry.name],
        )
        for entry in entries
    }
    (bounds,) = query(
        store, "select min(session_date) as first, max(session_date) as last from session_summary"
    ).iter_rows()
    return Ground(
        scope=scope,
        made_at=made_at,
        facts=freshness(store, scope),
        session_days=days["days"],
        held=held,
        all_days=None if bounds[0] is None else bounds,
    )


def _held_until(lake: Lake, name: str) -> datetime | None:
    for day in reversed(lake.days(name)):
        ends = [file.window.end for file in lake.windows(name, day)]
        if ends:
            return max(ends)
    return None


def ago(age: timedelta) -> str:
    """An age in words; ends of windows lie in the future where a catalogue is read for its whole day.

    >>> ago(timedelta(hours=3)), ago(timedelta(days=3)), ago(timedelta(hours=-1))
    ('3 h before this page', '3 days before this page', 'as far as there is any')
    """
    hours = age / timedelta(hours=1)
    if hours < 0:
        return "as far as there is any"
    if hours < 1:
        return "less than an hour before this page"
    return f"{hours:.0f} h before this page" if hours < 48 else f"{hours / 24:.0f} days before this page"  # fmt: skip
