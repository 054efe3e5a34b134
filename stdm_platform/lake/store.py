"""The lake of one data directory: the door to everything in this room.

Belongs here: `Lake`, which takes the locks and calls the other modules. Does not: what is due
(`extraction`), contracts (`guard`), how a day is changed (`publishing.py`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from datetime import date, datetime
from pathlib import Path
from typing import Any

from stdm_platform.catalog import DMOS, Dmo
from stdm_platform.errors import ArgumentError, DamagedFileError, LakeError
from stdm_platform.lake.evidence import Reading
from stdm_platform.lake.folders import list_once, windows_in
from stdm_platform.lake.linking import take_snapshot
from stdm_platform.lake.locking import OwnedFolder
from stdm_platform.lake.names import WindowFile, day_folder, new_name
from stdm_platform.lake.proof import refuse_unproven
from stdm_platform.lake.publishing import Plan, change_day, plan_day
from stdm_platform.lake.refusals import Refusal, keep_damaged, keep_refused, refusals_of
from stdm_platform.lake.snapshots import Snapshot
from stdm_platform.lake.staging import StagedWindow
from stdm_platform.lake.telling import telling
from stdm_platform.lake.tree_lake import TreeLake
from stdm_platform.lake.window import Window, holes


class Lake(TreeLake):
    """Window files under one data directory; safe for many threads and processes at once.

    A foreign file in a day folder is an error where a day is changed (it would be lost), and is
    ignored with a warning where a day is read.
    """

    def __init__(self, data_dir: Path, dmos: Iterable[Dmo] = DMOS) -> None:
        super().__init__(data_dir)
        self._dmos = {dmo.name: dmo for dmo in dmos}

    def extraction_lock(
        self, name: str, day: date, *, wait: bool = True
    ) -> AbstractContextManager[bool]:
        """The lock of whoever reads this day from the org; long. Gives False when it is taken."""
        self.folders.prepare()
        return self._locks.hold(f"{name}.{day_folder(day)}.extraction", wait=wait)

    def stage(self, dmo: Dmo, window: Window) -> StagedWindow:
        """Begin a window file that nobody can see until it is published."""
        with telling(f"{dmo.name} of {window.day}"):
            self.folders.prepare()
            self._sweep_once()
            return StagedWindow(dmo, window, OwnedFolder(self.folders.staging, self._locks))

    def publish(self, name: str, day: date, staged: Sequence[StagedWindow]) -> list[WindowFile]:
        """Make closed windows of one day visible, all in one step; what they cover is replaced.

        Raises:
            OverlapError: a held window would be covered only partly.
            WrongOrgError: the directory holds another org.
            LakeError: a window is not closed or of another day, no contract let it pass, a foreign
                file is in the way, or the disk refuses. The day is as it was.
        """
        if not staged:
            return []
        org_id = _common_org(name, day, staged)
        with (
            telling(f"{name} of {day}"),
            self.lock(name, day),
            self._admitted(org_id),
        ):
            plan = plan_day(self._strictly_held(name, day), staged)
            sealed = self._seal(plan)
            added = {new: one.path for new, one in sealed.items()}
            aside = {new: one.aside.path for new, one in sealed.items() if one.aside.rows}
            change_day(self.folders, name, day, plan.kept, added, aside)
        folder = self.folders.day(name, day)
        return windows_in(folder, list(added))[0]

    def refuse(
        self,
        staged: StagedWindow,
        reason: str,
        *,
        details: Mapping[str, Any] | None = None,
        at: datetime | None = None,
    ) -> Path:
        """Move a staged window to `refused/`, with a JSON of its reason beside it.

        `reason` and `details` hold counts and keys, never message text. `at` is when the rows
        were read; a closed window knows it.
        """
        read_at = at or (staged.evidence.read_at if staged.evidence else None)
        if read_at is None:
            raise LakeError("When was it read?", action="Close the window first, or give `at`.")
        with telling(staged.place):
            return keep_refused(self.folders, staged, reason, read_at, details or {})

    def refused_days(self, name: str) -> list[date]:
        """The days of which a file was ever refused, oldest first; most were read well since."""
        return self.folders.refused_days(name)

    def refusals(self, name: str, day: date) -> list[Refusal]:
        """The refused files of a day, the newest reading last."""
        return refusals_of(self.folders, name, day)

    def standing_refusal(self, name: str, day: date) -> Refusal | None:
        """The newest refused reading whose ground no good reading has covered since."""
        held = self.evidence_of_day(name, day)
        for refusal in reversed(self.refusals(name, day)):
            if refusal.at is None:
                continue
            since = [file for file, said in held if said.read_at >= refusal.at]
            if holes(since, refusal.window.start, refusal.window.end):
                return refusal
        return None

    def snapshot(self, names: Sequence[str], days: Sequence[date] | None, target: Path) -> Snapshot:
        """Link the held days of these DMOs into `target`, which is exchanged for the new links.

        `days` None means all; a day that is not held is left out. No lock is taken. The target is
        the caller's own: two callers never take the same one at once.
        """
        with telling(f"the snapshot {target}"):
            self.folders.prepare()
            return take_snapshot(self, self._entries(names), days, target.absolute())

    @contextmanager
    def temporary_snapshot(
        self, names: Sequence[str], days: Sequence[date] | None = None
    ) -> Iterator[Snapshot]:
        """A snapshot in a place of its own, removed at the end, or by others after a kill."""
        self.folders.prepare()
        self._sweep_once()
        owned = OwnedFolder(self.folders.staging, self._locks)
        try:
            yield self.snapshot(names, days, owned.path / "snapshot")
        finally:
            owned.remove()

    def _entries(self, names: Sequence[str]) -> dict[str, Dmo]:
        unknown = sorted(set(names) - self._dmos.keys())
        if unknown:
            raise ArgumentError(
                f"Not in the catalog: {unknown}.", action=f"Choose from {sorted(self._dmos)}."
            )
        return {name: self._dmos[name] for name in names}

    def _strictly_held(self, name: str, day: date) -> list[WindowFile]:
        folder = self.folders.day(name, day)
        held, foreign = windows_in(folder, list_once(folder) or [])
        if foreign:
            raise LakeError(
                f"{folder} holds files that are no windows: {foreign}.",
                action="Move them out of the lake, then run again.",
            )
        return held

    def _seal(self, plan: Plan) -> dict[str, StagedWindow]:
        added = {}
        for succession in plan.successions:
            earlier: list[Reading] = []
            for file in succession.carries:
                try:
                    earlier += self.footers.evidence(file).readings
                except DamagedFileError as error:
                    keep_damaged(self.folders, file, error.message)
            evidence = succession.staged.seal(earlier)
            added[new_name(evidence, succession.number)] = succession.staged
        return added


def _common_org(name: str, day: date, staged: Sequence[StagedWindow]) -> str:
    orgs = set()
    for one in staged:
        if one.dmo.name != name or one.window.day != day or one.evidence is None:
            raise LakeError(
                f"The window {one.window} of {one.dmo.name} cannot be published there.",
                action="Publish closed windows of one DMO and day.",
            ).during(f"{name} of {day}")
        with telling(one.place):
            refuse_unproven(one.proof, name, one.window, written=one.rows, aside=one.aside.rows)
        orgs.add(one.evidence.org_id)
    if len(orgs) > 1:
        raise LakeError(f"The windows are of several orgs: {sorted(orgs)}.")
    return str(orgs.pop())
