"""What rows that are held say of the source: unseen values, columns that were not there.

Belongs here: reading it from the evidence of windows. Pure. Does not: what an org shows without rows
(`schema_drift.py`), judging a window (`contract.py`).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, timedelta

from stdm_platform.catalog import Column, Dmo
from stdm_platform.guard.catalog_edits import accept_value, nearest
from stdm_platform.guard.drift import Drift
from stdm_platform.guard.vocabulary import OTHERS, SENTINELS
from stdm_platform.lake import Evidence

COUNTED_BY = frozenset(
    {
        "participant_role",
        "interaction_type",
        "step_type",
        "message_type",
        "end_type",
        "category",
        "feedback_value",
        "tag",
    }
)
"""Lake columns whose words the models compare with: a word that they do not know counts as nothing."""
REPLACING, FEW_ROWS = 0.05, 10
"""Share of a window's rows, and rows, from which on an unknown word is more than news."""
REPLACED = "value_replaced"


@dataclass
class HeldColumns:
    """What the windows of a DMO hold: lake columns with values, and days without, oldest first."""

    with_values: set[str] = field(default_factory=set)
    days_without: dict[str, list[date]] = field(default_factory=dict)
    last_day: date | None = None

    @classmethod
    def of(cls, dmo: Dmo, held: Iterable[Evidence]) -> HeldColumns:
        """Of these windows, in any order; windows without rows say nothing."""
        found = cls()
        for said in sorted((each for each in held if each.rows), key=lambda each: each.window):
            lacking = {name.lower() for name in said.absent_columns}
            found.last_day = said.window.day
            for column in dmo.columns:
                if lacking.isdisjoint(name.lower() for name in column.candidates):
                    found.with_values.add(column.name)
                    continue
                days = found.days_without.setdefault(column.name, [])
                if days[-1:] != [said.window.day]:
                    days.append(said.window.day)
        return found


def value_drifts(dmo: Dmo, held: Iterable[Evidence]) -> list[Drift]:
    """The values that windows hold and the vocabulary, as it is now, lacks; each since its first day.

    News, but where the marts count by the column and the value has taken the place of known ones.
    """
    first: dict[tuple[str, str], Drift] = {}
    for said in sorted(held, key=lambda each: each.window):
        for source, values in said.profile.get("unseen", {}).items():
            column = _column(dmo, source)
            if column is None:
                continue
            known = {*SENTINELS, OTHERS, *(each.value for each in column.vocabulary)}
            for value, rows in values.items():
                was = first.get((source, value))
                if value in known or (was is not None and was.kind == REPLACED):
                    continue
                if _takes_place(column, value, rows, said):
                    first[source, value] = _drift(dmo, column, source, value, said, replaced=True)
                elif was is None:
                    first[source, value] = _drift(dmo, column, source, value, said)
    return list(first.values())


def _takes_place(column: Column, value: str, rows: int, said: Evidence) -> bool:
    """Whether so many rows hold an unknown word that what is counted by known ones is wrong."""
    if column.name not in COUNTED_BY or rows < FEW_ROWS:
        return False
    in_other_letters = {each.value.casefold() for each in column.vocabulary}
    return rows >= REPLACING * said.rows and value.casefold() not in in_other_letters


def _drift(
    dmo: Dmo, column: Column, source: str, value: str, said: Evidence, *, replaced: bool = False
) -> Drift:
    name, day = str(said.profile.get("object") or dmo.objects[0]), said.window.day
    action = accept_value(dmo, column, value, f"org {said.org_id}, {day:%Y-%m}")
    if not replaced:
        return Drift("new_value", "news", dmo.name, name, source, "", value, day, action)
    like = nearest(value, [each.value for each in column.vocabulary]) or ""
    old = f'"{like}"' if like else "known values"
    action = (
        f"{said.profile['unseen'][source][value]:,} of {said.rows:,} rows of {day} hold it. The marts "
        f"count rows by {column.name} and do not know it: what they count by {old} lacks these rows. "
        f"Teach it to the models that read stg_{dmo.name}. {action}"
    )
    return Drift(REPLACED, "warn", dmo.name, name, source, like, value, day, action)


def null_day_drifts(
    dmo: Dmo, held: HeldColumns, *, present: Iterable[str] | None, object_name: str
) -> list[Drift]:
    """Columns that days hold no value of because the org lacked them when they were read.

    Args:
        dmo: the catalog's entry.
        held: what the windows say.
        present: lake columns that the org has now: their days can be read again. Others are told by
            `schema_drifts`. None: no look was ever kept, so what the newest day lacks is told here.
        object_name: for the words.
    """
    found = []
    for column in dmo.columns:
        days = held.days_without.get(column.name)
        # Columns of text may have been left out by our own STDM_TEXT=none; kq_ columns nobody reads.
        if not days or column.sensitivity == "text" or column.name.startswith("kq_"):
            continue
        old = f"{len(days)} day{'s' * (len(days) > 1)} without it, {days[0]} to {days[-1]}"
        if present is not None and column.name in present:
            action = (
                f"The org has it now. To have its values: stdm extract --table {dmo.name} "
                f"--since {days[0]} --until {days[-1] + timedelta(days=1)}."
            )
        elif present is None and days[-1] == held.last_day:
            action = "It is null in the lake; `stdm drift --probe` asks whether the org has it now."
        else:
            continue
        found.append(
            Drift("null_in_days", "news", dmo.name, object_name, column.source, old,
                  "no value", days[0], action)
        )  # fmt: skip
    return found


def _column(dmo: Dmo, source: str) -> Column | None:
    return next(
        (
            column
            for column in dmo.columns
            if source.lower() in (name.lower() for name in column.candidates)
        ),
        None,
    )
