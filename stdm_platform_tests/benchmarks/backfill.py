"""What Dagster adds to a backfill: the same days through the command and through Dagster's own processes.

`python -m stdm_platform_tests.benchmarks.backfill --days 30` starts a sandbox org, then reads all objects of
the range and builds its marts three times, each time into an empty data directory: with `stdm extract`; as
one run of `stdm_daily` over the range, as the launchpad starts it; and as a backfill of all assets, as the
asset pages start it. Webserver and daemon are Dagster's own. It prints processes, runs, steps, events and
seconds with their ratios to the command, and ends with 1 if the marts of the three differ.
"""

from __future__ import annotations

import argparse
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path

import dagster as dg
from rich.console import Console
from rich.table import Table

from stdm_platform.orchestration.instance import instance_at, prepare_instance
from stdm_platform.orchestration.ticks import RANGE_END, RANGE_START
from stdm_platform.sandbox import SandboxHandle, SandboxOptions, running
from stdm_platform_tests.benchmarks.process_watch import ProcessWatch
from stdm_platform_tests.faults.world import STDM, Tables, environment, mart_tables
from stdm_platform_tests.orchestration.processes import GraphQL, eventually, free_port, session_of
from stdm_platform_tests.session_objects import SESSION_DMOS

LAST = date(2026, 1, 16)
LONGEST_SECONDS = 1200.0
START_SECONDS = 300.0
SETTLING_SECONDS = 5.0
"""For the servers to finish their start, which is no part of a backfill."""
BIN = Path(sys.executable).parent
LAUNCH_RUN = """mutation($p: ExecutionParams!) { launchRun(executionParams: $p) { __typename
    ... on LaunchRunSuccess { run { runId } } ... on PythonError { message }
    ... on RunConfigValidationInvalid { errors { message } } } }"""
LAUNCH_BACKFILL = """mutation($p: LaunchBackfillParams!) { launchPartitionBackfill(backfillParams: $p) {
    __typename ... on LaunchBackfillSuccess { backfillId } ... on PythonError { message } } }"""
BACKFILL = """query($b: String!) { partitionBackfillOrError(backfillId: $b) { __typename
    ... on PartitionBackfill { status } ... on PythonError { message } } }"""
MARTS = """{ assetNodes(group: {groupName: "marts", repositoryName: "NAME",
    repositoryLocationName: "LOCATION"}) { assetKey { path } } }"""
ENDED = (dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED)


@dataclass
class Ended:
    """What one way took. `work_seconds` are those of the runs alone, from start to end of each."""

    seconds: float
    cpu_seconds: float
    processes: int
    marts: Tables
    runs: int = 0
    work_seconds: float = 0.0
    steps: dict[str, float] = field(default_factory=dict)
    events: Counter[str] = field(default_factory=Counter)


def main() -> int:
    """Run the three ways and print the table."""
    wanted = _arguments()
    folder = Path(tempfile.mkdtemp(prefix="stdm-backfill-", dir=wanted.folder))
    days = [LAST - timedelta(days=back) for back in reversed(range(wanted.days))]
    signal.signal(
        signal.SIGTERM, lambda *_: sys.exit("ended by a signal")
    )  # servers have to go too
    options = SandboxOptions(
        folder / "org", days=len(days), end=LAST, sessions_per_day=wanted.sessions
    )
    ways: dict[str, Ended] = {}
    try:
        with running(options) as org:
            for name in wanted.ways:
                ways[name] = WAYS[name](org, folder / name.replace(" ", "_"), days)
                print(f"{name}: {ways[name].seconds:.1f} s", file=sys.stderr)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    _show(ways, wanted)
    tables = [way.marts for way in ways.values()]
    if any(each != tables[0] or not each for each in tables):
        print("FAILED: the ways built different marts", file=sys.stderr)
        return 1
    return 0


def by_command(org: SandboxHandle, folder: Path, days: list[date]) -> Ended:
    """`stdm extract` of the range, in a process of its own."""
    folder.mkdir()
    span = ["--since", str(days[0]), "--until", str(days[-1] + timedelta(days=1)), "--yes"]
    variables, log = environment(org, folder / "data"), folder / "said.log"
    with (
        session_of([STDM, "extract", *span], variables, log) as process,
        ProcessWatch(process.pid, whole=True) as watch,
    ):
        if process.wait(LONGEST_SECONDS):
            raise RuntimeError(log.read_text()[-2000:])
    return _ended(watch, folder / "data")


def as_one_run(org: SandboxHandle, folder: Path, days: list[date]) -> Ended:
    """One run of `stdm_daily` over the range, as the launchpad starts it."""
    with _served(org, folder, days) as served:
        tags = {RANGE_START: days[0].isoformat(), RANGE_END: days[-1].isoformat()}
        with served.watched() as watch:
            launched = served.graphql.ask(
                LAUNCH_RUN,
                p={
                    "selector": {**served.selector, "jobName": "stdm_daily"},
                    "runConfigData": {},
                    "mode": "default",
                    "executionMetadata": {
                        "tags": [{"key": key, "value": value} for key, value in tags.items()]
                    },
                },
            )["launchRun"]
            if launched["__typename"] != "LaunchRunSuccess":
                raise RuntimeError(str(launched))
            eventually(served.runs_ended, LONGEST_SECONDS, "the run")
    return _with_events(_ended(watch, served.data_dir), served.home)


def as_backfill(org: SandboxHandle, folder: Path, days: list[date]) -> Ended:
    """A backfill of every asset that has days, as the asset pages start it."""
    with _served(org, folder, days) as served:
        asked = MARTS.replace("NAME", served.selector["repositoryName"])
        marts = served.graphql.ask(
            asked.replace("LOCATION", served.selector["repositoryLocationName"])
        )["assetNodes"]
        keys = [{"path": ["stdm", dmo.name]} for dmo in SESSION_DMOS] + [
            {"path": mart["assetKey"]["path"]} for mart in marts
        ]
        with served.watched() as watch:
            launched = served.graphql.ask(
                LAUNCH_BACKFILL,
                p={"assetSelection": keys, "partitionNames": [str(day) for day in days]},
            )["launchPartitionBackfill"]
            if launched["__typename"] != "LaunchBackfillSuccess":
                raise RuntimeError(str(launched))
            eventually(
                lambda: served.backfill_ended(launched["backfillId"]),
                LONGEST_SECONDS,
                "the backfill",
            )
    return _with_events(_ended(watch, served.data_dir), served.home)


WAYS = {"stdm extract": by_command, "one run": as_one_run, "backfill": as_backfill}


@dataclass
class _Served:
    """Webserver and daemon of a data directory, and their session."""

    graphql: GraphQL
    selector: dict[str, str]
    session: int
    data_dir: Path
    home: Path

    def watched(self) -> ProcessWatch:
        return ProcessWatch(self.session)

    def runs_ended(self) -> bool:
        with instance_at(self.home) as instance:
            runs = instance.get_runs()
        return bool(runs) and all(run.status in ENDED for run in runs)

    def backfill_ended(self, backfill: str) -> bool:
        found = self.graphql.ask(BACKFILL, b=backfill)["partitionBackfillOrError"]
        if found.get("status") not in ("REQUESTED", "COMPLETED_SUCCESS"):
            raise RuntimeError(str(found))
        return bool(found["status"] == "COMPLETED_SUCCESS") and self.runs_ended()


@contextmanager
def _served(org: SandboxHandle, folder: Path, days: list[date]) -> Iterator[_Served]:
    """`dagster dev` on a fresh data directory, as `stdm dev` starts it."""
    data_dir, port = folder / "data", free_port()
    home = prepare_instance(data_dir)
    variables = environment(
        org, data_dir, DAGSTER_HOME=str(home), STDM_START_DATE=days[0].isoformat()
    )
    command = [
        str(BIN / "dagster"),
        "dev",
        "-h",
        "127.0.0.1",
        "-p",
        str(port),
        "-w",
        "workspace.yaml",
    ]
    with session_of(command, variables, folder / "dev.log") as process:
        graphql = GraphQL(port)
        repository = eventually(graphql.repository, START_SECONDS, "the code location")
        selector = {
            "repositoryName": repository["name"],
            "repositoryLocationName": repository["location"]["name"],
        }
        time.sleep(SETTLING_SECONDS)
        yield _Served(graphql, selector, process.pid, data_dir, home)


def _ended(watch: ProcessWatch, data_dir: Path) -> Ended:
    return Ended(watch.seconds, watch.cpu_seconds(), len(watch.started()), mart_tables(data_dir))


def _with_events(ended: Ended, home: Path) -> Ended:
    """Read what the instance holds of the runs."""
    with instance_at(home) as instance:
        records = instance.get_run_records()
        for record in records:
            ended.runs += 1
            ended.work_seconds += (record.end_time or 0) - (record.start_time or 0)
            for entry in instance.all_logs(record.dagster_run.run_id):
                kind = entry.dagster_event.event_type_value if entry.dagster_event else "log line"
                ended.events[kind] += 1
            for stat in instance.get_run_step_stats(record.dagster_run.run_id):
                seconds = (stat.end_time or 0) - (stat.start_time or 0)
                ended.steps[stat.step_key] = ended.steps.get(stat.step_key, 0) + seconds
    return ended


def _show(ways: dict[str, Ended], wanted: argparse.Namespace) -> None:
    title = f"{wanted.days} days, {wanted.sessions} sessions a day, {len(SESSION_DMOS)} objects and the marts"
    table = Table(title=title)
    names = ("way", "seconds", "of runs", "CPU s", "ratio", "processes", "runs", "steps", "events")
    for name in names:
        table.add_column(name, justify="left" if name == "way" else "right")
    least = ways[next(iter(ways))].cpu_seconds
    for name, way in ways.items():
        table.add_row(
            name, f"{way.seconds:.1f}", f"{way.work_seconds:.1f}" if way.runs else "",
            f"{way.cpu_seconds:.1f}", f"{way.cpu_seconds / least:.2f}", str(way.processes),
            str(way.runs), str(len(way.steps)), f"{way.events.total():,}",
        )  # fmt: skip
    console = Console(width=120)
    console.print(table)
    for name, way in ways.items():
        if way.runs:
            told = ", ".join(f"{count:,} {kind}" for kind, count in way.events.most_common(6))
            console.print(f"{name}: {told}")
            told = ", ".join(f"{step} {seconds:.1f}" for step, seconds in way.steps.items())
            console.print(f"{name}, seconds: {told}")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="backfill", description=__doc__.splitlines()[0])
    parser.add_argument("--days", type=int, default=30)
    parser.add_argument("--sessions", type=int, default=5, help="a day")
    parser.add_argument("--folder", type=Path, default=None, help="where org and lakes stand")
    parser.add_argument("--ways", nargs="+", choices=WAYS, default=list(WAYS))
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
