"""What stands on disk, in forms that can be compared."""

from __future__ import annotations

import hashlib
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import polars as pl

from stdm_platform.catalog import DMOS, dmo
from stdm_platform.lake import Evidence, Lake

MARTS = {
    "session_summary": ["session_date", "session_id"],
    "orphan_rows": ["session_date", "object_name", "row_id", "parent_object"],
    "session_completeness": ["session_date", "org_id", "completeness", "completeness_reason"],
    "topic_routing": ["session_date", "org_id", "agent_name", "from_topic", "to_topic"],
    "topic_summary": ["session_date", "org_id", "agent_name", "topic"],
}


def tree_hash(*roots: Path) -> str:
    """A digest of all names, link targets and contents below these folders or of these files."""
    digest = hashlib.sha256()
    for root in roots:
        for path in [root, *sorted(root.rglob("*"))]:
            digest.update(f"{path.relative_to(root)}\n{path.is_symlink()}\n".encode())
            if path.is_symlink():
                digest.update(str(path.readlink()).encode())
            elif path.is_file():
                digest.update(path.read_bytes())
    return digest.hexdigest()


def evidence(data_dir: Path, name: str, day: date) -> list[Evidence]:
    return [said for _, said in Lake(data_dir).evidence_of_day(name, day)]


def lake_counts(data_dir: Path) -> dict[tuple[str, date], int]:
    """Rows by DMO and day, counted in the files by DuckDB, not read from footers."""
    found = {}
    for entry in DMOS:
        glob = data_dir / "lake" / entry.name / "date=*" / "*.parquet"
        if not list(glob.parent.parent.glob("date=*/*.parquet")):
            continue
        sql = f"select date::date, count(*) from read_parquet('{glob}', hive_partitioning=true) group by all"
        with duckdb.connect() as connection:
            for day, rows in connection.execute(sql).fetchall():
                found[entry.name, day] = rows
    return found


def lake_rows(data_dir: Path, name: str, day: date | None = None) -> pl.DataFrame:
    """All rows of a DMO, or those of a day, by key."""
    folder = "date=*" if day is None else f"date={day}"
    files = sorted((data_dir / "lake" / name).glob(f"{folder}/*.parquet"))
    frames = [pl.read_parquet(file, hive_partitioning=False) for file in files]
    return pl.concat(frames).sort(dmo(name).key)


def lake_checksums(data_dir: Path) -> dict[tuple[str, date], list[tuple[str, str]]]:
    """Window and order-independent checksum of every file, by DMO and day."""
    lake = Lake(data_dir)
    return {
        (entry.name, day): [
            (str(said.window), said.checksum) for said in evidence(data_dir, entry.name, day)
        ]
        for entry in DMOS
        for day in lake.days(entry.name)
    }


def ask(data_dir: Path, sql: str) -> list[tuple[Any, ...]]:
    """The answer of the published marts, by a plain DuckDB client."""
    with duckdb.connect(str(data_dir / "marts.duckdb"), read_only=True) as marts:
        return marts.execute(sql).fetchall()


def mart_rows(data_dir: Path, mart: str, where: str = "true") -> pl.DataFrame:
    """All rows of a mart, by its grain."""
    with duckdb.connect(str(data_dir / "marts.duckdb"), read_only=True) as marts:
        marts.execute("set timezone = 'UTC'")
        return marts.sql(f"select * from {mart} where {where}").pl().sort(MARTS[mart])


def all_marts(data_dir: Path, where: str = "true") -> dict[str, pl.DataFrame]:
    return {mart: mart_rows(data_dir, mart, where) for mart in MARTS}


def assert_same_marts(one: dict[str, pl.DataFrame], other: dict[str, pl.DataFrame]) -> None:
    assert set(one) == set(other)
    for mart, frame in one.items():
        assert frame.equals(other[mart]), f"{mart}: {frame.height} and {other[mart].height} rows"
