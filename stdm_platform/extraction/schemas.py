"""What was seen of each DMO at the source, kept as small files.

Belongs here: `schemas/<name>/` in the data directory. Does not: looking (`shape.py`, `probe.py`),
comparing (`guard`).

    <UTC instant>_<digest>.json   a look that differed from the one before it of the same way
    seen.json                     when each of them was last seen so

Deleting the folder loses history and nothing else. That something cannot be kept is a line in the
log: no extraction fails for it.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from stdm_platform.catalog import Dmo
from stdm_platform.data360 import ResultColumn
from stdm_platform.extraction.shape import Sight
from stdm_platform.guard import SchemaSnapshot, SeenColumn
from stdm_platform.lake import Lake, files

logger = logging.getLogger(__name__)

FOLDER = "schemas"
SEEN = "seen.json"
NAME_INSTANT = "%Y-%m-%dT%H-%M-%SZ"
SAME_INSTANT = timedelta(minutes=1)
"""Looks of a clock that stands (`--now`), or of one second, come after each other all the same."""


def snapshot_of(dmo: Dmo, sight: Sight, now: datetime) -> SchemaSnapshot:
    """A look at this instant, in the form that is kept."""
    return SchemaSnapshot(
        dmo.name,
        now.astimezone(UTC).replace(microsecond=0),
        sight.via or "query",
        sight.objects,
        seen_columns(sight.columns),
    )


def note_looks(lake: Lake, dmo: Dmo, now: datetime) -> Callable[[Sight], None]:
    """For `look`: keeps what it sees as of this instant."""
    return lambda sight: keep(lake, snapshot_of(dmo, sight, now))


def seen_columns(columns: tuple[ResultColumn, ...]) -> tuple[SeenColumn, ...]:
    """Columns of a result or a description, in the form that is kept."""
    return tuple(SeenColumn(each.name, each.type, each.nullable) for each in columns)


def keep(lake: Lake, snapshot: SchemaSnapshot) -> None:
    """Keep a look: a new file if it differs from the newest of the same way, else when it was.

    An object that is gone again is a new file too, so that its days count from then.
    """
    folder = _folder(lake, snapshot.dmo)
    try:
        kept, seen = _kept(folder), _seen(folder)
        before = [(name, each) for name, each in kept.items() if each.via == snapshot.via]
        last = _last(kept, seen)
        gone_or_back = last is not None and bool(last.objects) != bool(snapshot.objects)
        if before and before[-1][1].digest == snapshot.digest and not gone_or_back:
            name = before[-1][0]
        else:
            snapshot = _after(last, snapshot)
            name = f"{snapshot.at.strftime(NAME_INSTANT)}_{snapshot.digest}.json"
            lake.folders.prepare()
            files.make_folder(folder)
            files.write_file(folder / name, _text(snapshot).encode())
        at = snapshot.at.isoformat()
        if seen.get(name, "") < at:
            now_seen = {each: when for each, when in seen.items() if each in kept} | {name: at}
            files.write_file(folder / SEEN, json.dumps(now_seen, indent=1, sort_keys=True).encode())
    except OSError as error:
        logger.warning("What the org has of %s cannot be kept: %s", snapshot.dmo, error)


def looks_of(lake: Lake, name: str) -> list[SchemaSnapshot]:
    """What was kept of a DMO, oldest first.

    The last is how it was seen last: a form that was seen again after others stands at the end too.
    """
    folder = _folder(lake, name)
    kept, seen = _kept(folder), _seen(folder)
    looks, newest = list(kept.values()), _last(kept, seen)
    if newest is not None and newest.at > looks[-1].at:
        last = looks[-1]
        looks += [newest] if (newest.via, newest.digest) != (last.via, last.digest) else []
    return looks


def _after(last: SchemaSnapshot | None, snapshot: SchemaSnapshot) -> SchemaSnapshot:
    """The look, a second after the last one where the clock tells no order: instants name files."""
    if last is not None and snapshot.at <= last.at < snapshot.at + SAME_INSTANT:
        return replace(snapshot, at=last.at + timedelta(seconds=1))
    return snapshot


def _last(kept: Mapping[str, SchemaSnapshot], seen: Mapping[str, str]) -> SchemaSnapshot | None:
    """The look that was seen last, as of then."""
    again = [
        replace(each, at=max(each.at, datetime.fromisoformat(seen.get(name, each.at.isoformat()))))
        for name, each in kept.items()
    ]
    return max(again, key=lambda each: each.at, default=None)


def _folder(lake: Lake, name: str) -> Path:
    return lake.data_dir / FOLDER / name


def _text(snapshot: SchemaSnapshot) -> str:
    """JSON with a line per column, so that two files can be compared by eye and by `diff`."""
    fields = snapshot.as_json()
    columns = ",\n  ".join(json.dumps(column) for column in fields.pop("columns"))
    head = json.dumps(fields, indent=1).removesuffix("\n}")
    return f'{head},\n "columns": [\n  {columns}\n ]\n}}\n'


def _kept(folder: Path) -> dict[str, SchemaSnapshot]:
    """File name → look, oldest first; what is no look is skipped with a line in the log."""
    found: dict[str, SchemaSnapshot] = {}
    for path in sorted(folder.glob("[!.]*_*.json")):
        try:
            found[path.name] = SchemaSnapshot.from_json(json.loads(path.read_bytes()))
        except FileNotFoundError:
            continue
        except (OSError, ValueError, TypeError, LookupError, AttributeError) as error:
            logger.warning("%s is no snapshot of a schema and is ignored: %r", path, error)
    return dict(sorted(found.items(), key=lambda each: (each[1].at, each[0])))


def _seen(folder: Path) -> Mapping[str, str]:
    try:
        said = json.loads((folder / SEEN).read_bytes())
        return {str(name): datetime.fromisoformat(at).isoformat() for name, at in said.items()}
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, TypeError, AttributeError) as error:
        logger.warning("%s cannot be read: %r", folder / SEEN, error)
        return {}
