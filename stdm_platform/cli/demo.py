"""`stdm demo`: a week of a sandbox org through the whole platform.

Belongs here: the tour. Does not: any step of it.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path

from rich.progress import Progress

from stdm_platform.catalog import DMOS
from stdm_platform.cli.options import DataDir, clock, settings_for
from stdm_platform.cli.output import say, show_table
from stdm_platform.cli.progress import new_progress
from stdm_platform.cli.sandbox import DEMO_ORG_ID, demo_org, variables_of
from stdm_platform.errors import StdmError, WrongOrgError

DAYS = 7


def demo(data_dir: DataDir = None) -> None:
    """See it work: a sandbox org, a week of traces, the lake, the marts. No org needed.

    Starts a local Data 360 org, runs its last seven days through Dagster as one backfill (real
    HTTP, real signatures, checked Parquet, dbt), prints two marts, and stops the org again.

    Example: stdm demo --data-dir ./stdm_demo
    """
    from stdm_platform.sandbox import running

    path = settings_for(None, data_dir).absolute_data_dir()
    last = clock(None).date() - timedelta(days=1)
    first = last - timedelta(days=DAYS - 1)
    _refuse_another_org(path)
    say(f"Starting a sandbox org with {DAYS} days of traces ({first} to {last}, UTC) …")
    with (
        _parsing_beside(path),
        running(demo_org(path, last)) as org,
        _environment(
            {
                **variables_of(org),
                "STDM_DATA_DIR": str(path),
                "STDM_START_DATE": first.isoformat(),
            }
        ),
    ):
        _run_backfill(path, first, last)
    _show_results(path)


@contextmanager
def _parsing_beside(path: Path) -> Iterator[None]:
    """Let dbt parse its project on the other core while the org starts and Dagster is imported."""
    from stdm_platform.marts import ensure_manifest

    with ThreadPoolExecutor(max_workers=1) as pool:
        parsed = pool.submit(ensure_manifest, path)
        yield
        parsed.result()


def _run_backfill(path: Path, first: date, last: date) -> None:
    with _progress(path):
        from stdm_platform.orchestration.instance import prepare_instance

        os.environ["DAGSTER_HOME"] = str(prepare_instance(path))
        from stdm_platform.definitions import defs
        from stdm_platform.orchestration.launch import run_range

        report = run_range(defs.resolve_job_def("stdm_daily"), first, last)
    if not report.success:
        raise StdmError(
            f"the backfill failed: {'; '.join(report.reasons).rstrip('.') or 'see the run'}.",
            action=f"`stdm dev` shows run {report.run_id} in the Dagster UI.",
        )
    say(f"Dagster run {report.run_id} succeeded.")


@contextmanager
def _progress(path: Path) -> Iterator[None]:
    """A bar that counts the windows in the lake while the run goes on."""
    done = threading.Event()
    total = sum(1 if dmo.is_catalogue else DAYS for dmo in DMOS)
    known = {file for dmo in DMOS for file in (path / "lake" / dmo.name).glob("date=*/*.parquet")}

    def watch(progress: Progress) -> None:
        task = progress.add_task("Dagster and dbt are starting", total=total)
        while not done.wait(0.2):
            new = sum(
                file not in known
                for dmo in DMOS
                for file in (path / "lake" / dmo.name).glob("date=*/*.parquet")
            )
            text = "extracting windows" if new < total else "building marts with dbt"
            progress.update(task, completed=new, description=text if new else None)

    with new_progress() as progress:
        watcher = threading.Thread(target=watch, args=(progress,), daemon=True)
        watcher.start()
        try:
            yield
        finally:
            done.set()
            watcher.join()


def _show_results(path: Path) -> None:
    from stdm_platform.insight import Scope, session_overview, topic_routing
    from stdm_platform.marts import MartStore

    store = MartStore(path)
    show_table(
        session_overview(store, Scope()).head(12), title="Session summary, by agent and channel"
    )
    show_table(topic_routing(store, Scope()).head(12), title="Topic routing, most frequent moves")
    stdm = "uv run stdm" if "UV" in os.environ else "stdm"  # as it was called, so that it is found
    say(f"""
The data is in {path}
  lake/<table>/date=YYYY-MM-DD/*.parquet   what the org served, checked
  marts.duckdb                             the marts, for any DuckDB client

Try next:
  {stdm} find-failed --limit 5 --data-dir {path}
  {stdm} debug-session --session-id {_telling_session(path)} --data-dir {path}
  {stdm} report --out {path}/report.html --data-dir {path}
  {stdm} sql --data-dir {path} "select * from session_summary where outcome = 'escalated' limit 5"
  {stdm} dev --sandbox --data-dir {path}     the same in the Dagster UI""")


def _telling_session(path: Path) -> str:
    """The key of the session in which most went wrong."""
    from stdm_platform.insight import query
    from stdm_platform.marts import MartStore

    rows = query(
        MartStore(path),
        "select session_id from session_summary order by error_count desc nulls last, session_id limit 1",
    )
    return str(rows["session_id"][0]) if rows.height else "KEY"


def _refuse_another_org(path: Path) -> None:
    """Before anything is written: a directory belongs to one org."""
    from stdm_platform.lake import Lake

    held = Lake(path).org_id() if (path / "lake").exists() else None
    if held is not None and held != DEMO_ORG_ID:
        raise WrongOrgError(
            f"{path} holds org {held}, and the demo's sandbox org is {DEMO_ORG_ID}; nothing was changed.",
            action="Give the demo a directory of its own: stdm demo --data-dir ./stdm_demo",
        )


@contextmanager
def _environment(variables: dict[str, str]) -> Iterator[None]:
    """Set variables for this process and its children, and put the old ones back."""
    before = dict(os.environ)
    os.environ.update(variables)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)
