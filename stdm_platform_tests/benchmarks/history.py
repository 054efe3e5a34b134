"""What history costs: one more day's marts, one session's events, a month of routing, a full rebuild.

`python -m stdm_platform_tests.benchmarks.history --steps 100000000 --days 400` writes a lake of so many steps,
its last hundredth first. With that hundredth and with all of it, it builds the marts of one more day, asks
for the events of sessions by their keys alone and for a month of routing; between the two it builds all
marts from nothing. It prints a table and ends with 1 when a line of issue 5 does not hold.
`benchmarks --scale history` calls `run`. Seconds are wall seconds; ratios are of CPU seconds too, which
other processes disturb less.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path

import polars as pl
from rich.console import Console

from stdm_platform.insight import Scope, topic_routing
from stdm_platform.insight.session_timeline import timeline
from stdm_platform.lake import Lake
from stdm_platform.marts import MartStore, build_marts, session_days_due
from stdm_platform.settings import Settings
from stdm_platform_tests.benchmarks import measured
from stdm_platform_tests.benchmarks.history_lake import Shape, make_lake, rows_held
from stdm_platform_tests.benchmarks.measured import Measure
from stdm_platform_tests.benchmarks.report import Line, Report

STEPS, DAYS = 100_000_000, 400
TIMES, SESSIONS_ASKED = 3, 7
MOST_GROWTH, MOST_TIMELINE, MOST_ROUTING, MOST_REBUILD = 1.3, 0.5, 1.0, 4 * 2**30
MONTH = timedelta(days=31)


def run(
    folder: Path,
    report: Report,
    *,
    steps: int = STEPS,
    days: int = DAYS,
    scattered: bool = False,
    held: Path | None = None,
    times: int = TIMES,
) -> None:
    """Measure, and add runs and lines to the report.

    `scattered` gives keys that tell nothing of their time. `held` is a lake that was written before, with
    this shape, whose marts are built anew; it stays.
    """
    shape = Shape(steps // days, days, scattered=scattered)
    few = max(2, days // 100)
    small, whole = folder / "hundredth", held or folder / "whole"
    make_lake(small, shape, shape.held_days()[-few:])
    if held is None:
        make_lake(whole, shape, shape.held_days())
    part = f"{few / days:.0%}"
    measures, asked = {}, {}
    for name, place in ((part, small), ("all", whole)):
        shutil.rmtree(place / "marts", ignore_errors=True)
        rebuilt = _task(folder, "build", place)
        rebuilt.rows = sum(rows_held(Lake(place)).values())
        report.add("full rebuild", name, rebuilt)
        measures[name] = [_task(folder, "one-day", place) for _ in range(times)]
        for one in measures[name]:
            one.rows = shape.steps_of_day
        report.add("one more day", name, _middle(measures[name]))
        asked[name] = json.loads(_task(folder, "ask", place).said.splitlines()[-1])
    report.facts["history"] = {"steps": steps, "days": days, "days_of_hundredth": few, **asked}
    _judge(report, part, (measures[part], measures["all"]), asked["all"], rebuilt)


def _task(folder: Path, task: str, place: Path) -> Measure:
    module = "stdm_platform_tests.benchmarks.history"
    words = [sys.executable, "-m", module, "--task", task, str(place)]
    return measured.run(words, os.environ, folder / f"{task}.log")


def _middle(runs: Sequence[Measure]) -> Measure:
    return sorted(runs, key=lambda one: one.cpu_seconds)[len(runs) // 2]


def _judge(
    report: Report,
    part: str,
    measures: tuple[list[Measure], list[Measure]],
    asked: dict[str, float],
    rebuilt: Measure,
) -> None:
    cpu, wall = (
        statistics.median(getattr(one, each) for one in measures[1])
        / statistics.median(getattr(one, each) for one in measures[0])
        for each in ("cpu_seconds", "seconds")
    )
    for promise, figure, held in (
        ("one more day on all history <= 1.3 x on 1 %", f"{cpu:.2f} x of CPU seconds, {wall:.2f} x of seconds, against {part}",
         cpu <= MOST_GROWTH),
        ("events of one session < 0.5 s", f"{asked['timeline']:.2f} s, the slowest of {SESSIONS_ASKED}",
         asked["timeline"] < MOST_TIMELINE),
        ("a month of topic routing < 1 s", f"{asked['routing']:.2f} s", asked["routing"] < MOST_ROUTING),
        ("full rebuild within 4 GiB", f"{rebuilt.peak / 2**30:.2f} GiB in the largest process",
         rebuilt.peak <= MOST_REBUILD),
    ):  # fmt: skip
        report.lines.append(Line(promise, figure, held))


def do(task: str, place: Path) -> None:
    """One task in this process; `ask` prints its seconds as JSON, imports left out."""
    lake, store = Lake(place), MartStore(place)
    days = lake.days("sessions")
    if task == "build":
        build_marts(lake, store, days, Settings())
    elif task == "one-day":
        if session_days_due(lake, store):
            raise SystemExit("Days are due before the measurement: build them first.")
        build_marts(lake, store, days[-1:], Settings())
    else:
        print(
            json.dumps(
                {"timeline": _slowest_timeline(lake, store, days), "routing": _routing(store, days)}
            )
        )


def _slowest_timeline(lake: Lake, store: MartStore, days: Sequence[date]) -> float:
    slowest = 0.0
    for number in range(SESSIONS_ASKED):
        day = days[number * (len(days) - 1) // (SESSIONS_ASKED - 1)]
        with lake.temporary_snapshot(["sessions"], [day]) as snapshot:
            keys = snapshot.scan("sessions").select("session_id").collect()["session_id"]
        key = keys[number * (keys.len() - 1) // (SESSIONS_ASKED - 1)]
        begun = time.perf_counter()
        events = timeline(Lake(lake.data_dir), store, key)
        slowest = max(slowest, time.perf_counter() - begun)
        if events.filter(pl.col("event_kind") == "step").is_empty():
            raise SystemExit(f"No step was found of the session {key}.")
    return slowest


def _routing(store: MartStore, days: Sequence[date]) -> float:
    begun = time.perf_counter()
    moves = topic_routing(store, Scope(since=days[-1] - MONTH, until=days[-1]))
    if moves.is_empty():
        raise SystemExit("No routing was found.")
    return time.perf_counter() - begun


def main() -> int:
    """Measure; 0 if all lines hold."""
    parser = argparse.ArgumentParser(prog="history", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--steps", type=int, default=STEPS, help="steps of the whole lake")
    parser.add_argument("--days", type=int, default=DAYS, help="its days")
    parser.add_argument(
        "--scattered", action="store_true", help="keys that tell nothing of their time"
    )
    parser.add_argument("--held", type=Path, help="a lake of this shape that is there already")
    parser.add_argument("--times", type=int, default=TIMES, help="how often one more day is built")
    parser.add_argument("--folder", type=Path, help="where the lakes stand for the time")
    parser.add_argument("--task", nargs=2, metavar=("TASK", "PLACE"), help=argparse.SUPPRESS)
    wanted = parser.parse_args()
    if wanted.task:
        do(wanted.task[0], Path(wanted.task[1]))
        return 0
    report = Report("history")
    folder = Path(tempfile.mkdtemp(prefix="stdm-history-", dir=wanted.folder))
    try:
        run(
            folder,
            report,
            steps=wanted.steps,
            days=wanted.days,
            scattered=wanted.scattered,
            held=wanted.held,
            times=wanted.times,
        )
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    report.show(Console(width=160))
    return report.exit_code


if __name__ == "__main__":
    raise SystemExit(main())
