"""Rows kept aside: in one motion with their window, wherever a publication breaks off."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl
import pyarrow as pa
import pytest

from stdm_platform.catalog import Dmo
from stdm_platform.errors import LakeError
from stdm_platform.guard import Verdict
from stdm_platform.lake import REASON, Lake, StagedWindow, Window, quarantine_schema
from stdm_platform_tests.lake.days import (
    DAY,
    ORG,
    SESSIONS,
    STEPS,
    hours,
    passed,
    published,
    reading,
    rows,
)
from stdm_platform_tests.lake.test_crashes import CrashError, Disk, watched_disk

Proven = Callable[[StagedWindow], object]


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(tmp_path)


def waiting(keys: list[str]) -> pa.RecordBatch:
    schema = quarantine_schema(SESSIONS)
    given = [{REASON: "a reason", "session_id": key} for key in keys]
    return pa.RecordBatch.from_pylist(given, schema=schema)


def put(lake: Lake, window: Window, good: list[str], aside: list[str]) -> None:
    """Publish a window with these keys, and these kept aside."""
    with lake.stage(SESSIONS, window) as one:
        for key in good:
            one.write(rows(1, key))
        if aside:
            one.set_aside(waiting(aside))
        kept = {"a reason": len(aside)} if aside else {}
        proof = Verdict("sessions", window, len(good) + len(aside), quarantined=kept)
        one.close(org_id=ORG, reading=reading(), settled=False, proof=proof)
        lake.publish("sessions", DAY, [one])


def state(lake: Lake) -> list[tuple[int, list[str], list[str]]]:
    """Of each held window its hour, its keys, and the keys of its rows kept aside."""
    found = []
    for file, said in lake.evidence_of_day("sessions", DAY):
        path = lake.quarantine_file(file)
        aside = pl.read_parquet(path)["session_id"].to_list() if path.exists() else []
        assert len(aside) == said.quarantined_rows
        keys = pl.read_parquet(file.path, hive_partitioning=False)["session_id"].to_list()
        found.append((file.window.start.hour, keys, aside))
    return found


def in_quarantine(lake: Lake) -> int:
    return len(list(lake.folders.quarantine.rglob("*.parquet")))


def before(lake: Lake) -> None:
    put(lake, hours(0, 12), ["a"], ["x"])
    put(lake, hours(12, 24), ["b"], ["y"])


CHANGES = {
    "mended": (["b", "y"], []),
    "broken otherwise": (["b"], ["z"]),
    "broken as before": (["b"], ["y"]),
}


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("change", CHANGES)
def test_a_crash_at_any_file_operation_neither_loses_nor_doubles_a_row(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: str, after: bool
) -> None:
    good, aside = CHANGES[change]

    def act(lake: Lake) -> None:
        put(lake, hours(12, 24), good, aside)

    model, counted = Lake(tmp_path / "model"), Lake(tmp_path / "counted")
    before(model)
    shutil.copytree(model.data_dir, counted.data_dir)
    with watched_disk(monkeypatch, Disk()) as disk:
        act(counted)
    old, new = state(model), state(counted)
    seen = []
    for index in range(len(disk.trace)):
        lake = Lake(tmp_path / f"crash{index}")
        shutil.copytree(model.data_dir, lake.data_dir)
        with watched_disk(monkeypatch, Disk(index, after)), pytest.raises(CrashError):
            act(lake)
        again = Lake(lake.data_dir)
        seen.append(state(again))
        assert seen[-1] in (old, new), (index, disk.trace[index])
        act(again)
        assert state(again) == new
        assert in_quarantine(again) == 1 + bool(aside)
    assert old in seen
    assert new in seen


def test_rows_kept_aside_are_on_the_disk_before_their_window_is_seen(
    lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    before(lake)
    with watched_disk(monkeypatch, Disk()) as disk:
        put(lake, hours(12, 24), ["b"], ["z"])
    names = [name for name, _ in disk.trace]
    exchanged = names.index("exchange")
    folder = lake.folders.quarantine_day("sessions", DAY)
    moved = next(
        place
        for place, (name, given) in enumerate(disk.trace)
        if name == "move" and given[1].parent == folder
    )
    source = disk.trace[moved][1][0]
    assert ("sync_file", (source,)) in disk.trace[:moved]
    assert ("sync_folder", (folder,)) in disk.trace[moved:exchanged]
    removed = [place for place, name in enumerate(names) if name == "remove_file"]
    assert removed
    assert min(removed) > exchanged


def test_a_damaged_window_takes_its_quarantine_with_it(lake: Lake) -> None:
    before(lake)
    lake.windows("sessions", DAY)[0].path.write_bytes(b"PAR1 nothing PAR1")
    assert [hour for hour, _, _ in state(lake)] == [12]
    assert in_quarantine(lake) == 1


def test_a_refused_window_keeps_its_untrusted_rows_beside_it(lake: Lake) -> None:
    with lake.stage(SESSIONS, hours(0, 1)) as one:
        one.write(rows(1, "a"))
        one.set_aside(waiting(["x"]))
        one.close(org_id=ORG, reading=reading(), settled=False)
        path = lake.refuse(one, "too many")
    aside = pl.read_parquet(path.with_name(f"{path.stem}_quarantine.parquet"))
    assert aside["session_id"].to_list() == ["x"]
    assert in_quarantine(lake) == 0


@dataclass(frozen=True)
class Word:
    """What anyone could say of some rows."""

    dmo: str = "sessions"
    window: Window | None = field(default_factory=lambda: hours(0, 12))
    rows: int = 3
    passed: bool = True
    quarantined: dict[str, int] = field(default_factory=dict)


@pytest.mark.parametrize(
    ("proof", "told"),
    [
        (None, "No contract has seen these rows"),
        (Word(passed=False), "did not let sessions"),
        (Word(dmo="steps"), "did not let sessions"),
        (Word(window=hours(0, 6)), "did not let sessions"),
        (Word(window=None), "did not let sessions"),
        (Word(rows=2), "has seen 2 rows, 0 of them to be kept aside; 3 were written"),
        (Word(rows=4, quarantined={"a reason": 1}), "3 were written and 0 kept aside"),
    ],
)
def test_nothing_is_published_that_no_contract_let_pass(
    lake: Lake, proof: Word | None, told: str
) -> None:
    with lake.stage(SESSIONS, hours(0, 12)) as one:
        one.write(rows(3))
        one.close(org_id=ORG, reading=reading(), settled=False, proof=proof)
        with pytest.raises(LakeError, match=told):
            lake.publish("sessions", DAY, [one])
    assert lake.windows("sessions", DAY) == []


def test_one_unproven_window_keeps_the_others_out_too(lake: Lake) -> None:
    held = published(lake, hours(0, 6), [rows(1)])
    with lake.stage(SESSIONS, hours(6, 12)) as good, lake.stage(SESSIONS, hours(12, 18)) as bad:
        for one in (good, bad):
            one.write(rows(1, "n"))
        good.close(org_id=ORG, reading=reading(), settled=False, proof=passed(good))
        bad.close(org_id=ORG, reading=reading(), settled=False)
        with pytest.raises(LakeError, match="No contract"):
            lake.publish("sessions", DAY, [good, bad])
    assert lake.windows("sessions", DAY) == [held]


@pytest.mark.parametrize("proven", [SESSIONS, None])
def test_no_reading_of_whole_sessions_is_published_unless_every_file_is_proven(
    lake: Lake, proven: Dmo | None
) -> None:
    with lake.stage_tree() as staged:
        for entry in (SESSIONS, STEPS):
            file, _ = staged.begin(entry)
            file.write(rows(1, entry=entry))
            staged.finish(
                entry, [reading()], (), Verdict(entry.name, None, 1) if entry is proven else None
            )
        staged.seal(org_id=ORG, read_at=reading().read_at, sessions=["a0"], absent=[])
        with pytest.raises(LakeError, match="No contract"):
            lake.publish_tree(staged)
    assert not lake.folders.trees.exists() or not any(lake.folders.trees.iterdir())
