"""Figures of days from their evidence, such that days compare with each other.

Belongs here: rows of a day as they were read at some age, shares from profiles. Does not: what is
usual (`ranges.py`, `shares.py`), reading footers (`lake`).

Rows land late, so a day read an hour after its end compares only with days read at that age. The
readings in the footers say what each found of which ground; the last ones up to an age, that cover
the day, give its rows at that age. Days that were only read later stand in with a part less.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from stdm_platform.catalog import Dmo
from stdm_platform.lake import Evidence, Reading, Window

ONE_DAY = timedelta(days=1)
LATE = 0.85
"""Of the rows of a day that was only read later, so many are taken to have been there earlier."""


@dataclass(frozen=True)
class DayFigures:
    """One held day of one DMO. Ages are places in `ages_of`, -1 before a day has ended.

    `by_age` has the rows that readings up to an age found, and the least age among them; only ages
    at which the readings cover the day. `shares` maps (trait, lake column) to rows with and of.
    """

    day: date
    age: int
    object_name: str
    by_age: Mapping[int, tuple[int, int]]
    shares: Mapping[tuple[str, str], tuple[int, int]]


def ages_of(dmo: Dmo) -> tuple[timedelta, ...]:
    """The ages at which held ground is read, the first at once, the last when it is settled."""
    return (timedelta(0), *dmo.again_after, dmo.settle_time)


def first_late_age(dmo: Dmo) -> int:
    """The place of the first age at which most rows of a day have landed, whatever the object."""
    return next(place for place, age in enumerate(ages_of(dmo)) if age >= ONE_DAY)


def figures_of(dmo: Dmo, day: date, held: Sequence[Evidence]) -> DayFigures:
    """The figures of a day from the evidence of its windows."""
    ages = ages_of(dmo)
    readings = [reading for said in held for reading in _readings(said)]
    by_age = {
        age: found
        for age in range(len(ages))
        if (found := _rows_at(age, ages, readings)) is not None
    }
    last = _rows_at(len(ages), ages, readings)
    names = [str(said.profile["object"]) for said in held if said.profile.get("object")]
    return DayFigures(
        day, -1 if last is None else last[1], names[-1] if names else "", by_age, _shares(dmo, held)
    )


def rows_as_read_at(age: int, figures: Iterable[DayFigures]) -> dict[date, int]:
    """The rows of each day as far as they were there at that age."""
    found = {}
    for each in figures:
        if age in each.by_age:
            found[each.day] = each.by_age[age][0]
        elif later := [place for place in each.by_age if place > age]:
            found[each.day] = round(each.by_age[min(later)][0] * LATE)
    return found


def _readings(said: Evidence) -> Iterable[Reading]:
    """Those that say what they found; the last one's rows stand in the evidence anyway."""
    for reading in said.readings[:-1]:
        if reading.rows is not None and reading.window is not None:
            yield reading
    last = said.readings[-1]
    yield Reading(
        last.read_at, last.query_id, last.sql_sha256, None, last.transport, said.rows, said.window
    )


def _rows_at(
    age: int, ages: Sequence[timedelta], readings: Sequence[Reading]
) -> tuple[int, int] | None:
    """Rows found by the last readings up to an age, and the least of their ages."""
    kept: list[tuple[Window, int, int]] = []
    for reading in sorted(readings, key=lambda each: each.read_at, reverse=True):
        window, rows = reading.window, reading.rows
        if window is None or rows is None:
            continue
        own = sum(reading.read_at - window.end >= each for each in ages) - 1
        if own <= age and not any(window.overlaps(other) for other, _, _ in kept):
            kept.append((window, rows, own))
    if sum((window.end - window.start for window, _, _ in kept), timedelta(0)) < ONE_DAY:
        return None
    return sum(rows for _, rows, _ in kept), min(own for _, _, own in kept)


def _shares(dmo: Dmo, held: Sequence[Evidence]) -> dict[tuple[str, str], tuple[int, int]]:
    parts: Counter[tuple[str, str]] = Counter()
    wholes: Counter[tuple[str, str]] = Counter()
    for said in held:
        if "nulls" not in said.profile:
            continue
        absent = {name.lower() for name in said.absent_columns}
        nulls = said.profile["nulls"]
        for column in dmo.columns:
            if not absent.intersection(name.lower() for name in column.candidates):
                parts["nulls", column.name] += nulls.get(column.name, 0)
                wholes["nulls", column.name] += said.rows
        pairs = {("undecoded", name): of for name, of in said.profile.get("undecoded", {}).items()}
        pairs["repeats", ""] = said.profile.get("repeats", (0, 0))
        for trait, (part, whole) in pairs.items():
            # A sample stands for its window, so that small windows do not outweigh large ones.
            weight = said.rows / whole if trait[0] == "repeats" and whole else 1.0
            parts[trait] += round(part * weight)
            wholes[trait] += round(whole * weight)
    return {trait: (parts[trait], whole) for trait, whole in wholes.items() if whole}
