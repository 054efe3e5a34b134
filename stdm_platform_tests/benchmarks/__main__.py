"""Ours against the floor at volume, and each line of issue 5 with the figure that was seen.

`python -m stdm_platform_tests.benchmarks [--scale small|day|history]` starts a sandbox org as a process of
its own, runs `stdm extract` and bare `httpx` + `pyarrow` against it in turn, prints a table and writes it as
JSON. It ends with 1 when a line does not hold. `small` takes under two minutes; `day` reads 1 and 10 million
records of one day; `history` builds marts on 100 million steps.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from pathlib import Path

import duckdb
from rich.console import Console

from stdm_platform.catalog import dmo
from stdm_platform_tests.benchmarks.measured import CommandFailedError, peak_of
from stdm_platform_tests.benchmarks.report import Line, Report
from stdm_platform_tests.benchmarks.volume_org import VolumeOrg, volume_file, volume_org
from stdm_platform_tests.benchmarks.volume_runs import (
    ALL,
    GIB,
    STEPS,
    Bench,
    compare,
    compression,
    real_compression,
    rows_of,
    to_marts,
)
from stdm_platform_tests.benchmarks.volume_texts import gzip_ratio, step_texts, texts_of

SMALL, MILLION, DAY = 492_000, 1_000_000, 10_000_000
PARTS = ("arrow", "json", "all", "marts", "compression")
REAL = Path("/work/shared/real/gpt-4o-airline.json")
MOST_GZIP_DIFFERENCE = 0.2
MILLION_SECONDS, DAY_SECONDS = 75.0, 600.0
MILLION_PEAK, DAY_PEAK = GIB, 3 * GIB // 2


def main() -> int:
    """Measure one scale; 0 if all its lines hold."""
    wanted = _arguments()
    report = Report(wanted.scale)
    folder = Path(tempfile.mkdtemp(prefix="stdm-benchmarks-", dir=wanted.folder))
    orgs = wanted.orgs or folder / "orgs"
    try:
        if wanted.scale == "history":
            from stdm_platform_tests.benchmarks import history

            history.run(folder, report)
        else:
            volume(wanted, report, folder, orgs)
    except (CommandFailedError, AssertionError) as error:  # what was measured until then is shown
        report.lines.append(
            Line("every run ends well, with all rows", str(error)[-600:], held=False)
        )
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    report.show(Console(width=wanted.width))
    report.write(wanted.output)
    print(f"written to {wanted.output}", file=sys.stderr)
    return report.exit_code


def volume(wanted: argparse.Namespace, report: Report, folder: Path, orgs: Path) -> None:
    """The runs of `small` and `day`."""
    first = wanted.records or (SMALL if wanted.scale == "small" else MILLION)
    with volume_org(orgs, records=first) as org:
        report.facts["rows"] = org.rows
        one_size(Bench(org.handle, folder, report), org, _named(first), wanted)
        _tell_of_the_server(report, org, _named(first))
    texts(report, volume_file(orgs, records=first)[0], wanted.real)
    if wanted.real.is_file() and "compression" in wanted.only:
        real_compression(folder / "real", wanted.real, report)
    if wanted.scale == "day":
        ten = wanted.records * 10 if wanted.records else DAY
        with volume_org(orgs, records=ten) as org:
            bench, size, rows = Bench(org.handle, folder, report), _named(ten), rows_of(org, ALL)
            if "marts" in wanted.only:
                to_marts(bench, size, wanted=rows, most_seconds=DAY_SECONDS, most_peak=DAY_PEAK)
            if "all" in wanted.only:
                compare(bench, size, ALL, "arrow", wanted=rows, **_times(wanted, most=1))
            _tell_of_the_server(report, org, size)


def one_size(bench: Bench, org: VolumeOrg, size: str, wanted: argparse.Namespace) -> None:
    """Each comparison with the floor, then once to the marts."""
    steps, rows = rows_of(org, STEPS), rows_of(org, ALL)
    if "arrow" in wanted.only:
        compare(bench, size, STEPS, "arrow", wanted=steps, **_times(wanted))
    if "json" in wanted.only:
        compare(bench, size, STEPS, "json", wanted=steps, **_times(wanted, most=2))
    if "all" in wanted.only:
        compare(bench, size, ALL, "arrow", wanted=rows, **_times(wanted))
    if "marts" in wanted.only:
        to_marts(bench, size, wanted=rows, most_seconds=MILLION_SECONDS, most_peak=MILLION_PEAK)
        if "compression" in wanted.only:
            compression(bench, size)


def _tell_of_the_server(report: Report, org: VolumeOrg, size: str) -> None:
    held = peak_of(org.pid) / GIB
    report.lines.append(Line(f"{size}: peak memory of the sandbox org", f"{held:.2f} GiB", None))


def _times(wanted: argparse.Namespace, most: int = 100) -> dict[str, int]:
    return {
        "times": min(wanted.times, most),
        "start_ups": min(wanted.times if wanted.start_ups is None else wanted.start_ups, most),
    }


def texts(report: Report, rows: Path, real: Path) -> None:
    """How well the texts of the org and of the real file compress, and whether they are alike."""
    with duckdb.connect(str(rows), read_only=True) as con:
        made = gzip_ratio(step_texts(con, dmo("steps")))
    if not real.is_file():
        report.lines.append(Line("gzip ratio of the org's step texts", f"{made:.1f}", None))
        return
    seen = gzip_ratio(texts_of(real))
    difference = abs(made / seen - 1)
    report.lines.append(
        Line(
            f"gzip ratio of the org's texts within {MOST_GZIP_DIFFERENCE:.0%} of the real ones'",
            f"{made:.1f} and {seen:.1f}, {difference:.0%} apart",
            difference <= MOST_GZIP_DIFFERENCE,
        )
    )


def _named(records: int) -> str:
    return f"{records / 1e6:g} M records" if records >= 100_000 else f"{records:,} records"


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m stdm_platform_tests.benchmarks", description=__doc__.splitlines()[0]
    )
    add = parser.add_argument
    add("--scale", choices=("small", "day", "history"), default="small")
    add("--records", type=int, help="of the (smaller) day: 492,000 for small, 1 M for day")
    add("--only", nargs="+", choices=PARTS, default=PARTS, help="which parts (all)")
    add("--times", type=int, default=3, help="runs of ours and of the floor, in turn (3)")
    add("--start-ups", type=int, help="runs of each on a day without rows (as --times)")
    add("--folder", type=Path, help="where lakes stand for the time")
    add("--orgs", type=Path, help="where the orgs' rows are kept for the next call")
    add("--real", type=Path, default=REAL, help="chat transcripts to compare the texts with")
    add("--output", type=Path, default=Path("benchmarks.json"), help="the table as JSON")
    add("--width", type=int, default=150, help="columns of the table")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
