"""Whose lake it is, as the footers say.

Belongs here: finding one org in the footers. Does not: refusing another (`store.py`).
"""

from __future__ import annotations

import logging

from stdm_platform.errors import DamagedFileError, LakeError
from stdm_platform.lake.folders import Folders, list_once, windows_in
from stdm_platform.lake.footers import FooterCache

logger = logging.getLogger(__name__)

ATTEMPTS = 50


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
