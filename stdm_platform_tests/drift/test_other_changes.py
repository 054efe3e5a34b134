"""Changes that need two looks or several objects: families, coming and going, nullability, empty clocks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import pyarrow as pa
import pytest

from stdm_platform.catalog import dmo
from stdm_platform.data360 import Data360, ResultColumn
from stdm_platform.extraction import probe_org
from stdm_platform.extraction.source import Result, Source
from stdm_platform_tests.drift.world import HELD, LATER, NEW, World, source
from stdm_platform_tests.session_objects import SESSION_DMOS

NAMES = [each.name for each in SESSION_DMOS]
NEXT = LATER + timedelta(days=1)


@pytest.mark.parametrize(
    ("transport", "families"),
    [
        ("arrow", dict.fromkeys(NAMES, "std")),
        ("json", {"sessions": "std", "steps": "std", "moments": "std"}),
        ("arrow", {"interactions": "std"}),
    ],
    ids=["all of the newer family", "half of them", "one of them"],
)
def test_names_of_another_family_give_the_same_rows_and_so_the_same_marts(
    world: World, clients: dict[str, Data360], transport: str, families: dict[str, str]
) -> None:
    before = _held(world)
    world.org.change_settings(families=families)
    outcomes = world.read(clients[transport], NAMES, [HELD])
    assert {each.status for each in outcomes.values()} == {"published"}
    assert not any(each.changed for each in outcomes.values())
    assert _held(world) == before
    assert world.mart_days_to_build() == []  # the digest of what marts are made of is the same
    assert {each.dmo for each in world.drifts() if each.kind == "family_changed"} == set(families)
    assert {each.kind for each in world.drifts()} <= {"family_changed", "mixed_families"}
    mixed = {each.dmo for each in world.drifts() if each.kind == "mixed_families"}
    assert bool(mixed) == (len(families) < len(NAMES))
    assert world.told() == []


def test_columns_of_both_families_in_one_object_are_read_and_are_news(
    world: World, clients: dict[str, Data360]
) -> None:
    before = _held(world)
    renamed = {
        f"{name}.{column}": dmo(name)[column].candidates[1]
        for name, column in (("sessions", "session_id"), ("sessions", "ended_at"),
                             ("messages", "content_text"), ("steps", "interaction_id"))
    }  # fmt: skip
    world.org.change_settings(rename_columns=renamed)
    world.read(clients["json"], NAMES, [HELD])
    assert _held(world) == before
    found = {(each.dmo, each.kind) for each in world.drifts()}
    assert found == {
        (name, kind)
        for name in ("sessions", "messages", "steps")
        for kind in ("column_renamed", "mixed_families")
    }
    assert world.told() == []


@pytest.mark.parametrize("transport", ["arrow", "json"])
def test_an_object_that_was_never_there_is_skipped_and_read_once_it_comes(
    world: World, clients: dict[str, Data360], tmp_path: Any, transport: str
) -> None:
    empty = World(world.org, tmp_path / "new")
    world.org.change_settings(hide_objects=["moments"])
    outcomes = empty.read(clients[transport], ["sessions", "moments"])
    assert {outcomes["moments", day].status for day in (HELD, NEW)} == {"absent"}
    (absent,) = empty.drifts()
    assert (absent.kind, absent.severity, absent.dmo) == ("object_absent", "news", "moments")
    assert all(name in absent.describe() for name in dmo("moments").objects)
    world.org.change_settings(hide_objects=[])
    outcomes = empty.read(clients[transport], ["sessions", "moments"], now=NEXT)
    assert {each.status for each in outcomes.values()} == {"published"}
    (come,) = empty.drifts()
    assert (come.kind, come.severity, come.new) == (
        "object_come",
        "news",
        dmo("moments").objects[0],
    )
    assert come.first_day == NEXT.date()
    assert empty.told() == []


@pytest.mark.parametrize(
    ("name", "column", "first", "then", "severity"),
    [
        ("sessions", "session_id", False, True, "warn"),
        ("steps", "interaction_id", False, True, "warn"),
        ("messages", "content_text", True, False, "news"),
        ("interactions", "ended_at", False, True, "news"),
    ],
)
def test_a_column_that_says_otherwise_whether_it_can_be_empty(
    world: World, clients: dict[str, Data360], tmp_path: Any, name: str, column: str,
    first: bool, then: bool, severity: str,
) -> None:  # fmt: skip
    told = World(world.org, tmp_path / "told")
    named = source(name, column)
    for may_be_empty, at in ((first, LATER), (then, NEXT)):
        told.read(_Telling(clients["json"], named, may_be_empty), [name], [HELD], now=at)
    (drift,) = told.drifts()
    assert (drift.kind, drift.severity, drift.column) == ("nullability_changed", severity, named)
    words = {True: "may be empty", False: "never empty"}
    assert (drift.old, drift.new, drift.first_day) == (words[first], words[then], NEXT.date())
    assert len(told.told()) == (severity == "warn")


@pytest.mark.parametrize("name", ["sessions", "messages"])
def test_an_object_in_other_letters_is_news_where_the_org_tells_its_spelling(
    world: World, clients: dict[str, Data360], name: str
) -> None:
    before, old = _held(world), dmo(name).objects[0]
    probe_org(clients["arrow"], world.lake, LATER, dmos=[dmo(name)])
    world.org.change_settings(rename_objects={name: old.lower()})
    probe_org(clients["arrow"], world.lake, NEXT, dmos=[dmo(name)])
    world.read(clients["json"], [name], [HELD], now=NEXT)
    assert _held(world) == before
    (drift,) = world.drifts()
    assert (drift.kind, drift.severity, drift.dmo) == ("object_casing", "news", name)
    assert (drift.old, drift.new, drift.first_day) == (old, old.lower(), NEXT.date())
    assert world.told() == []


def test_what_is_mended_stands_no_more(world: World, clients: dict[str, Data360]) -> None:
    world.org.change_settings(hide_columns=["steps.interaction_id", "sessions.channel_type"])
    world.read(clients["arrow"], ["steps", "sessions"], [HELD])
    assert {each.severity for each in world.drifts()} == {"block", "warn"}
    world.org.change_settings(hide_columns=[])
    world.read(clients["arrow"], ["steps", "sessions"], [HELD], now=NEXT)
    assert world.drifts() == []


def test_marts_of_a_day_wait_while_an_object_of_it_is_gone(
    world: World, clients: dict[str, Data360]
) -> None:
    world.org.change_settings(rename_objects={"steps": "ssot__AIAgentDeed__dlm"})
    outcomes = world.read(clients["arrow"], NAMES, [NEW])
    assert outcomes["steps", NEW].status == "failed"
    assert outcomes["sessions", NEW].status == "published"
    assert NEW not in world.mart_days_to_build()


def _held(world: World) -> dict[tuple[str, str], list[str]]:
    lake = world.lake
    return {
        (name, str(day)): [said.checksum for _, said in lake.evidence_of_day(name, day)]
        for name in NAMES
        for day in lake.days(name)
    }


@dataclass
class _Telling:
    """A client of an org that says of one column whether it can be empty."""

    client: Source
    column: str
    may_be_empty: bool

    @property
    def org_id(self) -> str:
        return self.client.org_id

    def query(self, sql: str, parameters: Sequence[Any] = ()) -> Result:
        return _Told(self.client.query(sql, parameters), self.column, self.may_be_empty)


@dataclass
class _Told:
    result: Result
    column: str
    may_be_empty: bool

    def __getattr__(self, name: str) -> Any:
        return getattr(self.result, name)

    @property
    def columns(self) -> tuple[ResultColumn, ...]:
        return tuple(
            replace(each, nullable=self.may_be_empty) if each.name == self.column else each
            for each in self.result.columns
        )

    def batches(self) -> Iterator[pa.RecordBatch]:
        return self.result.batches()


@pytest.mark.parametrize("name", ["sessions", "interactions", "steps"])
def test_a_clock_that_cannot_be_read_is_kept_aside_and_too_many_block_their_day(
    world: World, clients: dict[str, Data360], name: str
) -> None:
    """Over JSON only: an Arrow instant cannot hold text, and another type is a change of type."""
    clock, before = source(name, dmo(name).clock), world.published()
    words = ("cannot be read", "text of 4 characters instead of timestamp")
    fault = {"kind": "garbled_cells", "column": dmo(name).clock, "text": "soon"}
    world.org.set_faults([{**fault, "rows": 10_000}])
    outcomes = world.read(clients["json"], [name])
    for (_, day), outcome in outcomes.items():
        assert outcome.status == "refused"
        said = outcome.describe()
        missing = [w for w in (name, str(day), clock, *words) if w not in said]
        assert not missing, said
    assert world.published() == before
    assert world.mart_days_to_build() == []
    world.org.set_faults([{**fault, "on": "connect.submit", "rows": 2}])
    outcomes = world.read(clients["json"], [name])
    for (_, day), outcome in outcomes.items():
        assert (outcome.status, outcome.quarantined) == ("published", 2)
        assert outcome.verdict is not None
        assert outcome.verdict.quarantined == {f"undecodable {clock}": 2}
        said = outcome.verdict.describe_quarantine()
        missing = [w for w in (name, str(day), "2 rows", clock, *words) if w not in said]
        assert not missing, said
    world.org.clear_faults()
    outcomes = world.read(clients["json"], [name])
    assert {(each.status, each.quarantined) for each in outcomes.values()} == {("published", 0)}
