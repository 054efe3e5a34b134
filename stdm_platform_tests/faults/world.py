"""A small org that can be disturbed, and what a data directory shows of what became of it."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import duckdb

from stdm_platform.catalog import Dmo
from stdm_platform.data360 import Connection, Data360
from stdm_platform.extraction import DayOutcome, extract_range, windows_of_days
from stdm_platform.lake import Lake, checksum_of_file
from stdm_platform.marts.observing import VIEW as LEDGER
from stdm_platform.sandbox import SandboxHandle, SandboxOptions
from stdm_platform.settings import Settings
from stdm_platform_tests import warm
from stdm_platform_tests.session_objects import SESSION_DMOS, TABLES

END = date(2026, 1, 16)
DAYS = [END - timedelta(days=back) for back in (2, 1, 0)]
SINCE, UNTIL = str(DAYS[0]), str(END + timedelta(days=1))
NOW = datetime.combine(END + timedelta(days=2), time(), UTC)
STDM = str(Path(sys.executable).with_name("stdm"))

Rows = dict[tuple[str, str], tuple[int, str]]
Tables = dict[str, tuple[int, str]]
Readings = dict[tuple[str, str], tuple[int, int]]


def options(data_dir: Path, **changes: Any) -> SandboxOptions:
    """Three days, with several chunks and pages in the larger answers."""
    given: dict[str, Any] = {
        "days": len(DAYS),
        "sessions_per_day": 20,
        "end": END,
        "chunk_rows": 100,
        "page_bytes": 30_000,
    }
    return SandboxOptions(data_dir, **{**given, **changes})


def client(
    org: SandboxHandle, transport: str = "arrow", waits: list[float] | None = None, **changes: Any
) -> Data360:
    """The real client; it notes how long it would have waited, and hardly waits."""
    given = {name.removeprefix("STDM_").lower(): value for name, value in org.env.items()}
    settings = Settings(**{**given, "transport": transport, **changes})
    noted = [] if waits is None else waits
    return Data360(Connection.from_settings(settings), sleep=noted.append)


def extract(
    asked: Data360,
    data_dir: Path,
    dmos: Sequence[Dmo] = SESSION_DMOS,
    days: Iterable[date] = DAYS,
    **given: Any,
) -> list[DayOutcome]:
    return extract_range(asked, Lake(data_dir), dmos, windows_of_days(days, NOW), now=NOW, **given)


def lake_rows(data_dir: Path) -> Rows:
    """Rows and order-independent checksum of each DMO and day that can be read."""
    lake = Lake(data_dir)
    found: Rows = {}
    for dmo in SESSION_DMOS:
        for day in lake.days(dmo.name):
            said = [evidence for _, evidence in lake.evidence_of_day(dmo.name, day)]
            found[dmo.name, str(day)] = (
                sum(one.rows for one in said),
                "+".join(one.checksum for one in said),
            )
    return found


def readings_held(data_dir: Path) -> Readings:
    """Readings of each DMO and day that can be read, and the rows they processed."""
    lake = Lake(data_dir)
    found: Readings = {}
    for dmo in SESSION_DMOS:
        for day in lake.days(dmo.name):
            made = {one for _, said in lake.evidence_of_day(dmo.name, day) for one in said.readings}
            found[dmo.name, str(day)] = (len(made), sum(one.rows_processed or 0 for one in made))
    return found


def readings_told(data_dir: Path) -> Readings | None:
    """The same as the published view on the footers tells it; None when nothing was published."""
    path = data_dir / "marts.duckdb"
    if not path.exists():
        return None
    with duckdb.connect(str(path), read_only=True) as marts:
        rows = marts.execute(
            "select object_name, cast(session_date as varchar), sum(readings)::bigint, "
            f"sum(rows_processed)::bigint from {LEDGER} group by all"
        ).fetchall()
    return {(name, day): (readings, processed) for name, day, readings, processed in rows}


def mart_tables(data_dir: Path) -> Tables:
    """Rows and a digest of each published mart; none when nothing was published.

    Without the view on the footers: it tells of the lake's readings, not of the org's state.
    """
    path = data_dir / "marts.duckdb"
    if not path.exists():
        return {}
    with duckdb.connect(str(path), read_only=True) as marts:
        marts.execute("set timezone = 'UTC'")
        views = marts.execute("select view_name from duckdb_views() where not internal").fetchall()
        found = {}
        for (view,) in sorted(set(views) - {(LEDGER,)}):
            rows = marts.execute(f'select * from "{view}" order by all').fetchall()
            found[view] = (len(rows), hashlib.sha256(repr(rows).encode()).hexdigest())
        return found


def files_hash(*folders: Path) -> dict[str, str]:
    """Each file with its content, each link with its target."""
    found = {}
    for folder in folders:
        for path in [folder, *sorted(folder.rglob("*"))]:
            if path.is_symlink():
                found[str(path)] = str(path.readlink())
            elif path.is_file():
                found[str(path)] = hashlib.sha256(path.read_bytes()).hexdigest()
    return found


def published_hash(data_dir: Path) -> dict[str, str]:
    """Everything that people read."""
    return files_hash(data_dir / "lake", data_dir / "marts", data_dir / "marts.duckdb")


def leftovers(data_dir: Path) -> list[str]:
    """What a run should have removed: half-written files and folders."""
    working = [data_dir / name for name in ("staging", "exchange")]
    found = [path for folder in working if folder.exists() for path in folder.iterdir()]
    found += (data_dir / "marts").glob(".*")
    found += data_dir.glob(".*")
    return [str(path.relative_to(data_dir)) for path in found]


def checksum_of(path: Path) -> str:
    """The checksum of the rows that a file holds; of each content counted once."""
    content = path.read_bytes()
    if content not in _checksums:
        _checksums[content] = checksum_of_file(path)
    return _checksums[content]


_checksums: dict[bytes, str] = {}


def half_written(data_dir: Path) -> list[str]:
    """What not even a failed run may leave: `leftovers` but for the records that the next goes on from."""
    records = ("staging/request-", "staging/asked-")
    return [path for path in leftovers(data_dir) if not path.startswith(records)]


def environment(org: SandboxHandle, data_dir: Path, **variables: str) -> dict[str, str]:
    """The variables of a command that asks this org; nothing else of STDM is inherited but the tables to hold."""
    inherited = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("STDM_", "DAGSTER_"))
    }
    return {**inherited, **TABLES, **org.env, "STDM_DATA_DIR": str(data_dir), **variables}


def stdm(
    variables: Mapping[str, str], *arguments: str, timeout: float = 120, cold: bool = False
) -> subprocess.CompletedProcess[str]:
    """The real command in a process of its own; `cold` takes the time that a user's start takes."""
    if not cold and warm.can_start(variables):
        ended = warm.run("stdm", arguments, env=variables, timeout=timeout)
        texts = (ended.stdout.decode(), ended.stderr.decode())
        return subprocess.CompletedProcess([STDM, *arguments], ended.returncode, *texts)
    return subprocess.run(
        [STDM, *arguments],
        env=dict(variables),
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )
