"""The overlay of whole sessions, as a lake offers it.

Belongs here: the lake's methods for trees, with locks and the org. Does not: files and footers of
trees (`trees.py`, `tree_staging.py`).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from stdm_platform.catalog.ids import canonical
from stdm_platform.lake import trees
from stdm_platform.lake.locking import OwnedFolder
from stdm_platform.lake.owner import OwnedLake
from stdm_platform.lake.telling import telling
from stdm_platform.lake.tree_staging import StagedTree


class TreeLake(OwnedLake):
    """A lake with an overlay. Windows, plans and marts know nothing of it."""

    def tree(self, session_id: str) -> trees.Tree | None:
        """Everything of one session, as `stdm extract-tree` last found it; None if it never did."""
        with telling(f"the tree of {session_id}"):
            return trees.find_tree(self.folders.trees, session_id)

    def sessions_with_trees(self) -> set[str]:
        """The sessions of which a tree is held, each in its canonical form."""
        with telling("whole sessions"):
            held = trees.sound_readings(self.folders.trees)
            return {canonical(each) for _, index in held for each in index.sessions}

    def stage_tree(self) -> StagedTree:
        """Begin a reading of whole sessions that nobody can see until it is published."""
        with telling("whole sessions"):
            self.folders.prepare()
            self._sweep_once()
            return StagedTree(OwnedFolder(self.folders.staging, self._locks))

    def publish_tree(self, staged: StagedTree) -> trees.TreeReading:
        """Make a sealed reading of whole sessions the newest one, by one rename.

        Raises:
            WrongOrgError: the directory holds another org.
            LakeError: no contract let every row pass, or the disk refuses.
        """
        staged.refuse_unproven()
        org_id = next(iter(staged.evidence.values())).org_id
        with telling("whole sessions"), self._admitted(org_id), self._locks.hold("_trees"):
            return trees.publish_tree(staged, self.folders.trees)

    def refuse_tree(
        self, staged: StagedTree, reason: str, details: Mapping[str, Any], at: datetime
    ) -> Path:
        """Move a reading of whole sessions to `refused/trees/`, with a JSON of its reason."""
        return staged.refuse(self.folders.refused / "trees", reason, details, at)

    def remove_superseded_trees(self, now: datetime) -> list[Path]:
        """Remove readings of which every session was read again more than a day before `now`."""
        with telling("whole sessions"), self._locks.hold("_trees"):
            return trees.remove_superseded(self.folders.trees, self.folders.staging, now)
