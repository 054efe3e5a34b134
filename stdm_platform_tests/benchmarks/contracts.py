"""What the checks cost on a day of a million rows: memory, time, and their share of an extraction.

`python -m stdm_platform_tests.benchmarks.contracts --rows 1000000` extracts one day of steps from an org
in the same process (no HTTP), each way in a process of its own: without any check, with all of them, and
with one row in 200 kept aside. It prints seconds, CPU seconds and the peak of the memory, and ends with 1
if the checks added more than --most-megabytes.
"""

from __future__ import annotations

import argparse
import json
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from unittest.mock import patch

import polars as pl
import pyarrow as pa
from rich.console import Console
from rich.table import Table

from stdm_platform.catalog import dmo
from stdm_platform.data360 import Parameter, ResultColumn
from stdm_platform.extraction import expected_shape, extract_day
from stdm_platform.guard import Gate, Verdict
from stdm_platform.lake import Lake, Window

STEPS, DAY = dmo("steps"), date(2026, 1, 14)
MIDNIGHT = datetime(2026, 1, 14, tzinfo=UTC)
NOW = MIDNIGHT + timedelta(days=9)
BATCH_ROWS = 16_384
TEXT = "What is the status of order 4711? It was to come on Monday. " * 6
WAYS = ("no checks", "all checks", "1 in 200 aside")
ROW_IN = 200


class Million:
    """A source of one answer, made batch by batch while it is read."""

    org_id = "00Dxx0000000001EAA"

    def __init__(self, rows: int, transport: str, *, broken: bool) -> None:
        self.row_count = self.rows_processed = rows
        self.transport = transport
        self.query_id, self.sql_sha256 = "query", "0" * 64
        types = {"timestamp": "TimestampTZ", "text": "Varchar", "number": "Numeric"}
        self.columns = tuple(ResultColumn(c.name, types[c.type]) for c in STEPS.columns)
        self._broken = broken

    def query(self, sql: str, parameters: Sequence[Parameter] = ()) -> Million:
        del sql, parameters
        return self

    def batches(self) -> Iterator[pa.RecordBatch]:
        for first in range(0, self.row_count, BATCH_ROWS):
            yield self._batch(first, min(BATCH_ROWS, self.row_count - first))

    def _batch(self, first: int, rows: int) -> pa.RecordBatch:
        number = pl.Series(range(first, first + rows))
        frame = pl.DataFrame({"n": number}).select(
            self._values(column).alias(column.name) for column in STEPS.columns
        )
        if self._broken:
            is_broken = number % ROW_IN == 0
            key = pl.when(is_broken).then(None).otherwise(pl.col(STEPS.key)).alias(STEPS.key)
            frame = frame.with_columns(key)
        return frame.to_arrow(compat_level=pl.CompatLevel.oldest()).combine_chunks().to_batches()[0]

    def _values(self, column: Any) -> pl.Expr:
        number = pl.col("n")
        if column.type == "timestamp":
            instant = (pl.lit(MIDNIGHT) + pl.duration(milliseconds=number * 80)).dt.cast_time_unit(
                "us"
            )
            return (
                instant.dt.strftime("%Y-%m-%dT%H:%M:%S%.3fZ")
                if self.transport == "json"
                else instant
            )
        if column.sensitivity == "text":
            return pl.format("{} {}", number, pl.lit(TEXT))
        if column.vocabulary:
            return pl.lit(column.vocabulary[0].value)
        if column.type == "number":
            return (number % 997).cast(pl.Float64)
        return pl.format("019{}-1b2c-7def-8abc-{}", number % 89, number)


class Open(Gate):
    """A gate that looks at nothing: what writing costs alone."""

    def take(self, batch: pa.RecordBatch, *_: Any) -> pa.RecordBatch:
        self._seen = getattr(self, "_seen", 0) + batch.num_rows
        self._write(batch)
        return batch

    def conclude(self, *_: Any) -> Verdict:
        return Verdict(STEPS.name, Window.of_day(DAY), self._seen)

    def profile(self, *_: Any) -> dict[str, Any]:
        return {}


def measured(way: str, rows: int, transport: str, folder: Path) -> dict[str, float]:
    """Extract the day in this process; seconds, CPU seconds, MiB, rows in lake and quarantine."""
    org = Million(rows, transport, broken=way == WAYS[2])
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    with ExitStack() as stack:
        if way == WAYS[0]:
            stack.enter_context(patch("stdm_platform.extraction.reading.Gate", Open))
        begun, cpu = time.monotonic(), time.process_time()
        outcome = extract_day(
            org, Lake(folder), expected_shape(STEPS), [Window.of_day(DAY)], now=NOW
        )
        seconds, cpu = time.monotonic() - begun, time.process_time() - cpu
    if outcome.status != "published" or outcome.rows + outcome.quarantined != rows:
        raise AssertionError(outcome.describe())
    return {
        "seconds": seconds,
        "cpu_seconds": cpu,
        "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "start_mib": before,
        "rows": outcome.rows,
        "quarantined": outcome.quarantined,
        "lake_mib": outcome.bytes / 2**20,
    }


def main() -> int:
    """Measure each way in a process of its own and print the table."""
    wanted = _arguments()
    folder = Path(tempfile.mkdtemp(prefix="stdm-contracts-", dir=wanted.folder))
    try:
        if wanted.way is not None:
            found = measured(WAYS[wanted.way], wanted.rows, wanted.transport, folder / "data")
            print(json.dumps(found))
            return 0
        found = {way: _in_a_process(wanted, number) for number, way in enumerate(WAYS)}
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    _show(found, wanted)
    added = max(found[way]["peak_mib"] for way in WAYS[1:]) - found[WAYS[0]]["peak_mib"]
    return int(added > wanted.most_megabytes)


def _in_a_process(wanted: argparse.Namespace, way: int) -> dict[str, float]:
    command = [
        sys.executable, "-m", "stdm_platform_tests.benchmarks.contracts", "--way", str(way),
        "--rows", str(wanted.rows), "--transport", wanted.transport,
    ]  # fmt: skip
    more = ["--folder", str(wanted.folder)] if wanted.folder else []
    done = subprocess.run([*command, *more], check=True, capture_output=True, text=True)
    return dict(json.loads(done.stdout))


def _show(found: dict[str, dict[str, float]], wanted: argparse.Namespace) -> None:
    table = Table(title=f"One day of {wanted.rows:,} steps, {wanted.transport}")
    names = (
        "way",
        "seconds",
        "CPU s",
        "checks' share of CPU",
        "peak MiB",
        "at start",
        "quarantined",
    )
    for name in names:
        table.add_column(name, justify="left" if name == "way" else "right")
    bare = found[WAYS[0]]["cpu_seconds"]
    for way, each in found.items():
        share = 1 - bare / each["cpu_seconds"]
        table.add_row(
            way, f"{each['seconds']:.1f}", f"{each['cpu_seconds']:.1f}", f"{share:.0%}",
            f"{each['peak_mib']:.0f}", f"{each['start_mib']:.0f}", f"{each['quarantined']:,.0f}",
        )  # fmt: skip
    Console().print(table)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="contracts", description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--transport", choices=("arrow", "json"), default="arrow")
    parser.add_argument("--most-megabytes", type=float, default=256, help="that checks may add")
    parser.add_argument("--folder", type=Path, default=None, help="where the lakes go")
    parser.add_argument("--way", type=int, default=None, help="measure this one here; for itself")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
