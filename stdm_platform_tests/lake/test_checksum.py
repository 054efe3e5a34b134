from __future__ import annotations

import subprocess
import sys
from itertools import pairwise
from pathlib import Path
from random import Random
from typing import Any

import polars as pl
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from stdm_platform.lake import Lake, RowChecksum, checksum_of_file
from stdm_platform_tests.lake.days import published, rows

SCHEMA = pa.schema(
    [
        ("key", pa.string()),
        ("other", pa.string()),
        ("at", pa.timestamp("ms", tz="UTC")),
        ("number", pa.float64()),
        ("flag", pa.bool_()),
    ]
)
text = st.one_of(st.none(), st.text(max_size=4))
row = st.tuples(
    text,
    text,
    st.one_of(st.none(), st.integers(0, 4_000_000_000_000)),
    st.one_of(st.none(), st.floats(allow_nan=False, width=32)),
    st.one_of(st.none(), st.booleans()),
)
Row = tuple[Any, ...]


def batch(held: list[Row]) -> pa.RecordBatch:
    columns = list(zip(*held, strict=True)) or [()] * len(SCHEMA)
    arrays = [pa.array(list(c), f.type) for c, f in zip(columns, SCHEMA, strict=True)]
    return pa.RecordBatch.from_arrays(arrays, schema=SCHEMA)


def checksum(*batches: pa.RecordBatch) -> str:
    running = RowChecksum()
    for one in batches:
        running.add(one)
    return running.text


@given(st.lists(row, max_size=20), st.randoms(use_true_random=False), st.data())
def test_order_and_batches_do_not_matter(
    held: list[Row], random: Random, data: st.DataObject
) -> None:
    shuffled = held.copy()
    random.shuffle(shuffled)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(held)), max_size=4)))
    bounds = [0, *cuts, len(held)]
    whole = batch(shuffled)
    parts = [whole.slice(a, b - a) for a, b in pairwise(bounds)]
    assert checksum(*parts) == checksum(batch(held))


@given(st.lists(row, min_size=1, max_size=10), st.data())
def test_any_changed_cell_changes_it(held: list[Row], data: st.DataObject) -> None:
    number = data.draw(st.integers(0, len(held) - 1))
    column = data.draw(st.integers(0, len(SCHEMA) - 1))
    changed = list(held[number])
    changed[column] = data.draw(row.map(lambda other: other[column]))
    same = changed[column] == held[number][column]
    others = [*held[:number], tuple(changed), *held[number + 1 :]]
    assert (checksum(batch(others)) == checksum(batch(held))) == same


@given(st.lists(row, max_size=5), row)
def test_two_equal_rows_do_not_cancel(held: list[Row], twin: Row) -> None:
    texts = {checksum(batch([*held, *[twin] * count])) for count in range(4)}
    assert len(texts) == 4


def test_a_value_that_moves_to_another_row_or_column_changes_it() -> None:
    empty = (None, None, None)
    straight = checksum(batch([("a", "x", *empty), ("b", "y", *empty)]))
    assert straight != checksum(batch([("a", "y", *empty), ("b", "x", *empty)]))
    assert straight != checksum(batch([("x", "a", *empty), ("b", "y", *empty)]))
    assert checksum(batch([("a", None, *empty)])) != checksum(batch([(None, "a", *empty)]))
    assert checksum(batch([("", None, *empty)])) != checksum(batch([(None, None, *empty)]))


def test_it_names_its_algorithm_and_the_version_of_polars() -> None:
    assert checksum(batch([])).startswith(f"sum64-polars-{pl.__version__}:0:")


def test_another_process_finds_the_same(tmp_path: Path) -> None:
    file = published(Lake(tmp_path), None, [rows(1000)])
    said = file.evidence().checksum
    assert checksum_of_file(file.path) == said
    code = f"from stdm_platform.lake import *; from pathlib import Path; print(checksum_of_file(Path({str(file.path)!r})))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == said
