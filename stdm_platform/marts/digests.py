"""Which mart days are due: what each was built from, against what the lake holds.

Belongs here: the digest of a mart day, and the functions that compare digests. Does not: building.

Nothing is recorded besides the files: a published mart file names the digest of the lake days and
of the models that made it. So a crash, a lost event or a deleted cache can make a day late, never
wrong.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import date, timedelta
from functools import cache
from pathlib import Path

from stdm_platform.catalog import DMOS
from stdm_platform.extraction.drifts import blocked_objects
from stdm_platform.lake import Evidence, Lake, Snapshot, late_days, reading_that_counts
from stdm_platform.marts.store import DBT_PROJECT, Generation, MartStore

CHILD_HORIZON = 1
"""Days after its start day up to which a session's children are read (`child_horizon` in dbt)."""

SESSIONS = "sessions"
CATALOGUES = tuple(dmo.name for dmo in DMOS if dmo.is_catalogue)
CHILDREN = tuple(dmo.name for dmo in DMOS if dmo.name != SESSIONS and not dmo.is_catalogue)
WRITTEN_LATE = {
    dmo.name: dmo.written_within_days for dmo in DMOS if dmo.written_within_days > CHILD_HORIZON
}
"""Objects of which rows about a session are written after the horizon too, and the days in which they are.
Days after the horizon count once all of them were read (`late_days`), so a session day is built once more for
them and not once for each."""
WITH_ORPHANS = ("participants", "interactions", "steps", "messages", "moments")
"""Objects whose rows have to have a parent; of the others many belong to no session."""
PARENTS = tuple(
    dmo.name
    for dmo in DMOS
    if any(
        column.references == dmo.name and not column.owns
        for other in DMOS
        if other.name in WITH_ORPHANS and other != dmo
        for column in other.columns
    )
)
"""What those rows refer to; orphans are told by the parents of the day before too."""
OWNERS = ("steps", "generations", "gateway_requests", "gateway_responses", "content_quality")
"""Through what the audit objects reach their session: a row that looks like nobody's just after midnight
may be of a session of the day before."""
OF_DAY_BEFORE = tuple(sorted({*PARENTS, *OWNERS}))
ONE_DAY = timedelta(days=1)

EvidenceOfDay = Callable[[str, date], Iterable[Evidence]]


def lake_days_of(session_day: date) -> list[tuple[str, date]]:
    """The lake days, as DMO and day, that a session day is built from; catalogues have none."""
    needed = [(SESSIONS, session_day)]
    for later in range(CHILD_HORIZON + 1):
        needed += [(name, session_day + later * ONE_DAY) for name in CHILDREN]
    for earlier in range(1, CHILD_HORIZON + 1):
        needed += [(name, session_day - earlier * ONE_DAY) for name in OF_DAY_BEFORE]
    return needed


class LakeDigests:
    """Digests of session days over one source of evidence, each lake day looked at once.

    `held` are the days under which catalogues, and objects that are written late, were read.
    """

    def __init__(
        self, evidence_of_day: EvidenceOfDay, held: Mapping[str, Collection[date]]
    ) -> None:
        self._evidence_of_day = evidence_of_day
        self._held = held
        self._days: dict[tuple[str, date], str] = {}

    def of(self, session_day: date) -> str:
        """The digest of all that a session day is built from, the models included."""
        facts = [models_digest()]
        facts += [
            f"{name} {day} {self.of_lake_day(name, day)}" for name, day in lake_days_of(session_day)
        ]
        facts += [f"{name} {self._of_catalogue(name, session_day)}" for name in CATALOGUES]
        facts += [
            f"{name} {late} {self._of_content(name, late)}"
            for name, within in WRITTEN_LATE.items()
            for late in late_days(self._held.get(name, ()), session_day, within)
        ]
        return _short("\n".join(facts), 16)

    def of_lake_day(self, name: str, day: date) -> str:
        """The digest of one DMO and day: its windows, checksums and what is final of it."""
        if (name, day) not in self._days:
            facts = sorted(said.line for said in self._evidence_of_day(name, day))
            self._days[name, day] = _short("\n".join(facts), 16)
        return self._days[name, day]

    def _of_catalogue(self, name: str, session_day: date) -> str:
        """What is held in the reading that counts for the day, not when it was read: it rarely changes."""
        day = reading_that_counts(self._held.get(name, ()), session_day)
        if day is None:
            return ""
        return self._of_content(name, day)

    def _of_content(self, name: str, day: date) -> str:
        """What was read, and neither when nor whether it is final."""
        key = (f"{name} as a whole", day)
        if key not in self._days:
            said = self._evidence_of_day(name, day)
            facts = sorted(f"{each.checksum} {sorted(each.absent_columns)}" for each in said)
            self._days[key] = _short("\n".join(facts), 16)
        return self._days[key]


def lake_digests(lake: Lake) -> LakeDigests:
    """Digests of what the lake holds now."""
    held = {name: set(lake.days(name)) for name in (SESSIONS, *CHILDREN, *CATALOGUES)}

    def evidence_of_day(name: str, day: date) -> list[Evidence]:
        return (
            [said for _, said in lake.evidence_of_day(name, day)]
            if day in held.get(name, ())
            else []
        )

    return LakeDigests(
        evidence_of_day, {name: lake.days(name) for name in (*CATALOGUES, *WRITTEN_LATE)}
    )


def snapshot_digests(snapshot: Snapshot) -> LakeDigests:
    """Digests of what a snapshot links."""
    held = {name: {file.day for file in snapshot.of(name)} for name in (*CATALOGUES, *WRITTEN_LATE)}
    return LakeDigests(
        lambda name, day: [
            snapshot.evidence(file) for file in snapshot.of(name) if file.day == day
        ],
        held,
    )


def session_days_due(lake: Lake, store: MartStore) -> list[date]:
    """The session days whose published marts are missing or were made from something else.

    Days that were published and are no longer held stay as they are: their rows are the last
    good ones until the lake has the day again.
    """
    digests = lake_digests(lake)
    published = published_digests(store.current())
    marts = mart_names()
    return [
        day
        for day in lake.days(SESSIONS)
        if {published.get((mart, day)) for mart in marts} != {digests.of(day)}
    ]


def session_days_to_build(lake: Lake, store: MartStore) -> list[date]:
    """The session days that are due and not blocked.

    A day is blocked by a refusal that still stands on it, and by an object that cannot be read any
    more and of which nothing is held of that day: without it counts would be too low.
    """
    due = session_days_due(lake, store)
    blocked = {
        day
        for name in (SESSIONS, *CHILDREN)
        for day in set(due).intersection(lake.refused_days(name))
        if lake.standing_refusal(name, day) is not None
    }
    for name in blocked_objects(lake).difference(CATALOGUES) if due else ():
        blocked |= set(due).difference(lake.days(name))
    return [day for day in due if day not in blocked]


def touched_session_days(
    lake: Lake, days: Iterable[date], *, blocked: Collection[date] = ()
) -> list[date]:
    """The held session days that these lake days can change: each day and its two neighbours.

    The day before has its late children here, the day after its parents. `blocked` are days that a
    contract refused: their marts stay as they are.
    """
    reach = range(-CHILD_HORIZON, CHILD_HORIZON + 1)
    reached = {day + step * ONE_DAY for day in days for step in reach}
    return sorted(reached.intersection(lake.days(SESSIONS)).difference(blocked))


def session_days_after(
    lake: Lake, store: MartStore, days: Iterable[date], *, blocked: Collection[date] = ()
) -> list[date]:
    """The session days to build after these lake days were read: they, and others that are due by them.

    A day that was asked for is built even if nothing of it changed; a neighbour, or a day of which what is
    written late is told by now, only if it did.
    """
    own = set(days)
    reach = range(CHILD_HORIZON + 1, max(WRITTEN_LATE.values(), default=0) + 2)
    earlier = {day - step * ONE_DAY for day in own for step in reach}
    touched = set(touched_session_days(lake, own, blocked=blocked))
    touched |= earlier.intersection(lake.days(SESSIONS)).difference(blocked)
    due = set(session_days_to_build(lake, store)) if touched - own else set()
    return sorted(day for day in touched if day in own or day in due)


def published_digests(generation: Generation | None) -> Mapping[tuple[str, date], str]:
    """The digest of each published mart day, from file names."""
    if generation is None:
        return {}
    return {
        (file.mart, file.day): file.digest
        for mart in generation.marts()
        for file in generation.files(mart)
    }


def mart_names() -> list[str]:
    """The marts that the dbt project makes."""
    return sorted(path.stem for path in (DBT_PROJECT / "marts").glob("*.sql"))


def project_files() -> list[Path]:
    """Every file that decides what dbt does."""
    wanted = {".sql", ".yml", ".csv"}
    return sorted(path for path in DBT_PROJECT.rglob("*") if path.suffix in wanted)


@cache
def models_digest() -> str:
    """A digest of all models, macros and seeds: another text or price makes every mart day due."""
    folders = {"macros", "staging", "intermediate", "marts", "seeds"}
    models = [
        path for path in project_files() if path.suffix != ".yml" and path.parent.name in folders
    ]
    return digest_of_files(models)


def digest_of_files(paths: Iterable[Path]) -> str:
    """A digest of names and contents."""
    parts = [f"{path.name} {hashlib.sha256(path.read_bytes()).hexdigest()}" for path in paths]
    return _short("\n".join(parts), 8)


def _short(text: str, length: int) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:length]
