"""What the plan has to know of the lake: held windows, refusals, what was spent.

Belongs here: reading names and footers into the plan's terms. Does not: deciding (`plan.py`).

Names tell all of a settled window, so footers are read of days that are not settled only: a tick
costs the same whatever the history, but for the listing of its days.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, date, datetime

from stdm_platform.catalog import DMOS, Dmo
from stdm_platform.errors import DamagedFileError
from stdm_platform.extraction.absence import is_absent
from stdm_platform.extraction.cost import Experience
from stdm_platform.extraction.due import HeldGround, RefusedGround
from stdm_platform.extraction.nearby import known_around, with_figures
from stdm_platform.extraction.plan import DueWindow, Holdings, Plan, plan_of
from stdm_platform.extraction.ranges import fitted
from stdm_platform.extraction.verification import DayToVerify
from stdm_platform.extraction.volume import Size, Volume
from stdm_platform.lake import Lake, Reading, Window, cut_to_millisecond, evidence_of_path

logger = logging.getLogger(__name__)


def plan_now(
    lake: Lake,
    *,
    start: date,
    now: datetime,
    budget: int | None = None,
    dmos: Iterable[Dmo] = DMOS,
) -> Plan:
    """The plan for this lake; see `plan_of`. Asks nobody."""
    wanted = list(dmos)
    found = [holdings_of(lake, dmo, start=start, now=now) for dmo in wanted]
    spent = 0 if budget is None else spent_on(lake, wanted, now.date())
    lake.footers.save()
    return plan_of(found, start=start, now=now, budget=budget, spent=spent)


def request_of(
    lake: Lake, dmos: Iterable[Dmo], windows: Sequence[Window], *, now: datetime
) -> Plan:
    """What a request for these windows would read, and its cost, in the terms of a plan.

    Raises:
        ArgumentError: a held window would have to be read again whole, and it ends after now.
    """
    now = cut_to_millisecond(now.astimezone(UTC))
    by_day: dict[date, list[Window]] = {}
    for window in windows:
        by_day.setdefault(window.day, []).append(window)
    asked = []
    for dmo in dmos:
        known = known_around(lake, dmo, {*by_day, *lake.days(dmo.name)[-1:]})
        experience, volume = Experience.of(known), Volume.of(known)
        size = Size.at_price(experience.surcharge)
        for day, wanted in by_day.items():
            held = [each for each in known if each.window.day == day]
            for window in fitted(wanted, [each.window for each in held], now):
                for piece in volume.cut(window, size):
                    estimate = experience.estimate(piece, held)
                    asked.append(DueWindow(dmo.name, piece, "asked", estimate))
    lake.footers.save()
    return Plan(now, min(by_day), tuple(asked))


def counting_of(lake: Lake, wanted: Iterable[DayToVerify], *, now: datetime) -> Plan:
    """The queries that count held windows, and their cost, in the terms of a plan. Asks nobody."""
    held: dict[str, list[HeldGround]] = {}
    asked = list(wanted)
    for each in asked:
        said = [said for _, said in lake.evidence_of_day(each.dmo.name, each.day)]
        held.setdefault(each.dmo.name, []).extend(map(with_figures, said))
    known = {name: Experience.of(ground) for name, ground in held.items()}
    counted = []
    for each in asked:
        name = each.dmo.name
        for stretch in each.stretches():
            window = Window(stretch[0].start, stretch[-1].end)
            of_day = [ground for ground in held[name] if ground.window.day == each.day]
            estimate = known[name].estimate(window, of_day)
            counted.append(DueWindow(name, window, "count", estimate))
    lake.footers.save()
    return Plan(now, min((each.day for each in asked), default=now.date()), tuple(counted))


def holdings_of(lake: Lake, dmo: Dmo, *, start: date, now: datetime) -> Holdings:
    """What is held of a DMO from the start date on."""
    days = [day for day in lake.days(dmo.name) if day >= start]
    held = {day: held_of_day(lake, dmo, day) for day in days}
    refused = {
        day: refused_of_day(lake, dmo, day) for day in lake.refused_days(dmo.name) if day >= start
    }
    sample = [each for ground in held.values() for each in ground if each.rows is not None]
    if not sample and days:
        sample = [with_figures(said) for _, said in lake.evidence_of_day(dmo.name, days[-1])]
    return Holdings(dmo, held, refused, sample, absent=is_absent(lake, dmo, now))


def held_of_day(lake: Lake, dmo: Dmo, day: date) -> list[HeldGround]:
    """What is held of a day; a damaged file is moved to `refused/` and missing."""
    files = lake.windows(dmo.name, day)
    if all(file.settled for file in files):
        return [HeldGround(file.window, settled=True) for file in files]
    return [with_figures(said) for _, said in lake.evidence_of_day(dmo.name, day)]


def refused_of_day(lake: Lake, dmo: Dmo, day: date) -> list[RefusedGround]:
    """The readings of a day that broke their contract."""
    return [
        RefusedGround(refusal.window, refusal.at)
        for refusal in lake.refusals(dmo.name, day)
        if refusal.at is not None
    ]


def spent_on(lake: Lake, dmos: Iterable[Dmo], today: date) -> int:
    """Rows that the org processed on that UTC day, as far as it said so."""
    return sum(
        reading.rows_processed or 0
        for dmo in dmos
        for reading in readings_of(lake, dmo)
        if reading.read_at.date() == today
    )


def readings_of(lake: Lake, dmo: Dmo) -> Iterator[Reading]:
    """Every reading of a DMO that a footer tells of, those that were refused included."""
    for day in lake.days(dmo.name):
        for _, said in lake.evidence_of_day(dmo.name, day):
            yield from said.readings
    yield from refused_readings(lake, dmo)


def refused_readings(lake: Lake, dmo: Dmo) -> Iterator[Reading]:
    """The readings of a DMO that were billed and refused."""
    for day in lake.refused_days(dmo.name):
        for refusal in lake.refusals(dmo.name, day):
            if refusal.kind != "contract":
                continue  # the readings of a damaged file are lost with its footer
            try:
                yield from evidence_of_path(refusal.path).readings
            except (OSError, DamagedFileError):  # refused before a query was made
                logger.debug("%s tells of no reading", refusal.path)
