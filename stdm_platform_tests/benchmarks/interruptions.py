"""What interruptions of a large day cost: `stdm extract` is killed at random moments and run again.

`python -m stdm_platform_tests.benchmarks.interruptions --rows 10000000` starts an org with one day of so many
records, kills the command five times with SIGKILL, lets it end, and counts from the org's own logs what it
served and what it processed. It ends with 1 if more than one window's worth of rows was served again for
each kill, if more was billed again, or if the lake does not hold the rows of the org.

Belongs here: the killing and the counting. Does not: the org (`volume_org.py`).

    served      bytes of results; those of a chunk or page that was served before are served again
    billed      rows of each window that was asked for, at most its LIMIT: what an org processes that
                stops when it has enough. A window that proves too large is billed up to that bound once,
                and its rows are counted once, with or without interruptions; both are told apart.
"""

from __future__ import annotations

import argparse
import os
import random
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import duckdb
from rich.console import Console
from rich.table import Table

from stdm_platform.catalog import Dmo
from stdm_platform.lake import Lake
from stdm_platform_tests.benchmarks.volume_org import DAY, VolumeOrg, volume_org
from stdm_platform_tests.faults.world import STDM, environment
from stdm_platform_tests.session_objects import SESSION_DMOS

USUAL_ROWS_A_SECOND = 100_000
SHORTEST_SECONDS = 2.0
LIMIT = re.compile(r"LIMIT (\d+)\s*$")
OBJECT = re.compile(r'FROM "([^"]+)"\s+WHERE ("[^"]+")')
RESULTS = re.compile(r"/(chunks/\d+|rows)(\?|$)")


@dataclass(frozen=True)
class Bill:
    """Rows of the windows that were asked for, of those that proved too large, and rows counted."""

    queries: int
    rows: int
    too_large: int
    counted: int


def main() -> None:
    """Kill, resume, count, print."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--rows", type=int, default=2_000_000)
    parser.add_argument("--kills", type=int, default=5)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--transport", choices=("arrow", "json"), default="arrow")
    parser.add_argument("--seconds", type=float, help="of a run that nobody interrupts")
    parser.add_argument("--folder", type=Path, help="where the rows of the org are kept")
    given = parser.parse_args()
    usual = given.seconds or given.rows / USUAL_ROWS_A_SECOND
    with tempfile.TemporaryDirectory(prefix="stdm-interruptions-") as name:
        folder = Path(name)
        with volume_org(given.folder or folder, records=given.rows) as org:
            variables = environment(org.handle, folder / "data", STDM_TRANSPORT=given.transport)
            killed = _interrupted(variables, random.Random(given.seed), given.kills, usual)
            wrong = _report(org, folder / "data", killed)
    sys.exit(1 if wrong else 0)


def _interrupted(variables: dict[str, str], dice: random.Random, kills: int, usual: float) -> int:
    """Kill so often at random moments, then run to the end; how often it was still running."""
    for number in range(kills):
        moment = SHORTEST_SECONDS + dice.uniform(0, 2 * usual / (kills + 1))
        process = _start(variables)
        try:
            ended = process.wait(moment)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            print(f"kill {number + 1} after {moment:.1f} s", file=sys.stderr)
            continue
        # What ended is not interrupted: the same command would rightly read the day again.
        print(f"it ended with {ended} before kill {number + 1}: give --seconds", file=sys.stderr)
        return number
    begun = time.monotonic()
    process = _start(variables)
    if process.wait() != 0:
        raise SystemExit("the command failed after the last interruption")
    print(f"the rest took {time.monotonic() - begun:.1f} s", file=sys.stderr)
    return kills


def _start(variables: dict[str, str]) -> subprocess.Popen[bytes]:
    until = DAY + timedelta(days=1)
    return subprocess.Popen(
        [STDM, "extract", "--since", str(DAY), "--until", str(until), "--no-marts"],
        env=variables,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


def _report(org: VolumeOrg, data_dir: Path, kills: int) -> list[str]:
    lake = Lake(data_dir)
    windows = [said.rows for dmo in SESSION_DMOS for _, said in lake.evidence_of_day(dmo.name, DAY)]
    day, largest = sum(org.rows.values()), max(windows)
    again = _served_again(org) * day
    bill = _billed(org)
    billed_again = bill.rows - bill.too_large - bill.counted - day
    table = Table("what", "rows", "windows' worth", title=f"{kills} kills, {len(windows)} windows")
    lines = (
        ("of the day", day, ""),
        ("in the largest window", largest, "1"),
        ("served again", again, f"{again / largest:.2f}"),
        ("billed", bill.rows, f"{bill.queries} queries"),
        ("  of windows that proved too large", bill.too_large, f"{bill.too_large / largest:.2f}"),
        ("  of counting the parts of those", bill.counted, f"{bill.counted / largest:.2f}"),
        ("billed again", billed_again, f"{billed_again / largest:.2f}"),
    )
    for what, rows, worth in lines:
        table.add_row(what, f"{rows:,.0f}", worth)
    Console(width=100).print(table)
    wrong = [
        f"{what}: {rows:,.0f} rows"
        for what, rows in (("served again", again), ("billed again", billed_again))
        if rows > kills * largest
    ]
    wrong += [
        f"{dmo.name}: the lake is not the org" for dmo in SESSION_DMOS if not _same(org, lake, dmo)
    ]
    for line in wrong:
        print(line, file=sys.stderr)
    return wrong


def _served_again(org: VolumeOrg) -> float:
    """Bytes of results that were served before, as a share of those served for the first time."""
    first: Counter[str] = Counter()
    served = 0
    for number, request in enumerate(org.handle.requests()):
        if request["status"] is None or not RESULTS.search(request["path"]):
            continue
        served += request["bytes"]
        # The log has no query string, so each page of a JSON result counts by itself.
        key = request["path"] if "/chunks/" in request["path"] else f"page {number}"
        first[key] = max(first[key], request["bytes"])
    return served / sum(first.values()) - 1 if first else 0.0


def _billed(org: VolumeOrg) -> Bill:
    queries = rows = too_large = counted = 0
    counts: set[tuple[str, ...]] = set()
    for entry in org.handle.sql_log():
        sql, found = entry["sql"], OBJECT.search(entry["sql"])
        if found is None or entry["error"] or "CAST(?" not in sql:
            continue
        table, clock = found.groups()
        count = f'SELECT count(*) FROM "{table}" WHERE {clock} >= CAST(? AS TIMESTAMPTZ) AND {clock} < CAST(? AS TIMESTAMPTZ)'
        values = [_value(each) for each in entry["parameters"]]
        held = int(org.handle.execute(count, values)[0][0])
        bound = LIMIT.search(sql)
        most = int(bound[1]) if bound else held
        queries, rows = queries + 1, rows + min(held, most)
        too_large += most if held >= most and bound else 0
        asked = (table, *map(str, values))
        if "GROUP BY 1" in sql and asked not in counts:  # a second count of the same is paid again
            counts.add(asked)
            counted += held
    return Bill(queries, rows, too_large, counted)


def _value(parameter: Any) -> str:
    return str(parameter["value"] if isinstance(parameter, dict) else parameter)


def _same(org: VolumeOrg, lake: Lake, dmo: Dmo) -> bool:
    """Whether lake and org hold the same rows of a DMO, by all their texts and their clock."""
    texts = [column for column in dmo.columns if column.type == "text"]
    files = [str(file.path) for file in lake.windows(dmo.name, DAY)]
    question = (
        "SELECT count(*), bit_xor(hash(concat_ws('|', {texts}, epoch_ms({clock})))) FROM {rows}"
    )
    theirs = question.format(
        texts=", ".join(f"coalesce(\"{column.source}\", '∅')" for column in texts),
        clock=f'"{dmo[dmo.clock].source}"',
        rows=f'"{dmo.objects[0]}"',
    )
    ours = question.format(
        texts=", ".join(f"coalesce({column.name}, '∅')" for column in texts),
        clock=dmo.clock,
        rows="read_parquet($1, hive_partitioning = false)",
    )
    with duckdb.connect() as memory:
        memory.execute("SET TimeZone = 'UTC'")
        held = memory.execute(ours, [files]).fetchall()[0] if files else (0, None)
    count, digest = org.handle.execute(theirs)[0]
    return (count, str(digest)) == (held[0], str(held[1]))


if __name__ == "__main__":
    main()
