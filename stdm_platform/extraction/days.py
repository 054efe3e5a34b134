"""Extract windows of one DMO and day.

Belongs here: the lock of the day, adding up what became of its windows. Does not: which windows are
read in which order (`day_reading.py`), several days or DMOs (`backfill.py`).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime

from stdm_platform.catalog import Dmo
from stdm_platform.errors import ArgumentError, ContractError, StdmError
from stdm_platform.extraction.day_reading import DayReading, Shared
from stdm_platform.extraction.outcome import DayOutcome, place_of
from stdm_platform.extraction.ranges import fitted, not_read_later
from stdm_platform.extraction.reading import WindowOutcome, billed
from stdm_platform.extraction.shape import SourceShape
from stdm_platform.extraction.source import Source
from stdm_platform.guard import Verdict
from stdm_platform.lake import Lake, Window, cut_to_millisecond
from stdm_platform.lake.telling import telling
from stdm_platform.settings import QUARANTINE_LIMIT

StillDue = Callable[[], Sequence[Window]]


def never_halted() -> None:
    """For callers that have no reason to stop a reading."""


def extract_day(
    client: Source,
    lake: Lake,
    shape: SourceShape,
    windows: Sequence[Window],
    *,
    now: datetime,
    text: str = "keep",
    limit: float = QUARANTINE_LIMIT,
    halted: Callable[[], None] = never_halted,
    still_due: StillDue | None = None,
    shared: Shared | None = None,
) -> DayOutcome:
    """Read these windows of one day, check them, and publish the good ones.

    Held windows that are touched are read again whole. A window of many rows is read as several
    (see `volume.py`), side by side where threads are free. Each becomes visible on its own, so an
    interrupted day goes on where it stopped.

    Args:
        client: the org.
        lake: where the windows go.
        shape: what the org has of the DMO; see `look`.
        windows: of one UTC day, not empty.
        now: stands in the evidence and decides what is settled.
        text: `none` never asks for columns that hold text of conversations.
        limit: share of a window's rows that may be kept aside; see `guard.quarantine.tolerated`.
        halted: asked between batches; raises to stop.
        still_due: asked once nobody else can read the day; gives the windows that are due still,
            because another run may have read them while this one waited. With none of them left,
            or where a run with a later clock has read them meanwhile, the day is kept.
        shared: what the windows share with the rest of a run.

    Raises:
        StdmError: what went wrong, with the place `<dmo> of <day>`. The day is as it was, apart
            from windows that were already published.
    """
    begun = time.monotonic()
    dmo, day = shape.dmo, windows[0].day
    now = cut_to_millisecond(now.astimezone(UTC))
    around = shared or Shared()
    try:
        lake.claim(client.org_id)
        with telling(place_of(dmo, day)), lake.extraction_lock(dmo.name, day):
            if still_due is not None:
                windows = still_due()
            held = [file.window for file in lake.windows(dmo.name, day)]
            windows = not_read_later(windows, held, now)
            if not windows:
                return kept_day(lake, dmo, day)
            before = lake.day_checksum(dmo.name, day)
            reading = DayReading.of(client, lake, shape, day, now, text, limit, halted, around)
            outcomes, replaced = reading.read(windows)
            changed = lake.day_checksum(dmo.name, day) != before
            size = sum(each.file.path.stat().st_size for each in outcomes if each.file)
    except StdmError as error:
        raise error.during(place_of(dmo, day))  # noqa: B904  # the same error
    return replace(
        _added_up(shape, day, outcomes),
        rows_processed=billed([*outcomes, *replaced]),
        bytes=size,
        changed=changed,
        seconds=time.monotonic() - begun,
    )


def refuse_older_clock(lake: Lake, dmo: Dmo, windows: Sequence[Window], now: datetime) -> None:
    """Look, before anything is asked, whether these windows of one day can be read with this clock.

    Raises:
        ArgumentError: a held window would have to be read again whole, and it ends after now.
    """
    day = windows[0].day
    if day < now.astimezone(UTC).date():  # what is held of it ends by its midnight
        return
    try:
        fitted(windows, [file.window for file in lake.windows(dmo.name, day)], now)
    except ArgumentError as error:
        raise error.during(place_of(dmo, day))  # noqa: B904  # the same error


def kept_day(lake: Lake, dmo: Dmo, day: date) -> DayOutcome:
    """A day of which nothing was read, because nothing of it is due any more.

    It is failed, not kept, where nothing of it is held or a refusal stands: else that would be hidden.
    """
    held = lake.evidence_of_day(dmo.name, day)
    error = _not_kept(lake, dmo, day, bool(held))
    if error is not None:
        return DayOutcome(dmo, day, "failed", error=error.during(place_of(dmo, day)))
    files = tuple(file for file, _ in held)
    return DayOutcome(
        dmo,
        day,
        "kept",
        files=files,
        rows=sum(said.rows for _, said in held),
        quarantined=sum(said.quarantined_rows for _, said in held),
    )


def _not_kept(lake: Lake, dmo: Dmo, day: date, is_held: bool) -> StdmError | None:
    refusal = lake.standing_refusal(dmo.name, day)
    if refusal is not None:
        return ContractError(
            f"the reading of {refusal.at:%Y-%m-%d %H:%M} UTC was refused; the old rows stay.",
            action="Look at refused/ in the data directory and mend the source.",
        )
    if is_held:
        return None
    return StdmError(
        "nothing is held of it and nothing was read.",
        action="The next tick asks for it if STDM_DAILY_ROW_BUDGET allows.",
    )


def _added_up(shape: SourceShape, day: date, outcomes: Sequence[WindowOutcome]) -> DayOutcome:
    files = tuple(each.file for each in outcomes if each.file is not None)
    refused = tuple(each.refused for each in outcomes if each.refused is not None)
    return DayOutcome(
        dmo=shape.dmo,
        day=day,
        status="refused" if refused else "published",
        windows=tuple(each.window for each in outcomes),
        files=files,
        verdict=Verdict.of_day([each.verdict for each in outcomes]),
        rows=sum(each.rows for each in outcomes),
        quarantined=sum(each.verdict.quarantined_rows for each in outcomes if each.file),
        absent_columns=shape.absent,
        preview=next((each.preview for each in outcomes if each.preview), ()),
        refused_files=refused,
    )
