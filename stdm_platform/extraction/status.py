"""How current and how final the lake is, per DMO, and what it has cost.

Belongs here: figures made from names and footers. Does not: asking an org, marts, showing anything.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from stdm_platform.catalog import DMOS, Dmo
from stdm_platform.extraction.holdings import refused_readings
from stdm_platform.extraction.verified import Verified
from stdm_platform.lake import Evidence, Lake, WindowFile, frontier, watermark


@dataclass(frozen=True)
class DmoStatus:
    """The state of one DMO from the start date on; figures of rows and cost are of all that is held.

    `frontier` is the end of the newest window, `watermark` the start of the oldest that is missing
    or unsettled. `settled_share` is the settled part of the time from the start date to now.
    `verified_share` is the part of the held time that `stdm verify` found equal to the source, None
    while nothing is held. A catalogue is final as soon as it is held. `quarantined` rows of what is held are kept aside. `catalog_versions` counts
    the windows that each version of the catalog wrote. `readings` and `rows_processed` count every query that a footer tells of.
    """

    dmo: str
    frontier: datetime | None
    watermark: datetime
    settled_share: float
    age: timedelta | None
    days: int
    rows: int
    quarantined: int
    catalog_versions: Mapping[str, int]
    readings: int
    rows_processed: int
    refused_days: tuple[date, ...]
    verified_share: float | None


def status_of(
    lake: Lake, *, start: date, now: datetime, dmos: Iterable[Dmo] = DMOS
) -> list[DmoStatus]:
    """The state of each DMO; reads the lake only."""
    verified = Verified(lake.data_dir)
    found = [_of_dmo(lake, dmo, start, now, verified) for dmo in dmos]
    lake.footers.save()
    return found


def _of_dmo(lake: Lake, dmo: Dmo, start: date, now: datetime, verified: Verified) -> DmoStatus:
    begin = datetime.combine(start, time(), UTC)
    days = lake.days(dmo.name)
    files = [each for day in days for each in lake.evidence_of_day(dmo.name, day)]
    held: list[Evidence] = [said for _, said in files]
    newest = frontier(held)
    final = newest or begin
    share = float(newest is not None)
    if not dmo.is_catalogue:
        final, share = watermark(held, begin), _settled_share(held, begin, now)
    readings = [reading for said in held for reading in said.readings]
    readings += refused_readings(lake, dmo)
    return DmoStatus(
        dmo=dmo.name,
        frontier=newest,
        watermark=final,
        settled_share=share,
        age=None if newest is None else now - newest,
        days=len(days),
        rows=sum(said.rows for said in held),
        quarantined=sum(said.quarantined_rows for said in held),
        catalog_versions=Counter(said.catalog_version for said in held),
        readings=len(readings),
        rows_processed=sum(reading.rows_processed or 0 for reading in readings),
        refused_days=tuple(
            day
            for day in lake.refused_days(dmo.name)
            if lake.standing_refusal(dmo.name, day) is not None
        ),
        verified_share=_verified_share(dmo, [file for file, _ in files], verified),
    )


def _verified_share(dmo: Dmo, files: Iterable[WindowFile], verified: Verified) -> float | None:
    held = known = timedelta(0)
    for file in files:
        length = file.window.end - file.window.start
        held += length
        known += length * verified.holds(dmo.name, file.day, file.path)
    return known / held if held else None


def _settled_share(held: Iterable[Evidence], begin: datetime, now: datetime) -> float:
    settled = sum(
        (
            said.window.end - said.window.start
            for said in held
            if said.settled and said.window.start >= begin
        ),
        timedelta(0),
    )
    return settled / (now - begin) if now > begin else 0.0
