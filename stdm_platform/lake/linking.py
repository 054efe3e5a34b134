"""Take a snapshot: link the days wanted, lock-free, and put the links in their place.

Belongs here: linking days so that each is whole. Does not: reading a snapshot (`snapshots.py`).

Why a day is whole: its folder is opened once, which pins it while its name is exchanged, and after
the last link its name must still mean that folder. A folder whose name was exchanged is being
emptied, and what was linked of it is thrown away and taken again.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from functools import partial
from pathlib import Path

import pyarrow.parquet as pq

from stdm_platform.catalog import Dmo
from stdm_platform.errors import DamagedFileError
from stdm_platform.lake import files
from stdm_platform.lake.folders import days_wanted, windows_in
from stdm_platform.lake.held import HeldLake
from stdm_platform.lake.names import WindowFile, day_folder
from stdm_platform.lake.older import refuse_other_types
from stdm_platform.lake.row_file import file_schema
from stdm_platform.lake.snapshots import SCHEMA_FILE, Snapshot
from stdm_platform.lake.window import late_days, reading_that_counts

logger = logging.getLogger(__name__)

DRAFT_LETTERS = 12


def take_snapshot(
    lake: HeldLake, dmos: Mapping[str, Dmo], days: Sequence[date] | None, target: Path
) -> Snapshot:
    """Link the days into a draft beside the target, and exchange the two."""
    files.make_folder(target.parent)
    for old in target.parent.glob(f"{target.name}.{'?' * DRAFT_LETTERS}.new"):
        files.remove_tree(old)
    draft = target.with_name(f"{target.name}.{uuid.uuid4().hex[:DRAFT_LETTERS]}.new")
    try:
        draft.mkdir()
        linked = [file for dmo in dmos.values() for file in _link_dmo(lake, dmo, days, draft)]
        if target.is_dir():
            files.exchange(draft, target)
        else:
            files.move(draft, target)
    finally:
        files.remove_tree(draft)
    lake.footers.save()
    moved = tuple(replace(file, path=target / file.path.relative_to(draft)) for file in linked)
    return Snapshot(target, dmos, moved, lake.footers)


def link_day(source: Path, target: Path) -> list[WindowFile] | None:
    """Link a day folder once; None when it was exchanged meanwhile, [] when there is no such day."""
    try:
        with files.opened_folder(source) as descriptor:
            held, foreign = windows_in(target, files.names_in(descriptor))
            target.mkdir(parents=True)
            for file in held:
                files.link(file.path.name, descriptor, file.path)
            whole = files.is_named(source, descriptor)
    except FileNotFoundError:
        whole, held, foreign = not source.exists(), [], []
    if not whole or not held:
        files.remove_tree(target)
        return [] if whole else None
    if foreign:
        logger.warning("%s holds files that are no windows, ignored: %s", source, foreign)
    return held


def _link_dmo(
    lake: HeldLake, dmo: Dmo, days: Sequence[date] | None, draft: Path
) -> list[WindowFile]:
    schema_file = draft / dmo.name / SCHEMA_FILE
    schema_file.parent.mkdir(parents=True)
    pq.write_table(file_schema(dmo).empty_table(), schema_file)
    linked: list[WindowFile] = []
    for day in _wanted(dmo, lake.days(dmo.name), days):
        target = draft / dmo.name / day_folder(day)
        linked += lake.whole(dmo.name, day, partial(_link_sound, lake, dmo.name, day, target))
    refuse_other_types(dmo, linked, lake.footers)
    return linked


def _wanted(dmo: Dmo, held: Sequence[date], days: Sequence[date] | None) -> list[date]:
    """The held days to link.

    Of a catalogue those under which it was read that count for the days. Of what is written late, the days
    on which that was too, and the newest, which tells whether they count (`late_days`).
    """
    if days is None:
        return list(held)
    if dmo.is_catalogue:
        counting = {reading_that_counts(held, day) for day in days}
        return sorted(day for day in counting if day is not None)
    wanted = set(days)
    if dmo.written_within_days > 1:
        known = set(held)
        wanted.update(held[-1:])
        for day in days:
            wanted.update(late_days(known, day, dmo.written_within_days))
    return days_wanted(list(held), wanted)


def _link_sound(lake: HeldLake, name: str, day: date, target: Path) -> list[WindowFile] | None:
    """As `link_day`, without damaged files: one found is moved out of the lake, and None given."""
    linked = link_day(lake.folders.day(name, day), target)
    try:
        for file in linked or ():
            lake.footers.footer(file)
    except DamagedFileError:
        files.remove_tree(target)
        lake.mend(name, day)
        return None
    return linked
