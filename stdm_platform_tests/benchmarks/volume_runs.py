"""Ours and the floor in turn against one volume org, and what the lake's bytes come to.

Belongs here: the runs of one size and the lines of issue 5 that they decide. Does not: the rows of the org
(`volume_rows.py`), printing (`report.py`).

A run is a whole process. What it does for a day without rows (imports, login, looks, an empty file) is
measured too and taken off both sides of a ratio, which else would say more of imports than of rows.
"""

from __future__ import annotations

import itertools
import json
import shutil
import statistics
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path

import duckdb

from stdm_platform.catalog import dmo
from stdm_platform.extraction import expected_shape
from stdm_platform.extraction.sql import fresh_nonce, window_query
from stdm_platform.lake import Window
from stdm_platform.sandbox import SandboxHandle, SandboxOptions, running
from stdm_platform_tests.benchmarks.measured import Measure, bytes_under, cpu_seconds_of, run
from stdm_platform_tests.benchmarks.report import Line, Report
from stdm_platform_tests.benchmarks.volume_org import DAY, VolumeOrg
from stdm_platform_tests.faults.world import STDM, environment
from stdm_platform_tests.session_objects import SESSION_DMOS

ALL = tuple(dmo.name for dmo in SESSION_DMOS)
STEPS = ("steps",)
MOST = {"arrow": 1.4, "json": 1.6}
FLOOR = Path(__file__).with_name("floor.py")
LEAST_COMPRESSION = 10.0
GIB = 2**30


@dataclass
class Bench:
    """One org and a folder in which every run gets a data directory of its own."""

    org: SandboxHandle
    folder: Path
    report: Report
    day: date = DAY
    _numbers: itertools.count[int] = field(default_factory=itertools.count)

    def ours(
        self, tables: Sequence[str], transport: str = "arrow", *, marts: bool = False
    ) -> Measure:
        """`stdm extract` of the day; with `marts` up to the published ones. Keeps the last lake."""
        day = self.day
        words = [STDM, "extract", "--since", str(day), "--until", str(day + timedelta(days=1))]
        words += [word for name in tables for word in ("--table", name)] + ["--yes"]
        return self._run(words if marts else [*words, "--no-marts"], transport)

    def floor(self, tables: Sequence[str], transport: str = "arrow") -> Measure:
        """Bare `httpx` and `pyarrow`, for the same rows."""
        questions = self.folder / "questions.json"
        questions.write_text(json.dumps({name: question_of(name, self.day) for name in tables}))
        words = [sys.executable, str(FLOOR), "--questions", str(questions)]
        words += ["--transport", transport, "--to"]
        measure = self._run(words, transport, ends_with_folder=True)
        measure.rows = json.loads(measure.said.splitlines()[-1])["rows"]
        return measure

    def lake(self) -> Path:
        """The data directory of the run before."""
        return self.folder / "data"

    def _run(self, words: list[str], transport: str, *, ends_with_folder: bool = False) -> Measure:
        data = self.lake()
        shutil.rmtree(data, ignore_errors=True)
        data.mkdir(parents=True, mode=0o700)
        variables = environment(self.org, data, STDM_TRANSPORT=transport)
        self.org.requests(clear=True)
        before = cpu_seconds_of(self.org.process.pid)
        more = [str(data)] if ends_with_folder else []
        number = next(self._numbers)
        measure = run([*words, *more], variables, self.folder / f"{number}.log")
        measure.server_cpu_seconds = cpu_seconds_of(self.org.process.pid) - before
        measure.bytes_in = sum(entry["bytes"] for entry in self.org.requests(clear=True))
        lake = data if ends_with_folder else data / "lake"
        measure.bytes_out = bytes_under(lake)
        if not ends_with_folder:
            measure.rows = lake_rows(lake)
        return measure


def compare(
    bench: Bench,
    size: str,
    tables: Sequence[str],
    transport: str,
    *,
    times: int,
    start_ups: int,
    wanted: int,
) -> None:
    """Ours and the floor in turn, and the line on their ratio.

    Raises:
        AssertionError: a run did not bring the rows that there are.
    """
    what = "steps" if tuple(tables) == STEPS else "all objects"
    starts = _start_ups(bench, tables, transport, start_ups)
    ours: list[Measure] = []
    floors: list[Measure] = []
    for _ in range(times):
        for name, runs, go in (("ours", ours, bench.ours), ("floor", floors, bench.floor)):
            measure = go(tables, transport)
            assert measure.rows == wanted, f"{name} {what}: {measure.rows:,} rows, not {wanted:,}"
            runs.append(measure)
            bench.report.add(f"{size}, {what}, {transport}", name, measure)
    means = [statistics.median(one.seconds for one in runs) for runs in (ours, floors)]
    net = [mean - start for mean, start in zip(means, starts, strict=True)]
    ratio, plain = net[0] / net[1], means[0] / means[1]
    cpu = _median_cpu(ours) / _median_cpu(floors)
    most = MOST[transport]
    bench.report.lines.append(
        Line(
            f"{size}, {what}, {transport}: ours over the floor at most {most}",
            f"{ratio:.2f} (with start-up {plain:.2f}, CPU {cpu:.2f}; start-up {starts[0]:.1f} s "
            f"and {starts[1]:.1f} s)",
            ratio <= most,
        )
    )


def _median_cpu(runs: Sequence[Measure]) -> float:
    return statistics.median(one.cpu_seconds for one in runs)


def _start_ups(
    bench: Bench, tables: Sequence[str], transport: str, times: int
) -> tuple[float, float]:
    """Seconds that ours and the floor need for a day that holds nothing; none if it is not tried."""
    if not times:
        return 0.0, 0.0
    empty = Bench(bench.org, bench.folder / "empty", bench.report, bench.day + timedelta(days=7))
    empty.folder.mkdir(exist_ok=True)
    found = [
        (empty.ours(tables, transport).seconds, empty.floor(tables, transport).seconds)
        for _ in range(times)
    ]
    return statistics.median(one for one, _ in found), statistics.median(one for _, one in found)


def to_marts(bench: Bench, size: str, *, wanted: int, most_seconds: float, most_peak: int) -> None:
    """The whole way to published marts, once, and its two lines."""
    measure = bench.ours(ALL, marts=True)
    assert measure.rows == wanted, f"{measure.rows:,} rows, not {wanted:,}"
    bench.report.add(f"{size}, to published marts", "ours", measure)
    used = measure.cpu_seconds + measure.server_cpu_seconds
    bench.report.lines += [
        Line(
            f"{size}: HTTP to published marts under {most_seconds:.0f} s, the org's server included",
            f"{measure.seconds:.1f} s ({used:.0f} s of CPU, {measure.server_cpu_seconds:.0f} of them "
            "the server's)",
            measure.seconds < most_seconds,
        ),
        Line(
            f"{size}: every process of ours under {most_peak / GIB:.1f} GiB",
            f"{measure.peak / GIB:.2f} GiB",
            measure.peak < most_peak,
        ),
    ]


def compression(bench: Bench, size: str) -> None:
    """The lake of the run before against its rows as JSON lines, and the line on it."""
    lake = bench.lake() / "lake"
    held, lines = bytes_under(lake), json_lines_bytes(lake)
    bench.report.lines.append(
        Line(
            f"{size}: lake at least {LEAST_COMPRESSION:.0f} times smaller than JSON lines",
            f"{lines / held:.1f} ({lines / 1e6:,.0f} MB to {held / 1e6:,.0f} MB)",
            lines / held >= LEAST_COMPRESSION,
        )
    )


def real_compression(folder: Path, transcripts: Path, report: Report) -> None:
    """The same of real conversations, served by the sandbox's loader; a figure without a bound."""
    folder.mkdir(parents=True, exist_ok=True)
    options = SandboxOptions(folder / "org", transcripts=transcripts, days=1, end=DAY)
    with running(options) as org:
        bench = Bench(org, folder, report)
        measure = bench.ours(ALL)
        report.add(f"{transcripts.name}, one day", "ours", measure)
        lake = bench.lake() / "lake"
        found = {
            name: (json_lines_bytes(each), bytes_under(each))
            for name, each in (("all", lake), ("steps", lake / "steps"))
        }
    told = ", ".join(
        f"{name} {lines / held:.1f} ({lines / 1e6:.1f} MB to {held / 1e6:.2f} MB)"
        for name, (lines, held) in found.items()
    )
    report.lines.append(Line(f"{transcripts.name}: lake against JSON lines, reported", told, None))


def question_of(name: str, day: date) -> tuple[str, list[str]]:
    """The very query that our extraction asks for a whole day, and the values of its places."""
    sql, parameters = window_query(
        expected_shape(dmo(name)), Window.of_day(day), nonce=fresh_nonce()
    )
    return sql, [one.value or "" for one in parameters]


def lake_rows(lake: Path) -> int:
    """The rows of all Parquet files under a folder."""
    return sum(_of_each(lake, "count(*)"))


def json_lines_bytes(lake: Path) -> int:
    """The bytes of all rows under a folder as JSON lines, nulls written."""
    return sum(_of_each(lake, "coalesce(sum(strlen(CAST(to_json(t) AS VARCHAR)) + 1), 0)"))


def _of_each(lake: Path, aggregate: str) -> list[int]:
    folders = sorted({path.parent.parent for path in lake.rglob("*.parquet")})
    with duckdb.connect(config={"memory_limit": "1GB"}) as con:
        con.execute("SET enable_progress_bar = false")
        asked = f"SELECT {aggregate} FROM read_parquet(?, hive_partitioning = false) t"
        found = [con.execute(asked, [f"{each}/*/*.parquet"]).fetchall() for each in folders]
    return [int(rows[0][0]) for rows in found]


def rows_of(org: VolumeOrg, tables: Sequence[str]) -> int:
    """How many rows of these DMOs the org holds."""
    return sum(org.rows[name] for name in tables)
