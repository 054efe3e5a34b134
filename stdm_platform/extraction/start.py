"""The first day to hold.

Belongs here: `STDM_START_DATE`, and what stands for it when it is not set. Does not: partitions.
"""

from __future__ import annotations

import logging
from datetime import date, datetime, timedelta
from pathlib import Path

from stdm_platform.errors import ArgumentError
from stdm_platform.extraction.ranges import DEFAULT_DAYS
from stdm_platform.lake import Lake, files
from stdm_platform.lake.telling import telling
from stdm_platform.settings import Settings

logger = logging.getLogger(__name__)

ONE_DAY = timedelta(days=1)


def first_day(lake: Lake, settings: Settings, now: datetime, *, keep: bool = False) -> date:
    """The first UTC day to hold: `STDM_START_DATE`, else what the first tick stored.

    Before the first tick it is 7 days before now, or earlier where the lake holds days without a gap
    from there back: what was extracted by hand belongs to it, but days long ago never make a tick
    read all that lies between. With `keep` it is stored in the data directory, so that it stays.

    Raises:
        ArgumentError: the stored date cannot be read.
        LakeError: the disk refuses to store it.
    """
    if settings.start_date is not None:
        return settings.start_date
    path = _path(lake)
    try:
        return date.fromisoformat(path.read_text().strip())
    except FileNotFoundError:
        pass
    except ValueError:
        raise ArgumentError(
            f"{path} holds no date.",
            action="Write the first day to hold into it, like 2026-01-14, or set STDM_START_DATE.",
        ) from None
    day = now.date() - timedelta(days=DEFAULT_DAYS)
    held = {day for name in lake.names() for day in lake.days(name)}
    while day - ONE_DAY in held:
        day -= ONE_DAY
    if keep:
        with telling(f"the first day to hold ({path})"):
            lake.folders.prepare()
            files.write_file(path, f"{day}\n".encode())
        logger.info("The first day to hold is %s, as stored in %s.", day, path)
    return day


def _path(lake: Lake) -> Path:
    return lake.data_dir / "start_date"
