"""What the checks cost on one day over HTTP: time, memory, and their share of an extraction.

`python -m stdm_platform_tests.benchmarks.contracts --records 1000000` serves one day of all objects and reads
it with `stdm extract`, each way in a process of its own and in turn: without any check, with all of them, and
with one step in 200 that has no key and is kept aside. It prints medians of wall and CPU seconds and the peak
of the memory, and ends with 1 if the checks took more than 15 % of the extraction's time or added more than
--most-megabytes.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import sys
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from typing import Any
from unittest.mock import patch

import duckdb
import polars as pl
import pyarrow as pa
from rich.console import Console
from rich.table import Table

from stdm_platform.catalog import Dmo, dmo
from stdm_platform.cli import run
from stdm_platform.guard import Gate, Verdict
from stdm_platform.lake import Rows, Window
from stdm_platform_tests.benchmarks import measured
from stdm_platform_tests.benchmarks.measured import Measure
from stdm_platform_tests.benchmarks.volume_org import DAY, VolumeOrg, served, volume_file
from stdm_platform_tests.benchmarks.volume_runs import ALL

STEPS = dmo("steps")
WAYS = ("no checks", "all checks", "1 in 200 aside")
ROW_IN = 200
MOST_SHARE = 0.15


class Open(Gate):
    """A gate that looks at nothing: what reading and writing cost alone."""

    def __init__(self, dmo: Dmo, window: Window | None, *_: Any, write: Any, **__: Any) -> None:
        self._name, self._window, self._write, self._seen = dmo.name, window, write, 0

    def take(self, batch: pa.RecordBatch, *_: Any) -> pa.RecordBatch:
        self._seen += batch.num_rows
        self._write(Rows(batch))
        return batch

    def conclude(self, *_: Any) -> Verdict:
        return Verdict(self._name, self._window, self._seen)

    def profile(self, *_: Any) -> dict[str, Any]:
        return {}

    def __exit__(self, *_: object) -> None:
        """There is nothing to close."""


def main() -> int:
    """Measure each way in processes of its own and print the table."""
    wanted = _arguments()
    if wanted.way is not None:
        return _extract(WAYS[wanted.way])
    folder = Path(tempfile.mkdtemp(prefix="stdm-contracts-", dir=wanted.folder))
    orgs = wanted.orgs or folder / "orgs"
    try:
        whole, rows = volume_file(orgs, records=wanted.records)
        with served(whole, rows) as org:
            found: dict[str, list[Measure]] = {way: [] for way in WAYS}
            for _ in range(wanted.times):
                for number in (0, 1):
                    found[WAYS[number]].append(_measured(number, org, folder, wanted, aside=0))
        broken = _broken(whole, folder)
        with served(broken, rows) as org:
            aside = -(-rows[STEPS.name] // ROW_IN)
            found[WAYS[2]].append(_measured(2, org, folder, wanted, aside=aside))
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return _show(found, wanted)


def _extract(way: str) -> int:
    words = [
        "extract",
        "--since",
        str(DAY),
        "--until",
        str(DAY + timedelta(days=1)),
        "--yes",
        "--no-marts",
    ]
    words += [word for name in ALL for word in ("--table", name)]  # fmt: skip
    with ExitStack() as stack:
        if way == WAYS[0]:
            stack.enter_context(patch("stdm_platform.extraction.reading.Gate", Open))
        return run(words)


def _broken(whole: Path, folder: Path) -> Path:
    """The same rows, with one step in 200 that has no key."""
    path = folder / f"broken-{whole.name}"
    shutil.copy(whole, path)
    with duckdb.connect(str(path), config={"memory_limit": "2GB"}) as rows:
        key = STEPS[STEPS.key].source
        rows.execute(f'update "{STEPS.objects[0]}" set "{key}" = null where rowid % {ROW_IN} = 0')
    return path


def _measured(
    way: int, org: VolumeOrg, folder: Path, wanted: argparse.Namespace, *, aside: int
) -> Measure:
    """One extraction, whose rows in lake and quarantine are all that the org has."""
    data = folder / "data"
    shutil.rmtree(data, ignore_errors=True)
    module = "stdm_platform_tests.benchmarks.contracts"
    words = [sys.executable, "-m", module, "--way", str(way)]
    variables = {**os.environ, **org.variables(data, STDM_TRANSPORT=wanted.transport)}
    found = measured.run(words, variables, folder / "run.log")
    held = sum(
        pl.scan_parquet(path).select(pl.len()).collect().item()
        for path in (data / "lake").rglob("*.parquet")
    )
    if held != sum(org.rows[name] for name in ALL) - aside:
        raise SystemExit(f"{WAYS[way]}: the lake holds {held:,} rows, {aside:,} are to be aside.")
    return found


def _show(found: dict[str, list[Measure]], wanted: argparse.Namespace) -> int:
    table = Table(title=f"One day of {wanted.records:,} records, {wanted.transport}")
    for name in ("way", "runs", "seconds", "checks' share", "CPU s", "checks' share", "peak MiB"):
        table.add_column(name, justify="left" if name == "way" else "right")
    shares = {}
    bare = found[WAYS[0]]
    for way, runs in found.items():
        shares[way] = [
            1 - _median(bare, each) / _median(runs, each) for each in ("seconds", "cpu_seconds")
        ]
        table.add_row(
            way, str(len(runs)), f"{_median(runs, 'seconds'):.1f}", f"{shares[way][0]:.0%}",
            f"{_median(runs, 'cpu_seconds'):.1f}", f"{shares[way][1]:.0%}", f"{_peak(runs):.0f}",
        )  # fmt: skip
    Console().print(table)
    added = _peak(found[WAYS[1]]) - _peak(bare)
    held = shares[WAYS[1]][0] <= MOST_SHARE and added <= wanted.most_megabytes
    print(
        f"checks: {shares[WAYS[1]][0]:.0%} of the time (at most {MOST_SHARE:.0%}), {added:+.0f} MiB"
    )
    return int(not held)


def _median(runs: Sequence[Measure], name: str) -> float:
    return statistics.median(getattr(one, name) for one in runs)


def _peak(runs: Sequence[Measure]) -> float:
    return max(one.peak for one in runs) / 2**20


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="contracts", description=__doc__.splitlines()[0])
    parser.add_argument("--records", type=int, default=1_000_000)
    parser.add_argument("--transport", choices=("arrow", "json"), default="arrow")
    parser.add_argument("--times", type=int, default=2, help="runs of each of the first two ways")
    parser.add_argument("--most-megabytes", type=float, default=256, help="that checks may add")
    parser.add_argument("--folder", type=Path, default=None, help="where the lakes go")
    parser.add_argument("--orgs", type=Path, help="where the orgs' rows are kept for the next call")
    parser.add_argument(
        "--way", type=int, default=None, help="extract in this way here; for itself"
    )
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
