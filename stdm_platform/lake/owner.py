"""Whose lake it is, as the footers say.

Belongs here: finding one org in the footers, refusing another, and sweeping what dead processes
left. Does not: what is kept (`store.py`, `tree_lake.py`).
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from stdm_platform.errors import DamagedFileError, LakeError, WrongOrgError
from stdm_platform.lake.folders import Folders, list_once, windows_in
from stdm_platform.lake.footers import FooterCache
from stdm_platform.lake.held import HeldLake
from stdm_platform.lake.locking import sweep
from stdm_platform.lake.trees import sound_readings

logger = logging.getLogger(__name__)

ATTEMPTS = 50


class OwnedLake(HeldLake):
    """A lake that belongs to the org in its footers."""

    def __init__(self, data_dir: Path) -> None:
        super().__init__(data_dir)
        self._org_known: tuple[tuple[int, int], str] | None = None
        self._swept = False

    def org_id(self) -> str | None:
        """The org in the footers; None while nothing readable is held."""
        try:
            status = self.folders.lake.stat()
        except FileNotFoundError:
            return None
        # Whoever empties the lake for another org changes this, so a long-lived process sees it.
        stamp = (status.st_ino, status.st_ctime_ns)
        if self._org_known is None or self._org_known[0] != stamp:
            org_id = org_in_footers(self.folders, self.footers)
            self._org_known = None if org_id is None else (stamp, org_id)
        if self._org_known is not None:
            return self._org_known[1]
        return next((index.org_id for _, index in sound_readings(self.folders.trees)), None)

    def claim(self, org_id: str) -> None:
        """Refuse an org other than the one that is held. Records nothing: footers do.

        Raises:
            WrongOrgError: the directory holds another org.
        """
        held = self.org_id()
        if held is not None and held != org_id:
            raise WrongOrgError(
                f"The data directory {self.data_dir} holds org {held}, and this is org {org_id}.",
                action="Give this org a directory of its own (STDM_DATA_DIR or --data-dir).",
            )

    @contextmanager
    def _admitted(self, org_id: str) -> Iterator[None]:
        """Let only one org into an empty lake: the first publication is made under one lock."""
        if self.org_id() is not None:
            self.claim(org_id)
            yield
            return
        with self._locks.hold("_org"):
            self.claim(org_id)
            yield

    def _sweep_once(self) -> None:
        if not self._swept:
            self._swept = True
            sweep(self.folders.staging, self._locks)


def org_in_footers(folders: Folders, footers: FooterCache) -> str | None:
    """The org of the first window whose footer can be read; None when there is none.

    It takes no lock and mends nothing, because publications call it with a lock in hand.
    """
    for _ in range(ATTEMPTS):
        changed = False
        for name in folders.names():
            for day in folders.days(name):
                folder = folders.day(name, day)
                names = list_once(folder)
                changed = changed or names is None
                for file in windows_in(folder, names or [])[0]:
                    try:
                        return footers.evidence(file).org_id
                    except FileNotFoundError:
                        changed = True
                    except DamagedFileError as error:
                        logger.warning("%s", error.message)
        if not changed:
            return None
    raise LakeError("Every day changes while it is read.", action="Run again.")
