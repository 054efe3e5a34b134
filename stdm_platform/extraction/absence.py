"""Which objects an org was found to lack, so that a tick need not look for them every hour.

Belongs here: the notes and their age, and that an object which is gone is not absent. Does not: the
look itself (`shape.py`). A note is a cache: without it
a tick looks again, which costs a query and nothing else.
"""

from __future__ import annotations

import logging
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path

from stdm_platform.catalog import Dmo
from stdm_platform.errors import ObjectNotFoundError
from stdm_platform.extraction.schemas import note_looks
from stdm_platform.extraction.shape import SourceShape, look
from stdm_platform.extraction.source import Source
from stdm_platform.guard.catalog_edits import accept_object
from stdm_platform.lake import Lake

logger = logging.getLogger(__name__)

LOOK_AGAIN_AFTER = timedelta(hours=24)


def look_and_note(
    client: Source, lake: Lake, dmo: Dmo, now: datetime, span: str
) -> SourceShape | None:
    """What the org has of the DMO, kept; that it has nothing is noted for the ticks to come.

    Raises:
        ObjectNotFoundError: it had the object once, so days without it would be wrong, not empty.
        StdmError: as `look`.
    """
    shape = look(client, dmo, of=span, note=note_looks(lake, dmo, now))
    if shape is None:
        refuse_gone(lake, dmo, span)
        note_absent(lake, dmo, now)
    else:
        forget_absent(lake, dmo)
    return shape


def note_absent(lake: Lake, dmo: Dmo, now: datetime) -> None:
    """Note that the org lacks every object of this DMO."""
    path = _path(lake, dmo)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(now.isoformat())
    except OSError as error:
        logger.warning("That the org lacks %s cannot be noted: %s", dmo.name, error)


def refuse_gone(lake: Lake, dmo: Dmo, span: str) -> None:
    """Refuse to take an object as absent of which the lake holds days: it was renamed or hidden.

    Raises:
        ObjectNotFoundError: the lake holds days.
    """
    if days := lake.days(dmo.name):
        raise ObjectNotFoundError(
            f"the org has none of {', '.join(dmo.objects)} any more, and the lake holds "
            f"{len(days)} days of it, the last {days[-1]}.",
            action=accept_object(dmo, ()),
        ).during(f"{dmo.name} of {span}")


def forget_absent(lake: Lake, dmo: Dmo) -> None:
    """Note that the org has an object of this DMO."""
    with suppress(OSError):
        _path(lake, dmo).unlink(missing_ok=True)


def is_absent(lake: Lake, dmo: Dmo, now: datetime) -> bool:
    """Whether the org was found to lack the DMO less than a day ago."""
    try:
        noted = datetime.fromisoformat(_path(lake, dmo).read_text())
    except (OSError, ValueError):
        return False
    return timedelta(0) <= now - noted < LOOK_AGAIN_AFTER


def _path(lake: Lake, dmo: Dmo) -> Path:
    return lake.folders.cache / f"{dmo.name}.absent"
