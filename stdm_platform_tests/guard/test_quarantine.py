"""Which rows cannot be trusted, how many a window may have, and that there is one way in."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

import stdm_platform
from stdm_platform.catalog import DMOS, Dmo, dmo
from stdm_platform.guard import Gate, Verdict
from stdm_platform.guard.quarantine import shape, tolerated
from stdm_platform.lake import REASON, quarantine_schema
from stdm_platform_tests.guard.batches import WINDOW, batch, rows, sources

SESSIONS, STEPS = dmo("sessions"), dmo("steps")
PACKAGE = Path(stdm_platform.__file__).parent


class Written:
    """A gate, and what came through it on both sides."""

    def __init__(self, entry: Dmo, types: dict[str, str] | None = None, **options: Any) -> None:
        self.entry = entry
        self.good: list[pa.RecordBatch] = []
        self.aside: list[pa.RecordBatch] = []
        self.gate = Gate(
            entry, WINDOW, sources(entry), types or {},
            write=lambda rows: self.good.append(rows.batch), set_aside=self.aside.append, **options,
        )  # fmt: skip

    def take(self, given: pa.RecordBatch, undecodable: dict[str, pa.Array] | None = None) -> None:
        self.gate.take(given, undecodable or {}, given)

    def rows(self) -> tuple[int, int]:
        return sum(map(len, self.good)), sum(map(len, self.aside))

    def reasons(self) -> list[str]:
        return [reason for each in self.aside for reason in each.column(REASON).to_pylist()]


@pytest.mark.parametrize(
    ("rows_served", "limit", "allowed"),
    [
        (0, 0.01, 0), (1, 0.01, 0), (2, 0.01, 1), (20, 0.01, 10), (1000, 0.01, 10),
        (1100, 0.01, 11), (1_000_000, 0.01, 10_000), (1_000_000, 0, 0), (5, 0, 0), (7, 1, 7),
    ],
)  # fmt: skip
def test_the_limit_is_a_share_and_for_few_rows_a_number(
    rows_served: int, limit: float, allowed: int
) -> None:
    assert tolerated(rows_served, limit) == allowed


@pytest.mark.parametrize("entry", DMOS, ids=lambda entry: entry.name)
def test_a_null_in_each_required_column_keeps_its_row_aside(entry: Dmo) -> None:
    for column in entry.columns:
        if column.required:
            written = Written(entry)
            written.take(batch(entry, **{column.name: None}))
            verdict = written.gate.conclude()
            assert verdict.passed
            assert written.rows() == (4, 1)
            assert written.reasons() == [f"not_null {column.source}"]
            assert verdict.rows == 5
            assert verdict.quarantined == {f"not_null {column.source}": 1}
            assert written.aside[0].schema == quarantine_schema(entry)


def test_a_value_that_cannot_be_read_is_told_by_its_figures_or_its_length_and_never_by_its_words() -> (
    None
):
    given = batch(SESSIONS, started_at=None)
    lost = pa.array([True] + [False] * 4)
    place = given.schema.get_field_index("started_at")
    for value, told in (
        ("2026-13-45T99:00:00Z", '"2026-13-45T99:00:00Z" instead of timestamp'),
        ("my name is Ann", "text of 14 characters instead of timestamp"),
        ("4111 1111 1111 1111", "text of 19 characters instead of timestamp"),
    ):
        served = given.set_column(place, "started_at", pa.array([value] + [None] * 4))
        written = Written(SESSIONS)
        written.gate.take(given, {"started_at": lost}, served)
        said = written.gate.conclude().describe_quarantine()
        assert told in said
        assert "undecodable" in said
        assert "Ann" not in said
    assert shape("17", may_be_shown=False) == "text of 2 characters"


def test_a_null_in_an_optional_column_keeps_no_row_aside() -> None:
    written = Written(SESSIONS)
    written.take(batch(SESSIONS, ended_at=None, channel_type=None))
    assert written.rows() == (5, 0)
    assert written.gate.conclude().quarantined == {}


def test_faults_of_no_single_row_refuse_the_window_and_keep_nothing_aside() -> None:
    written = Written(SESSIONS)
    written.take(batch(SESSIONS, started_at=WINDOW.end))
    written.take(batch(SESSIONS))
    verdict = written.gate.conclude()
    assert {each.check for each in verdict.failures} == {"clock_in_window", "unique_key"}
    assert written.rows() == (10, 0)


def test_a_column_of_another_type_is_no_fault_of_its_rows() -> None:
    written = Written(SESSIONS, {"started_at": "Varchar"})
    lost = pa.array([True] + [False] * 4)
    written.take(batch(SESSIONS, started_at=None), {"started_at": lost})
    verdict = written.gate.conclude()
    assert [each.check for each in verdict.failures] == ["column_type"]
    assert written.rows() == (5, 0)


def test_above_the_limit_each_column_is_told_with_keys_and_shares() -> None:
    written = Written(STEPS)
    given = rows(STEPS, 6)
    for row in given[:4]:
        row["interaction_id"] = None
    written.take(batch(STEPS, given, started_at=None))
    verdict = written.gate.conclude()
    assert not verdict.passed
    assert verdict.quarantined == {}
    told = {each.column: (each.check, each.count, each.keys) for each in verdict.failures}
    assert told == {
        STEPS["started_at"].source: ("not_null", 1, ("k0",)),
        STEPS["interaction_id"].source: ("not_null", 4, ("k0", "k1", "k2", "k3")),
    }
    assert "4 of 6 rows cannot be trusted, 3 may be kept aside" in verdict.describe()


def test_a_day_adds_up_what_its_windows_keep_aside() -> None:
    verdicts = []
    for _ in range(2):
        written = Written(SESSIONS)
        written.take(batch(SESSIONS, session_id=None))
        verdicts.append(written.gate.conclude())
    day = Verdict.of_day(verdicts)
    assert (day.rows, day.quarantined_rows, len(day.set_aside)) == (10, 2, 2)
    assert day.as_dict()["quarantined"] == {"not_null ssot__Id__c": 2}


ONLY_HERE = {
    "publish": {("extraction/reading.py", "lake")},
    "publish_tree": {("extraction/tree_batch.py", "lake"), ("lake/tree_lake.py", "trees")},
    "stage": {("extraction/reading.py", "lake")},
    "stage_tree": {("extraction/tree_batch.py", "lake")},
    "change_day": {("lake/store.py", ""), ("lake/held.py", "")},
    "keep_aside": {("lake/publishing.py", "")},
    "Verdict": {("guard/contract.py", "")},
    "RowFile": {("lake/staging.py", ""), ("lake/tree_staging.py", "")},
    "StagedWindow": {("lake/store.py", "")},
    "StagedTree": {("lake/tree_lake.py", "")},
}
"""Every call by which rows or proofs come to be, and the one place that may make it."""


@cache
def nodes() -> tuple[tuple[str, ast.AST], ...]:
    """Module and node of the whole platform, parsed once."""
    found = []
    for path in sorted(PACKAGE.rglob("*.py")):
        module = path.relative_to(PACKAGE).as_posix()
        if module.startswith("sandbox/"):
            continue  # another program: it may import neither guard nor lake
        wanted = ast.Call | ast.ImportFrom
        tree = ast.walk(ast.parse(path.read_text()))
        found += [(module, node) for node in tree if isinstance(node, wanted)]
    return tuple(found)


def calls() -> Iterator[tuple[str, str, str]]:
    """Name called, module, and the name before the dot, of every call in the platform."""
    for module, node in nodes():
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            yield node.func.id, module, ""
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            owner = node.func.value
            last = owner.attr if isinstance(owner, ast.Attribute) else getattr(owner, "id", "?")
            yield node.func.attr, module, last


@pytest.mark.parametrize("name", ONLY_HERE)
def test_only_the_way_through_the_guard_makes_rows_visible(name: str) -> None:
    found = {(module, owner) for called, module, owner in calls() if called == name}
    if name == "publish":
        found = {each for each in found if not each[0].startswith("marts/")}
    assert found == ONLY_HERE[name]


@pytest.mark.parametrize("module", ["extraction/reading.py", "extraction/tree_reading.py"])
def test_whoever_stages_rows_hands_them_to_a_gate_and_its_verdict_on(module: str) -> None:
    made = {(called, owner) for called, where, owner in calls() if where == module}
    assert ("Gate", "") in made
    assert ("take", "gate") in made
    assert ("conclude", "gate") in made
    assert not {call for call in made if call[0] in ("write", "set_aside", "Contract", "Verdict")}


def test_no_other_room_imports_what_writes_the_lake() -> None:
    writers = {
        f"stdm_platform.lake.{name}"
        for name in ("publishing", "quarantine", "staging", "tree_staging")
    }
    for module, node in nodes():
        if isinstance(node, ast.ImportFrom) and not module.startswith("lake/"):
            assert node.module not in writers, module
