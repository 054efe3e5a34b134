"""What changes a data directory, each with the state before it and the state after it.

An action is played on a copy of its directory: undisturbed, crashed at a change of the disk, without
space from a change on, or with the power gone after one.
"""

from __future__ import annotations

import errno
import gc
import itertools
import os
import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from stdm_platform.errors import StdmError
from stdm_platform.extraction import first_day
from stdm_platform.extraction.absence import is_absent
from stdm_platform.guard import Verdict
from stdm_platform.lake import Lake, StagedTree, Window, quarantine_schema
from stdm_platform.marts import MartStore, build, publication
from stdm_platform.marts.preparation import Inputs, prepare
from stdm_platform.settings import Settings
from stdm_platform_tests.extraction.fake_org import FakeOrg
from stdm_platform_tests.extraction.world import (
    DAY,
    MOMENTS,
    NOW,
    SESSIONS,
    STEPS,
    extract,
    rows_of,
)
from stdm_platform_tests.faults.disk import NEED_SPACE, CrashError, Disk, Durable, watched
from stdm_platform_tests.faults.world import checksum_of, leftovers
from stdm_platform_tests.lake.days import reading as a_reading
from stdm_platform_tests.lake.days import rows as a_batch
from stdm_platform_tests.marts.standins import MADE, publish_quickly

State = dict[str, Any]
ENTRIES = (SESSIONS, STEPS)
EARLIER = NOW - timedelta(days=4)


@dataclass(frozen=True)
class Action:
    """A change. Each entry of `look` is old or new as a whole; one that is a cache may be lost.

    `heal` is what follows a disturbed one, if that is more than the same again.
    """

    name: str
    prepare: Callable[[Path], None]
    act: Callable[[Path], None]
    look: Callable[[Path], State]
    is_cache: bool = False
    heal: Callable[[Path], None] | None = None


def org_of(mark: str, count: int, **more: Any) -> FakeOrg:
    """An org that holds the day, every row with this mark."""
    org = FakeOrg()
    for entry in ENTRIES:
        rows = rows_of(entry, [DAY], count)
        if mark == "twice":
            rows += rows[:1]
        if mark == "twice" or mark.startswith("aside"):
            rows.append({**rows[0], entry.key: None})
        text = next(
            c.name
            for c in entry.columns
            if c.type == "text" and not c.required and not c.references
        )
        org.put(entry, [{**row, text: mark} for row in rows], **more)
    return org


def read_from(mark: str, count: int, *, allow: str = "published") -> Callable[[Path], None]:
    """An extraction of the day, over what is held of it."""
    org = org_of(mark, count)

    def act(data_dir: Path) -> None:
        outcomes = extract(org, Lake(data_dir), *ENTRIES, workers=1, again=True)
        for outcome in outcomes:
            if outcome.error is not None:
                raise outcome.error
            assert outcome.status == allow, outcome.describe()

    return act


def lake_state(data_dir: Path) -> State:
    """Windows and checksums of what the files hold, by DMO and day."""
    lake = Lake(data_dir)
    return {
        f"{entry.name} {DAY}": [
            (str(file.window), checksum_of(file.path), said.checksum)
            for file, said in lake.evidence_of_day(entry.name, DAY)
        ]
        for entry in ENTRIES
    }


def nothing(data_dir: Path) -> None:
    """A directory without anything."""
    data_dir.mkdir(mode=0o700)


def in_two_windows(data_dir: Path) -> None:
    """The day as it was read in two parts."""
    nothing(data_dir)
    org = org_of("old", 3)
    for hours in (10, 24):
        now = NOW if hours == 24 else NOW.replace(day=DAY.day, hour=hours, minute=0)
        extract(org, Lake(data_dir), *ENTRIES, workers=1, now=now, days=[DAY])


def refusal_state(data_dir: Path) -> State:
    """The day, and whether each told refusal has its file."""
    told = [each for entry in ENTRIES for each in Lake(data_dir).refusals(entry.name, DAY)]
    aside = [each.path.with_name(f"{each.path.stem}_quarantine.parquet") for each in told]
    whole = all(path.exists() for path in [*aside, *(each.path for each in told)])
    return {**lake_state(data_dir), "told": bool(told), "what is told is there": whole}


def with_rows_aside(data_dir: Path) -> None:
    """The day with a row of each DMO in quarantine."""
    nothing(data_dir)
    read_from("aside before", 3)(data_dir)


def quarantine_state(data_dir: Path) -> State:
    """The day, and for each window the rows kept aside of it with the number that its footer says."""
    lake = Lake(data_dir)
    found = lake_state(data_dir)
    for entry in ENTRIES:
        folder = lake.folders.quarantine_day(entry.name, DAY)
        held = lake.evidence_of_day(entry.name, DAY)
        found[f"{entry.name} aside"] = [
            (pq.read_table(folder / file.path.name).to_pylist(), said.quarantined_rows)
            for file, said in held
        ]
    return found


def damaged(data_dir: Path) -> None:
    """The day in two windows, the first of them damaged in its footer."""
    in_two_parts(data_dir)
    first = Lake(data_dir).windows("sessions", DAY)[0].path
    first.write_bytes(first.read_bytes()[:-20])


def mend(data_dir: Path) -> None:
    """What every reader of footers does when it meets the damaged file."""
    Lake(data_dir).windows("sessions", DAY, check=True)


def mend_and_read(data_dir: Path) -> None:
    """What the next tick does: read the window that is missing."""
    mend(data_dir)
    lake = Lake(data_dir)
    extract(org_of("old", 3), lake, SESSIONS, workers=1, windows=[part_of_day(0, 6)], again=True)


def part_of_day(start: int, end: int) -> Window:
    midnight = Window.of_day(DAY).start
    return Window(midnight + timedelta(hours=start), midnight + timedelta(hours=end))


def damaged_state(data_dir: Path) -> State:
    """The windows, from names alone; and whether the damaged file is somewhere."""
    lake = Lake(data_dir)
    aside = list(lake.folders.refused_day("sessions", DAY).glob("*.parquet"))
    windows = [str(file.window) for file in lake.windows("sessions", DAY)]
    return {"sessions": windows, "damaged file": bool(aside) or len(windows) == 2}


def keep_first_day(data_dir: Path) -> None:
    first_day(Lake(data_dir), Settings(), NOW, keep=True)


def first_day_state(data_dir: Path) -> State:
    path = data_dir / "start_date"
    return {"start_date": path.read_text() if path.exists() else None}


def look_for_what_is_not_there(data_dir: Path) -> None:
    extract(FakeOrg(), Lake(data_dir), MOMENTS, workers=1, again=True)


def absent_state(data_dir: Path) -> State:
    return {"absent": is_absent(Lake(data_dir), MOMENTS, NOW)}


def prepared_marts(data_dir: Path) -> None:
    """Published marts, and a warehouse whose marts are another state of them."""
    in_two_windows(data_dir)
    lake, store = Lake(data_dir), MartStore(data_dir)
    publish_quickly(lake, store, [DAY], value=1)
    with store.lock():
        inputs.append(prepare(lake, store, [DAY], Settings()))
        with duckdb.connect(str(store.warehouse_path)) as warehouse:
            warehouse.execute(MADE.format(value=2, snapshot=store.snapshot_dir))


inputs: list[Inputs] = []


def publish_marts(data_dir: Path) -> None:
    store = MartStore(data_dir)
    with build.telling_refusals(Settings()), store.lock():
        publication.publish(store, inputs[-1], NOW + timedelta(days=2))


def take_snapshot(data_dir: Path) -> None:
    lake = Lake(data_dir)
    lake.snapshot(["sessions", "steps"], None, lake.folders.snapshots / "dbt")


def prepared_snapshot(data_dir: Path) -> None:
    """A snapshot that is older than the lake."""
    in_two_windows(data_dir)
    take_snapshot(data_dir)
    extract(org_of("new", 4), Lake(data_dir), *ENTRIES, workers=1)


def snapshot_state(data_dir: Path) -> State:
    found = {"lake": lake_state(data_dir), "drafts": list(data_dir.glob("snapshots/*.new"))}
    folder = data_dir / "snapshots" / "dbt"
    if not folder.exists():
        return {**found, "snapshot": None}
    read = pl.scan_parquet(folder / "sessions" / "*" / "*.parquet", glob=True)
    return {**found, "snapshot": sorted(read.select("session_id").collect()["session_id"])}


def marts_state(data_dir: Path) -> State:
    """What the generation of the views says, and what the generation that is current says."""
    store = MartStore(data_dir)
    found: State = lake_state(data_dir)
    # Not by `store.connect`: views name absolute paths, and this is a copy of the directory.
    with duckdb.connect(str(store.marts_db), read_only=True) as views:
        texts = views.execute("select sql from duckdb_views() where not internal").fetchall()
        (generation,) = set(re.findall(r"marts/(gen-\d+)/", str(texts)))
        for name, folder in (("views", generation), ("files", "current")):
            for mart in ("session_summary", "topic_summary"):
                pattern = store.folder / folder / mart / "*" / "*.parquet"
                sql = "select distinct turn_count from read_parquet(?)"
                found[f"{mart} of {name}"] = views.execute(sql, [str(pattern)]).fetchall()
    return {**found, "number of views": len(texts)}


def new_directory(data_dir: Path) -> None:
    read_from("new", 4)(data_dir / "inner")


def new_directory_state(data_dir: Path) -> State:
    return lake_state(data_dir / "inner")


def in_two_parts(data_dir: Path) -> None:
    """Sessions of the day as two windows."""
    nothing(data_dir)
    for hours in ((0, 6), (6, 24)):
        window = part_of_day(*hours)
        extract(org_of("old", 3), Lake(data_dir), SESSIONS, workers=1, windows=[window])


def one_window_without_links(data_dir: Path) -> None:
    """Read the second window again where the file system has no hard links for the first."""

    def refuse(*given: object, **options: object) -> None:
        raise OSError(errno.EXDEV, os.strerror(errno.EXDEV))

    window = part_of_day(6, 24)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "link", refuse)
        org = org_of("new", 4)
        (outcome,) = extract(org, Lake(data_dir), SESSIONS, windows=[window], workers=1, again=True)
        if outcome.error is not None:
            raise outcome.error


def only_file_damaged(data_dir: Path) -> None:
    nothing(data_dir)
    extract(org_of("old", 3), Lake(data_dir), SESSIONS, workers=1)
    (only,) = Lake(data_dir).windows("sessions", DAY)
    only.path.write_bytes(only.path.read_bytes()[:-20])


def only_file_state(data_dir: Path) -> State:
    lake = Lake(data_dir)
    aside = list(lake.folders.refused_day("sessions", DAY).glob("*.parquet"))
    held = lake.windows("sessions", DAY)
    return {"windows": len(held), "damaged file": bool(aside or held)}


def read_missing_day(data_dir: Path) -> None:
    mend(data_dir)
    extract(org_of("old", 3), Lake(data_dir), SESSIONS, workers=1, again=True)


def fill_tree(staged: StagedTree) -> None:
    """Three rows of a DMO, and one that is kept aside; then one of another DMO."""
    file, aside = staged.begin(SESSIONS)
    file.write(a_batch(3, "s"))
    texts = {name: ["not_null ssot__Id__c"] for name in quarantine_schema(SESSIONS).names}
    aside.write(pa.RecordBatch.from_pydict(texts, schema=quarantine_schema(SESSIONS)))
    kept_aside = {"not_null ssot__Id__c": 1}
    proof = Verdict("sessions", None, 4, quarantined=kept_aside)
    staged.finish(SESSIONS, [a_reading()], (), proof)
    staged.begin(STEPS)[0].write(a_batch(1, "t", entry=STEPS))
    staged.finish(STEPS, [a_reading()], (), Verdict("steps", None, 1))


def publish_a_tree(data_dir: Path) -> None:
    lake = Lake(data_dir)
    with lake.stage_tree() as staged:
        fill_tree(staged)
        staged.seal(org_id=FakeOrg.org_id, read_at=NOW, sessions=["s0"], absent=[])
        lake.publish_tree(staged)


def tree_state(data_dir: Path) -> State:
    found = Lake(data_dir).tree("s0")
    if found is None:
        return {"tree": None}
    aside = pq.read_table(found.reading.aside / "sessions.parquet").num_rows
    return {"tree": (sorted(map(checksum_of, found.paths.values())), aside)}


def refuse_a_tree(data_dir: Path) -> None:
    lake = Lake(data_dir)
    with lake.stage_tree() as staged:
        fill_tree(staged)
        lake.refuse_tree(staged, "a reason", {}, NOW)


def refused_tree_state(data_dir: Path) -> State:
    folder = data_dir / "refused" / "trees"
    told = list(folder.glob("*/reason.json"))
    held = ("sessions.parquet", "steps.parquet", "quarantine/sessions.parquet")
    whole = all((path.parent / name).exists() for path in told for name in held)
    return {"told": bool(told), "what is told is there": whole}


ACTIONS = (
    Action("a new day", nothing, read_from("new", 4), lake_state),
    Action("a day read again", in_two_windows, read_from("new", 4), lake_state),
    Action("a refused day", in_two_windows, read_from("twice", 4, allow="refused"), refusal_state),
    Action("rows kept aside", with_rows_aside, read_from("aside after", 4), quarantine_state),
    Action("a damaged file", damaged, mend, damaged_state, heal=mend_and_read),
    Action("the first day", nothing, keep_first_day, first_day_state),
    Action("an absent object", nothing, look_for_what_is_not_there, absent_state, is_cache=True),
    Action("a new directory", nothing, new_directory, new_directory_state),
    Action("a window without links", in_two_parts, one_window_without_links, lake_state),
    Action(
        "the only file damaged", only_file_damaged, mend, only_file_state, heal=read_missing_day
    ),
    Action("a tree", nothing, publish_a_tree, tree_state),
    Action("a refused tree", nothing, refuse_a_tree, refused_tree_state),
    Action("a first snapshot", in_two_windows, take_snapshot, snapshot_state, is_cache=True),
    Action("a snapshot", prepared_snapshot, take_snapshot, snapshot_state, is_cache=True),
    Action("published marts", prepared_marts, publish_marts, marts_state),
)


@dataclass
class Play:
    """An action in a folder, its states, and the changes of the disk that it makes."""

    action: Action
    folder: Path
    trace: list[str] = field(default_factory=list)
    old: State = field(default_factory=dict)
    new: State = field(default_factory=dict)
    healthy: State = field(default_factory=dict)
    moments: int = 0
    is_impatient: bool = False

    def __post_init__(self) -> None:
        gc.freeze()  # each crash collects, and need not look at all that was loaded
        self._numbers = itertools.count()
        self.model = self.folder / "model"
        self.action.prepare(self.model)
        self.old = self.look(self.model)
        data_dir = self.copy()
        with watched(Disk(data_dir)) as disk:
            self.action.act(data_dir)
        self.trace = disk.trace
        self.new = self.look(data_dir)
        (self.action.heal or self.action.act)(data_dir)
        self.healthy = self.look(data_dir)
        shutil.rmtree(data_dir)

    def copy(self) -> Path:
        target = self.folder / f"{next(self._numbers)}"
        shutil.copytree(self.model, target, symlinks=True)
        return target

    def look(self, data_dir: Path) -> State:
        """The state, read from a copy: reading may mend."""
        seen = self.folder / f"seen{next(self._numbers)}"
        shutil.copytree(data_dir, seen, symlinks=True)
        try:
            return self.action.look(seen)
        finally:
            shutil.rmtree(seen)

    def crash(self, index: int) -> list[str]:
        """What is wrong after a crash before the change with that number, and after another run."""
        data_dir = self.copy()
        wrong = []
        with watched(Disk(data_dir, crash_at=index)), _descriptors_closed(data_dir):
            try:
                self.action.act(data_dir)
                wrong.append("the crash was survived")
            except CrashError:
                pass
        wrong += self.mixed(self.look(data_dir), "a crash")
        return wrong + self.healed(data_dir)

    def needing_space(self) -> list[int]:
        """The numbers of the changes that a full disk refuses."""
        return [i for i, said in enumerate(self.trace) if said.rpartition(" ")[0] in NEED_SPACE]

    def fill(self, index: int) -> tuple[list[str], str]:
        """What is wrong when there is no space from that change on, and what was said."""
        data_dir = self.copy()
        wrong, told = [], ""
        with watched(Disk(data_dir, full_at=index)):
            try:
                self.action.act(data_dir)
            except StdmError as error:
                told = str(error)
                if "No space left on device" not in told or not error.action:
                    wrong.append(f"does not say what to do: {told}")
            except (OSError, duckdb.Error) as error:
                wrong.append(f"a bare {error!r}")
        found = self.look(data_dir)
        wrong += self.mixed(found, "no space")
        if not told and not self.action.is_cache and found != self.new:
            wrong.append("nobody was told that it failed")
        return wrong + self.healed(data_dir), told

    def lose_power(self) -> Iterator[str]:
        """What is wrong with what is left, wherever the power goes."""
        data_dir = self.copy()
        durable = Durable(data_dir)
        wrong: list[str] = []

        def left(make: Callable[..., Path], where: str, *paths: str) -> None:
            self.moments += 1
            folder = make(self.folder / f"left{next(self._numbers)}", *paths)
            wrong.extend(self.mixed(self.seen(folder), f"{make.__name__} {where}"))
            shutil.rmtree(folder)
            if wrong and self.is_impatient:
                raise AssertionError(wrong[0])

        def after(name: str, path: str) -> None:
            where = f"after {name} {path.removeprefix(str(data_dir))}"
            if name in {"fsync", "sync_tree"}:
                (durable.sync if name == "fsync" else durable.sync_tree)(path)
                left(durable.at_least, where)
            elif name in {"rename", "replace", "link", "exchange", "symlink"}:
                left(durable.at_most, where)
                left(durable.with_only, where, path)

        with watched(Disk(data_dir, after_each=after)):
            self.action.act(data_dir)
        yield from wrong
        if self.action.is_cache:
            return
        yield from durable.doubled()
        for make in (durable.at_least, durable.at_most):
            folder = make(self.folder / f"left{next(self._numbers)}")
            found = self.seen(folder)
            for name, value in self.new.items():
                if found.get(name) != value:
                    yield f"{make.__name__} at the end: {name} is not kept: {found.get(name)}"
            shutil.rmtree(folder)

    def seen(self, data_dir: Path) -> State:
        try:
            return self.action.look(data_dir)
        except (StdmError, OSError, duckdb.Error, ValueError, pl.exceptions.PolarsError) as error:
            return {"unreadable": repr(error)}

    def run(self) -> list[str]:
        """What is wrong with an undisturbed run."""
        data_dir = self.copy()
        self.action.act(data_dir)
        found = self.seen(data_dir)
        shutil.rmtree(data_dir)
        return [] if found == self.new else [f"another state than before: {found}"]

    def mixed(self, found: State, when: str) -> list[str]:
        """What is neither old nor new."""
        if self.action.is_cache:
            return []
        if set(found) != set(self.new):
            return [f"{when}: {found}"]
        return [
            f"{when}: {name} is neither old nor new: {value}"
            for name, value in found.items()
            if value not in (self.old.get(name), self.new.get(name))
        ]

    def healed(self, data_dir: Path) -> list[str]:
        """What is wrong after another, undisturbed run."""
        for draft in data_dir.rglob(".*"):  # some hours later
            os.utime(draft, (0, 0), follow_symlinks=False)
        (self.action.heal or self.action.act)(data_dir)
        found = self.look(data_dir)
        wrong = [] if found == self.healthy else [f"not healed: {found}"]
        wrong += [f"left over: {each}" for each in leftovers(data_dir)]
        shutil.rmtree(data_dir)
        return wrong


@contextmanager
def _descriptors_closed(data_dir: Path) -> Iterator[None]:
    """Close what is open in the directory in the end, as the end of a process does; locks go so."""
    yield
    gc.collect()  # what is collected later would close a descriptor that is someone else's by then
    for descriptor in Path("/proc/self/fd").iterdir():
        with suppress(OSError):
            if str(descriptor.readlink()).startswith(f"{data_dir}/"):
                os.close(int(descriptor.name))
