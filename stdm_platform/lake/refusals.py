"""Files that were refused: kept aside with the reason, never read by anyone's glob.

Belongs here: `refused/<name>/date=…/` and its JSON. Does not: deciding to refuse (`guard`).

Every refused file is kept. The JSON beside it holds counts and keys and never message text; it is
written last, so what it names is there.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any, Literal

from stdm_platform.lake import files
from stdm_platform.lake.folders import Folders
from stdm_platform.lake.names import WindowFile, stem_of
from stdm_platform.lake.staging import StagedWindow
from stdm_platform.lake.window import Window, as_text, from_text

Kind = Literal["contract", "damaged"]


@dataclass(frozen=True)
class Refusal:
    """A refused file. `at` is when its rows were read; None for a damaged file."""

    path: Path
    dmo: str
    window: Window
    kind: Kind
    at: datetime | None
    reason: str
    details: Mapping[str, Any]


def keep_refused(
    folders: Folders,
    staged: StagedWindow,
    reason: str,
    at: datetime,
    details: Mapping[str, Any],
) -> Path:
    """Move a staged file to `refused/`, with its reason."""
    staged.end_unsealed()
    folder = folders.refused_day(staged.dmo.name, staged.window.day)
    files.make_folder(folder)
    path = folder / f"{stem_of(staged.window)}_refused_{uuid.uuid4().hex[:8]}.parquet"
    if staged.aside.rows:
        files.move(staged.aside.path, path.with_name(f"{path.stem}_quarantine.parquet"))
    files.move(staged.path, path)
    counted = {"rows": staged.rows, **details}
    write_refusal(Refusal(path, staged.dmo.name, staged.window, "contract", at, reason, counted))
    return path


def keep_damaged(folders: Folders, file: WindowFile, reason: str) -> Path:
    """Give a damaged file a second name in `refused/`; its first one goes with its day."""
    folder = folders.refused_day(file.dmo, file.day)
    files.make_folder(folder)
    path = folder / file.path.name
    if not path.exists():  # a crash between the two steps leaves it here
        with files.opened_folder(file.path.parent) as descriptor:
            files.link(file.path.name, descriptor, path)
    write_refusal(Refusal(path, file.dmo, file.window, "damaged", None, reason, {}))
    return path


def write_refusal(refusal: Refusal) -> None:
    """Write the JSON beside the file."""
    content = {
        "dmo": refusal.dmo,
        "window_start": as_text(refusal.window.start),
        "window_end": as_text(refusal.window.end),
        "kind": refusal.kind,
        "at": None if refusal.at is None else as_text(refusal.at),
        "reason": refusal.reason,
        "details": dict(refusal.details),
    }
    files.sync_folder(refusal.path.parent)
    text = json.dumps(content, indent=1, sort_keys=True, default=str)
    files.write_file(refusal.path.with_suffix(".json"), text.encode())


def refusals_of(folders: Folders, name: str, day: date) -> list[Refusal]:
    """The refused files of a day, oldest reading first; damaged ones, which have none, before."""
    found = []
    for path in sorted(folders.refused_day(name, day).glob("*.json")):
        content = json.loads(path.read_text())
        found.append(
            Refusal(
                path=path.with_suffix(".parquet"),
                dmo=content["dmo"],
                window=Window(from_text(content["window_start"]), from_text(content["window_end"])),
                kind=content["kind"],
                at=None if content["at"] is None else from_text(content["at"]),
                reason=content["reason"],
                details=content["details"],
            )
        )
    return sorted(
        found, key=lambda refusal: (as_text(refusal.at) if refusal.at else "", refusal.path)
    )
