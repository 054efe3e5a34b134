"""Days of ticks against the clock of a sandbox org over HTTP, with skipped ticks, kills and restarts.

`python -m stdm_platform_tests.benchmarks.simulation --days 30 --tick-minutes 10` prints a table per DMO and
ends with 0 if, after the longest settle time, lake = source (keys and contents), each day is one settled
window, nothing settled was read again, no window was read twice in one tick, the marts equal a full rebuild
and rows processed over rows held are at most 6 without faults and 8 with. Else it says what, and ends with 1.

Most ticks are made in this process by the functions that the command calls; some by `stdm
extract-incremental` in a process of its own, of which some are killed.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from stdm_platform.extraction import status_of
from stdm_platform.lake import Lake
from stdm_platform.marts import MartStore, build_marts, mart_names, session_days_to_build
from stdm_platform.settings import Settings
from stdm_platform_tests.session_objects import SESSION_DMOS
from stdm_platform_tests.simulation.landing import DAY, HOUR
from stdm_platform_tests.simulation.over_http import Chances, HttpStory, instants
from stdm_platform_tests.simulation.proof import (
    MOST_CALM,
    MOST_ROUGH,
    assert_each_day_is_one_settled_window,
    assert_is_the_source,
)
from stdm_platform_tests.simulation.story import STILL
from stdm_platform_tests.simulation.truth import billed, source_of

START = datetime(2026, 1, 1, tzinfo=UTC)
ROUGH = {"skipped": 0.2, "command": 20, "doubled": 5, "killed": 15, "restarted": 5}
"""A share of all ticks that are skipped; of the others, how many there are of each kind."""


def main() -> int:
    wanted = _arguments()
    folder = Path(tempfile.mkdtemp(prefix="stdm-simulation-", dir=wanted.folder))
    try:
        return _simulated(wanted, folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="simulation", description=__doc__.splitlines()[0])
    parser.add_argument("--days", type=int, default=30, help="simulated days (30)")
    parser.add_argument("--seed", type=int, default=1, help="rows, lags and faults (1)")
    parser.add_argument("--tick-minutes", type=int, default=10, help="minutes between ticks (10)")
    parser.add_argument("--sessions-per-day", type=int, default=10, help="size of the org (10)")
    parser.add_argument("--no-faults", action="store_true", help="every tick, nothing killed")
    parser.add_argument("--folder", type=Path, help="where the org and the lake stand for the time")
    return parser.parse_args()


def _simulated(wanted: argparse.Namespace, folder: Path) -> int:
    ticks = instants(START, wanted.days, timedelta(minutes=wanted.tick_minutes), STILL)
    chances = Chances() if wanted.no_faults else _chances(len(ticks))
    begun = time.monotonic()
    story = HttpStory(folder, START, wanted.days, wanted.sessions_per_day, wanted.seed, chances)
    with story:
        with _progress() as progress:
            task = progress.add_task("ticks", total=len(ticks))
            story.run(ticks, told=lambda done: progress.update(task, completed=done))
        story.finish(story.end + 7 * DAY + 2 * HOUR)
        sources = {dmo.name: source_of(story.org, dmo) for dmo in SESSION_DMOS}
        processed = billed(story.org, SESSION_DMOS, story.asked)
    most = MOST_CALM if wanted.no_faults else MOST_ROUGH
    failures = _failures(story, sources, processed, most, is_calm=wanted.no_faults)
    _show(story, sources, processed, time.monotonic() - begun)
    for failure in failures:
        print(failure, file=sys.stderr)
    print("FAILED" if failures else "lake = source, marts = a full rebuild, costs within bounds")
    return 1 if failures else 0


def _chances(ticks: int) -> Chances:
    made = ticks * (1 - ROUGH["skipped"])
    counts = {kind: number / made for kind, number in ROUGH.items() if kind != "skipped"}
    return Chances(skipped=ROUGH["skipped"], **counts)


def _progress() -> Progress:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    return Progress(*columns, TimeRemainingColumn(), console=Console(stderr=True))


def _failures(
    story: HttpStory,
    sources: Mapping[str, pl.DataFrame],
    processed: Counter[str],
    most: float,
    *,
    is_calm: bool,
) -> list[str]:
    found = list(story.broken)
    for check in (
        lambda: assert_is_the_source(story.data_dir, sources, SESSION_DMOS),
        lambda: assert_each_day_is_one_settled_window(story.data_dir, story.wanted, SESSION_DMOS),
        lambda: _assert_marts_equal_a_rebuild(story),
        lambda: _assert_evidence_tells(story, processed) if is_calm else None,
    ):
        try:
            check()
        except AssertionError as error:
            found.append(str(error))
    for name, rows in sources.items():
        ratio = processed[name] / rows.height
        if ratio > most:
            found.append(f"{name}: {ratio:.2f} rows processed for each row held, not {most}")
    return found


def _assert_evidence_tells(story: HttpStory, processed: Counter[str]) -> None:
    """Without kills the footers tell all that the org billed."""
    told = {each.dmo: each.rows_processed for each in _status(story)}
    assert told == {dmo.name: processed[dmo.name] for dmo in SESSION_DMOS}, (
        f"{told}, not {processed}"
    )


def _status(story: HttpStory) -> list:
    now = story.end + 9 * DAY
    return status_of(Lake(story.data_dir), start=START.date(), now=now, dmos=SESSION_DMOS)


def _assert_marts_equal_a_rebuild(story: HttpStory) -> None:
    fresh = story.folder / "fresh"
    shutil.copytree(story.data_dir / "lake", fresh / "lake")
    lake, store = Lake(fresh), MartStore(fresh)
    build_marts(lake, store, session_days_to_build(lake, store), Settings())
    grown, rebuilt = (_marts(each) for each in (MartStore(story.data_dir), store))
    for name, rows in rebuilt.items():
        assert grown[name].equals(rows), f"{name} is not what a full rebuild gives"


def _marts(store: MartStore) -> dict[str, pl.DataFrame]:
    with store.connect() as marts:
        return {n: marts.sql(f"select * from {n} order by all").pl() for n in mart_names()}


def _show(
    story: HttpStory, sources: Mapping[str, pl.DataFrame], processed: Counter[str], seconds: float
) -> None:
    table = Table(title=f"{story.days} days, seed {story.seed}, {seconds / 60:.1f} minutes")
    for column in (
        "table",
        "rows held",
        "rows processed",
        "ratio",
        "windows read",
        "readings kept",
    ):
        table.add_column(column, justify="left" if column == "table" else "right")
    kept = {each.dmo: each.readings for each in _status(story)}
    read = Counter(each.dmo for each in story.asked)
    for name, rows in sources.items():
        ratio = processed[name] / rows.height
        figures = (rows.height, processed[name], f"{ratio:.2f}", read[name], kept[name])
        table.add_row(name, *(str(figure) for figure in figures))
    Console(width=100).print(table)
    print(", ".join(f"{count} {kind}" for kind, count in sorted(story.happened.items())))


if __name__ == "__main__":
    sys.exit(main())
