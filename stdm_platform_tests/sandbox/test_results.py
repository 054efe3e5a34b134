"""What the org keeps of old results: so many, and so many bytes; the newest always."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import pyarrow as pa
import pytest

from stdm_platform.sandbox import results
from stdm_platform.sandbox.refusals import Refusal
from stdm_platform.sandbox.results import ResultStore
from stdm_platform.sandbox.stored import Result

ROWS = pa.table({"n": list(range(1000))})


@pytest.fixture
def store(tmp_path: Path) -> ResultStore:
    return ResultStore(cast(Any, None), tmp_path / "kept", chunk_rows=10, chunk_bytes=1000)


def ended(store: ResultStore, name: str) -> Result:
    result = Result(name, store._folder / name, ROWS.schema, datetime(2999, 1, 1, tzinfo=UTC))
    result.folder.mkdir()
    result.add(ROWS)
    result.finish(ROWS.num_rows, 0.0)
    store._results[name] = result
    store._keep(result)
    return result


def kept(store: ResultStore, names: str) -> str:
    found = ""
    for name in names:
        try:
            found += store.get(name).query_id
        except Refusal:
            continue
    return found


def test_the_oldest_results_go_when_there_are_too_many(
    store: ResultStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(results, "KEPT_RESULTS", 3)
    made = [ended(store, name) for name in "abcde"]
    assert kept(store, "abcde") == "cde"
    assert [each.folder.exists() for each in made] == [False, False, True, True, True]


def test_the_oldest_results_go_when_they_take_too_much_room(
    store: ResultStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    size = ended(store, "a").size
    monkeypatch.setattr(results, "KEPT_BYTES", 2 * size)
    for name in "bcd":
        ended(store, name)
    assert kept(store, "abcd") == "cd"
    store.drop("c")
    ended(store, "e")
    assert kept(store, "abcde") == "de"
    monkeypatch.setattr(results, "KEPT_BYTES", size - 1)
    ended(store, "f")
    assert kept(store, "abcdef") == "f", "the newest can be read whatever its size"
