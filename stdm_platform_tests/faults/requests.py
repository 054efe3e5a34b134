"""Every fault at every request of one day's extraction: what has to become of it.

The cases come from the trace of an undisturbed extraction that is played back (`replay.py`); nothing
names requests by hand. Each case extracts the day over older windows of it, with one fault.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import httpx

from stdm_platform.catalog import Dmo, dmo
from stdm_platform.data360 import Connection, Data360
from stdm_platform.errors import StdmError
from stdm_platform.extraction import DayOutcome, extract_range, windows_of_days
from stdm_platform.lake import Lake
from stdm_platform.sandbox import SandboxHandle, SandboxOptions
from stdm_platform.settings import Settings
from stdm_platform_tests.faults.replay import (
    FAULTS,
    Asked,
    Recorder,
    Recording,
    ReplayedOrg,
    Said,
)
from stdm_platform_tests.faults.world import END, NOW, checksum_of, half_written, leftovers
from stdm_platform_tests.session_objects import SESSION_DMOS

DAY = END
REWRITE = tuple(
    f"UPDATE \"ssot__AIAgent{table}__dlm\" SET {column} = {column} || ' again'"
    for table, column in (
        ("Session", "ssot__AiAgentChannelType__c"),
        ("InteractionStep", "ssot__Name__c"),
        ("InteractionMessage", "ssot__ContentText__c"),
    )
)
Days = dict[str, tuple[int, tuple[str, ...]]]
"""Rows and checksums of the files of the day, by DMO."""


@dataclass(frozen=True)
class World:
    """A way in which an org answers, and the objects whose day is read."""

    name: str
    transport: str
    dmos: tuple[Dmo, ...] = SESSION_DMOS
    polls: int = 0
    terse: bool = False
    one_use: bool = False


WORLDS = (
    World("arrow", "arrow"),
    World("arrow, slow and terse", "arrow", (dmo("messages"),), polls=1, terse=True),
    World("arrow, tokens for one use", "arrow", (dmo("sessions"),), one_use=True),
    World("auto", "auto", (dmo("sessions"),)),
    World("json", "json"),
    World("json, slow", "json", (dmo("messages"),), polls=1),
)


def world_named(name: str) -> World:
    return next(world for world in WORLDS if world.name == name)


def org_options(data_dir: Path) -> SandboxOptions:
    """A day of two sessions, in several chunks and pages."""
    return SandboxOptions(
        data_dir, days=1, sessions_per_day=2, end=DAY, chunk_rows=16, page_bytes=8000
    )


@contextmanager
def in_memory() -> Iterator[Path]:
    """A new folder, in memory where there is such a place: thousands of syncs cost nothing there."""
    parent = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    made = Path(tempfile.mkdtemp(prefix="stdm-faults-", dir=parent))
    try:
        yield made
    finally:
        shutil.rmtree(made)


@dataclass(frozen=True)
class Case:
    """One fault on one request of a world's trace."""

    world: str
    asked: Asked
    fault: str

    def __str__(self) -> str:
        return f"{self.world}: {self.fault} at {self.asked}"

    @property
    def passes(self) -> bool:
        """Whether the extraction has to go through: a fault that another attempt does not meet."""
        operation, fault = self.asked.operation, self.fault
        if fault == "403":
            return False
        if fault == "401":
            return operation != "token.login"
        if fault == "404":
            # A lost query is asked again; that a path is not there does not pass.
            return not operation.endswith(".submit") and not operation.startswith("token.")
        return True


@dataclass
class Ended:
    """What a case came to: what was said, and what is wrong with it."""

    case: Case
    told: str = ""
    wrong: list[str] = field(default_factory=list)


@dataclass
class Exchanges:
    """One world recorded, with the lake before and after."""

    world: World
    connection: Connection
    recording: Recording
    old: Path
    before: Days = field(default_factory=dict)
    after: Days = field(default_factory=dict)
    trace: list[Asked] = field(default_factory=list)

    def cases(self) -> Iterator[Case]:
        for asked in self.trace:
            for fault in FAULTS:
                yield Case(self.world.name, asked, fault)

    def client(self, org: httpx.BaseTransport) -> Data360:
        return Data360(self.connection, http_transport=org, sleep=lambda seconds: None)

    def run(self, case: Case, folder: Path, *, whole: bool = False) -> Ended:
        """Extract the day over the old one with this fault, look, and heal.

        `whole` reads all objects; else the one that the request is about and the one after it.
        """
        ended = Ended(case)
        dmos = self.world.dmos if whole else self._concerned(case)
        data_dir = folder / "data"
        shutil.copytree(self.old, data_dir)
        org = ReplayedOrg(self.recording, case.fault, case.asked, one_use=self.world.one_use)
        with self.client(org) as asked:
            try:
                outcomes = read_day(asked, data_dir, dmos)
                errors = [each.error for each in outcomes if each.error is not None]
            except StdmError as error:
                errors = [error]
        if org.served != 1:
            ended.wrong.append(f"the fault was served {org.served} times")
        ended.told = " | ".join(str(error) for error in errors)
        self._look(ended, days_of(data_dir, dmos), errors)
        ended.wrong += [f"left over: {name}" for name in half_written(data_dir)]
        if errors:
            with self.client(ReplayedOrg(self.recording)) as asked:
                read_day(asked, data_dir, dmos)
            if (held := days_of(data_dir, dmos)) != self._new(held):
                ended.wrong.append(f"the next run does not heal it: {held}")
        if left := leftovers(data_dir):
            ended.wrong.append(f"left over in the end: {left}")
        shutil.rmtree(folder)
        return ended

    def _concerned(self, case: Case) -> tuple[Dmo, ...]:
        name = case.asked.subject.partition(" of ")[2] or case.asked.subject.partition(" at ")[2]
        found = [place for place, each in enumerate(self.world.dmos) if name in each.objects]
        first = found[0] if found else 0
        return (self.world.dmos[first - 1 :] + self.world.dmos)[:2][: len(self.world.dmos)]

    def _new(self, held: Days) -> Days:
        return {name: self.after[name] for name in held}

    def _look(self, ended: Ended, held: Days, errors: Sequence[StdmError]) -> None:
        case = ended.case
        after = self._new(held)
        if case.passes and errors:
            ended.wrong.append("a fault that passes was an error")
        elif case.passes and held != after:
            ended.wrong.append(f"rows were lost or doubled: {held}")
        elif not case.passes and not errors and held != after:
            ended.wrong.append("rows are missing and nobody was told")
        for name, found in held.items():
            if found not in (self.before[name], self.after[name]):
                ended.wrong.append(f"{name} is neither the old day nor the new: {found}")
        for error in errors:
            ended.wrong += told_badly(case, error)


def told_badly(case: Case, error: StdmError) -> list[str]:
    """What an error lacks: what happened, the object and the day, what to do next."""
    text = str(error)
    wrong = []
    if f"HTTP {case.fault}" not in text:
        wrong.append(f"does not say what happened: {text}")
    if case.asked.subject and not re.match(rf"\w+ .*of {DAY}", text):
        wrong.append(f"names no object and day: {text}")
    if not error.action:
        wrong.append(f"says no next action: {text}")
    if "Traceback" in text or "Bearer" in text or "token." in text:
        wrong.append(f"tells what it should not: {text}")
    return wrong


def read_day(asked: Data360, data_dir: Path, dmos: Sequence[Dmo]) -> list[DayOutcome]:
    return extract_range(
        asked, Lake(data_dir), dmos, windows_of_days([DAY], NOW), now=NOW, workers=1, again=True
    )


def days_of(data_dir: Path, dmos: Sequence[Dmo] = SESSION_DMOS) -> Days:
    """What the files of the day hold, counted in the files themselves."""
    lake = Lake(data_dir)
    found: Days = {}
    for name in sorted({each.name for each in dmos}.intersection(lake.names())):
        held = lake.evidence_of_day(name, DAY)
        sums = [checksum_of(file.path) for file, _ in held]
        assert sums == [said.checksum for _, said in held]
        found[name] = (sum(said.rows for _, said in held), tuple(sums))
    return found


def connection_of(handle: SandboxHandle, transport: str) -> Connection:
    """The connection of one client whose requests come in one order."""
    given: dict[str, object] = {
        name.removeprefix("STDM_").lower(): value for name, value in handle.env.items()
    }
    given |= {"transport": transport, "requests_in_flight": 1}
    return Connection.from_settings(Settings(**given))  # type: ignore[arg-type]


def client_of_socket(handle: SandboxHandle, transport: str) -> Data360:
    """A client that gives up waiting after a second, and asks the real server."""
    connection = replace(connection_of(handle, transport), read_timeout_seconds=1.0)
    return Data360(connection, sleep=lambda seconds: None)


def recorded(handle: SandboxHandle, world: World, folder: Path) -> Exchanges:
    """Record the day as it was and, with rows rewritten, as it is; the trace of reading it again."""
    made = Exchanges(world, connection_of(handle, world.transport), Recording(), folder / "old")
    if world.polls:
        handle.set_faults([{"kind": "running", "polls": world.polls}])
    with made.client(Recorder()) as asked:
        assert {o.status for o in read_day(asked, made.old, world.dmos)} == {"published"}
    for sql in REWRITE:
        handle.execute(sql)
    recorder = Recorder(TERSE if world.terse else None)
    with made.client(recorder) as asked:
        assert {o.status for o in read_day(asked, folder / "new", world.dmos)} == {"published"}
    detours = Recorder({**TERSE, "v3.metadata": lambda said: DENIED} if world.terse else None)
    other = "json" if world.transport == "auto" else world.transport
    with Data360(connection_of(handle, other), http_transport=detours) as asked:
        read_day(asked, folder / "detours", world.dmos)
    handle.clear_faults()
    made.recording = Recording({**detours.recording.answers, **recorder.recording.answers})
    made.before, made.after = days_of(made.old), days_of(folder / "new")
    replayed = ReplayedOrg(made.recording, one_use=world.one_use)
    with made.client(replayed) as asked:
        read_day(asked, folder / "replayed", world.dmos)
    assert days_of(folder / "replayed") == made.after
    made.trace = replayed.trace
    return made


def _without_columns(said: Said) -> Said:
    body = {key: value for key, value in json.loads(said.body).items() if key != "metadata"}
    return Said(said.status, said.headers, json.dumps(body).encode())


def _fewer_chunks(said: Said) -> Said:
    """The last chunk is not told of, so the rest has to be read by rows."""
    status = json.loads(dict(said.headers).get("x-hyperdb-status") or said.body)
    status["chunkCount"] = min(status["chunkCount"], 1)
    headers = [(name, value) for name, value in said.headers if name != "x-hyperdb-status"]
    body = json.loads(said.body)
    told = json.dumps(status)
    if "chunkCount" in body:
        return Said(said.status, tuple(headers), told.encode())
    return Said(said.status, (*headers, ("x-hyperdb-status", told)), said.body)


TERSE = {
    "v3.submit": lambda said: _fewer_chunks(_without_columns(said)),
    "v3.status": _fewer_chunks,
}
"""An org that names no columns when a query begins, and one chunk of several."""

DENIED = Said(403, (), b"")
"""What makes the client look for columns in a chunk."""
