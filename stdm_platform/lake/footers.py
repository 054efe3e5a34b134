"""The evidence of many files, cheaply: a cache of footers by file name.

Belongs here: reading footers once. Does not: what to do with a broken one (`store.py`).

The cache holds nothing that is not in the files and may be deleted at any time. An entry counts
only while size and modification time of its file are the same, so damage is noticed.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import orjson

from stdm_platform.lake import files
from stdm_platform.lake.evidence import Evidence, read_footer
from stdm_platform.lake.names import WindowFile

logger = logging.getLogger(__name__)

Footer = dict[str, str]
Stamp = tuple[int, int]

MOST_IN_MEMORY = 50_000
"""Files whose evidence a long-lived process keeps at hand; some 100 MB."""


@dataclass
class _DmoCache:
    entries: dict[str, dict[str, tuple[Stamp, Footer]]] = field(default_factory=dict)
    changed: bool = False


class FooterCache:
    """Footers of window files; one small file per DMO in `cache/`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._dmos: dict[str, _DmoCache] = {}
        self._evidence: dict[str, tuple[Stamp, Evidence]] = {}
        self._guard = threading.RLock()

    def evidence(self, file: WindowFile) -> Evidence:
        """The evidence of a file; raises as `WindowFile.evidence` does."""
        stamp = _stamp(file)
        known = self._evidence.get(str(file.path))
        if known is None or known[0] != stamp:
            known = (stamp, file.evidence_in(self._footer(file, stamp)))
            self._evidence[str(file.path)] = known
        return known[1]

    def footer(self, file: WindowFile) -> Footer:
        """The footer of a file, read once and checked against its name.

        Raises:
            OSError: the file cannot be opened; it may have been replaced meanwhile.
            DamagedFileError: it cannot be read, or contradicts the name.
        """
        return self._footer(file, _stamp(file))

    def _footer(self, file: WindowFile, stamp: Stamp) -> Footer:
        with self._guard:
            day = self._of(file.dmo).entries.setdefault(file.day.isoformat(), {})
            known = day.get(file.path.name)
        if known is not None and known[0] == stamp:
            return known[1]
        footer = read_footer(file.path)
        file.evidence_in(footer)
        with self._guard:
            day[file.path.name] = (stamp, footer)
            self._of(file.dmo).changed = True
        return footer

    def keep_only(self, name: str, day: str, held: Iterable[WindowFile]) -> None:
        """Forget the files of a day that are no longer held."""
        names = {file.path.name for file in held}
        with self._guard:
            cache = self._of(name)
            entries = cache.entries.get(day, {})
            for gone in entries.keys() - names:
                del entries[gone]
                cache.changed = True
            if len(self._evidence) > MOST_IN_MEMORY:
                self._evidence.clear()

    def save(self) -> None:
        """Write what changed. A failure costs time later and nothing else."""
        with self._guard:
            for name, cache in self._dmos.items():
                if not cache.changed:
                    continue
                try:
                    files.make_folder(self._folder)
                    content = orjson.dumps(cache.entries)
                    files.write_file(self._folder / f"{name}.footers.json", content)
                    cache.changed = False
                except OSError as error:
                    logger.warning("The footer cache of %s was not written: %s", name, error)

    def _of(self, name: str) -> _DmoCache:
        if name not in self._dmos:
            self._dmos[name] = _DmoCache(self._load(name))
        return self._dmos[name]

    def _load(self, name: str) -> dict[str, dict[str, tuple[Stamp, Footer]]]:
        try:
            loaded = orjson.loads((self._folder / f"{name}.footers.json").read_bytes())
            return {
                day: {
                    file: ((stamp[0], stamp[1]), footer) for file, (stamp, footer) in held.items()
                }
                for day, held in loaded.items()
            }
        except FileNotFoundError:
            return {}
        except (OSError, ValueError, TypeError, AttributeError, LookupError) as error:
            logger.warning("The footer cache of %s is built anew: %s", name, error)
            return {}


def _stamp(file: WindowFile) -> Stamp:
    status = file.path.stat()
    return status.st_size, status.st_mtime_ns
