"""One lake for all ticks of a process, so that each footer is read once.

Belongs here: that lake. Does not: runs; each has a process, and a lake, of its own.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

from stdm_platform.lake import Lake


@cache
def lake_of(data_dir: Path) -> Lake:
    """The lake of a data directory."""
    return Lake(data_dir)
