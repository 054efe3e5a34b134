"""Days whose figures lie beyond what is usual, as drifts: each once, however many days it lasts.

Belongs here: putting the findings of several days together, the next action. Does not: the judging
(`findings.py`), telling people (`orchestration`, `cli`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta

from stdm_platform.catalog import DMOS, Dmo
from stdm_platform.catalog.routes import ROOT
from stdm_platform.guard.drift import Drift
from stdm_platform.guard.findings import Figures, Finding
from stdm_platform.lake import Lake

LOOKED_AT = 14
"""Held days of each DMO that are judged; older ones were told when they were new."""
SAME_WITHIN = timedelta(days=3)
"""Days with the same finding that lie so near are one drift."""

ACTIONS: Mapping[str, str] = {
    "volume": "Compare with `stdm count`; if the org has these rows, read the day again, else ask "
    "who writes the stream of {object}.",
    "null_share": "Look at some rows of {object} in Data 360: does another column hold the value now? "
    "If so, add its name to `other_sources` in the catalog entry {dmo}.",
    "text_decodes": "Look at some rows of {object} in Data 360: the marts read such text as nothing. "
    "If the form has changed for good, teach it to the macro decoded_json.",
    "duplicate_share": "Look for a second stream that writes to {object}: rows stand there twice "
    "under different keys, and counts are too high.",
}
"""By kind of drift."""


def profile_findings(
    lake: Lake, dmos: Sequence[Dmo] = DMOS, *, since: date | None = None
) -> list[Drift]:
    """Warnings about the figures of held days, and news of what may be holidays; oldest first.

    Asks nobody.

    Args:
        lake: whose evidence is judged.
        dmos: the objects wanted; the others are compared with all the same.
        since: the first day to judge; by default the last fourteen held days of each object.
    """
    figures = Figures(lake)
    found: list[Drift] = []
    for dmo in dmos:
        held = lake.days(dmo.name)
        first = since or (held[-LOOKED_AT:] or [date.max])[0]
        # What began before is one drift with what came after: its first day must not move on.
        while (
            held
            and first > held[0]
            and _fired(figures, dmo, [day for day in held if day < first][-1:])
        ):
            first = [day for day in held if day < first][-1]
        found += _drifts(_fired(figures, dmo, [day for day in held if day >= first]))
    lake.footers.save()
    return sorted(found, key=lambda each: each.first_day)


def _fired(figures: Figures, dmo: Dmo, days: Sequence[date]) -> list[Finding]:
    return [each for day in days for each in figures.judge(dmo, day) if _is_told(each)]


def _is_told(each: Finding) -> bool:
    """What may be a holiday is told of the object that all others hang on, once and as news."""
    return each.judged.fired or (each.judged.noted and each.dmo.name == ROOT)


def _drifts(fired: Sequence[Finding]) -> list[Drift]:
    runs: dict[tuple[str, str], list[list[Finding]]] = {}
    for each in fired:
        of_kind = runs.setdefault((each.kind, each.column), [])
        if of_kind and each.day - of_kind[-1][-1].day <= SAME_WITHIN:
            of_kind[-1].append(each)
        else:
            of_kind.append([each])
    return [_drift(run) for of_kind in runs.values() for run in of_kind]


def _drift(run: Sequence[Finding]) -> Drift:
    first, last = run[0], run[-1]
    name = last.object_name or last.dmo.objects[0]
    action = ACTIONS[first.kind].format(object=name, dmo=last.dmo.name)
    return Drift(
        kind=first.kind,
        severity="warn" if any(each.judged.fired for each in run) else "news",
        dmo=first.dmo.name,
        object_name=name,
        column=first.dmo[first.column].source if first.column else "",
        old=first.judged.expected,
        new=first.judged.found,
        first_day=first.day,
        action=f"{last.day}: {last.judged.sentence} {action}",
    )
