"""Sketches of durations: near the truth, the same however they were merged, readable by any name of the file."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stdm_platform.marts.sketch import RELATIVE_ERROR, macros_sql

SHARES = (0.0, 0.07, 0.5, 0.95, 0.99, 1.0)


@pytest.fixture(scope="module")
def engine() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        connection.execute(macros_sql("main"))
        yield connection


def percentiles(engine: duckdb.DuckDBPyConnection, days: list[list[int]]) -> list[float | None]:
    columns = ", ".join(f"percentile_ms(list(sketch), {share})" for share in SHARES)
    rows = engine.execute(
        f"""
        with days as (select unnest(?::bigint[][]) as durations),
        sketches as (
            select (select histogram(duration_bucket(ms)) from unnest(durations) as of_day (ms)) as sketch from days
        )
        select {columns} from sketches
        """,
        [days],
    ).fetchall()
    return list(rows[0])


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.lists(st.integers(0, 10**8), max_size=12), min_size=1, max_size=5).filter(any),
)
def test_percentiles_of_merged_sketches_are_near_those_of_all_durations(
    engine: duckdb.DuckDBPyConnection, days: list[list[int]]
) -> None:
    found = percentiles(engine, days)
    ordered = sorted(duration for day in days for duration in day)
    for share, value in zip(SHARES, found, strict=True):
        nearest_rank = max(1, -(-round(share * len(ordered) * 10**6) // 10**6))
        wanted = ordered[nearest_rank - 1]
        assert value is not None
        assert abs(value - wanted) <= RELATIVE_ERROR * wanted + 0.051  # and rounded to a tenth
    assert percentiles(engine, [ordered]) == found
    assert percentiles(engine, days[::-1]) == found


def test_no_duration_has_no_percentile(engine: duckdb.DuckDBPyConnection) -> None:
    assert percentiles(engine, [[]]) == [None] * len(SHARES)
    rows = engine.execute(
        "select percentile_ms([map {}::map(integer, ubigint), null], 0.5), duration_bucket(null), duration_bucket(-5)"
    ).fetchall()
    assert rows == [(None, None, None)]


def test_the_macros_work_whatever_the_file_is_called(tmp_path: Path) -> None:
    path = tmp_path / "first.duckdb"
    with duckdb.connect() as writer:
        writer.execute(f"attach '{path}' as published (storage_version 'v1.5.0')")
        writer.execute(macros_sql("published"))
    path = path.rename(tmp_path / "second.duckdb")
    with duckdb.connect(str(path), read_only=True) as reader:
        rows = reader.execute("select percentile_ms([map {231: 3::ubigint}], 0.5)").fetchall()
    assert rows == [(pytest.approx(100, rel=RELATIVE_ERROR),)]
