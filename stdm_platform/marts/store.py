"""Where the marts of one data directory stand, and how to open them.

Belongs here: paths, the lock, generations by their names, opening `marts.duckdb`. Does not: making
a generation (`publication.py`), running dbt (`dbt_command.py`).

    marts/gen-<n>/<mart>/session_date=YYYY-MM-DD/<digest>-<models>.parquet
    marts/current -> gen-<n>
    marts.duckdb            views on one generation
    warehouse.duckdb        dbt's working file: the touched days of one build, made anew each time
"""

from __future__ import annotations

import fcntl
import os
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import duckdb

from stdm_platform.errors import MartError, NotExtractedError
from stdm_platform.lake import files

DBT_PROJECT = Path(__file__).parents[2] / "dbt_models"
DAY_PREFIX = "session_date="
GENERATION_NAME = re.compile(r"gen-(\d+)")
VIEW_FOLDER = re.compile(r"'((?:[^']|'')*)/gen-\d+/")
MART_FILE_NAME = re.compile(r"([0-9a-f]{16})-([0-9a-f]{8})\.parquet")

_locks_of_thread = threading.local()


@dataclass(frozen=True)
class MartDay:
    """One published file: a mart's rows of one session day, as its name tells it."""

    location: str
    mart: str
    day: date
    digest: str
    models: str

    @property
    def path(self) -> Path:
        """Where it is; made when it is asked for, as a tick looks at the names of thousands."""
        return Path(self.location)


@dataclass(frozen=True)
class Generation:
    """All marts as they were published together.

    `built_days` are the session days that this generation built anew, `warnings` what dbt's
    warning tests counted; both are empty when a generation is only looked up.
    """

    number: int
    path: Path
    built_days: tuple[date, ...] = ()
    warnings: tuple[str, ...] = ()

    def marts(self) -> list[str]:
        """The marts that it holds."""
        return sorted(entry.name for entry in os.scandir(self.path) if entry.is_dir())

    def files(self, mart: str) -> list[MartDay]:
        """The published days of a mart, oldest first, from file names only."""
        found, parent = [], f"{self.path / mart}"
        for folder in sorted(_names(parent)):
            if not folder.startswith(DAY_PREFIX):
                continue
            day = date.fromisoformat(folder.removeprefix(DAY_PREFIX))
            for name in _names(f"{parent}/{folder}"):
                match = MART_FILE_NAME.fullmatch(name)
                if match is not None:
                    location = f"{parent}/{folder}/{name}"
                    found.append(MartDay(location, mart, day, match[1], match[2]))
        return found


class MartStore:
    """The published marts of one data directory, and the working files of their builds."""

    def __init__(self, data_dir: Path) -> None:
        self.data_dir = data_dir.expanduser().absolute()
        self.folder = self.data_dir / "marts"
        self.current_link = self.folder / "current"
        self.marts_db = self.data_dir / "marts.duckdb"
        self.warehouse_path = self.data_dir / "warehouse.duckdb"
        self.snapshot_dir = self.data_dir / "snapshots" / "dbt"
        self.dbt_dir = self.data_dir / "dbt"
        self.target_dir = self.dbt_dir / "target"
        self.log_dir = self.dbt_dir / "logs"
        self.lock_path = self.data_dir / "locks" / "marts.lock"

    @contextmanager
    def lock(self) -> Iterator[int]:
        """Hold the one lock of all mart builds; gives its descriptor, for a subprocess to inherit.

        A kernel lock: it is freed when the last process that holds the descriptor ends, however
        it ends. A thread that holds it may take it again.
        """
        held: dict[Path, int] = _locks_of_thread.__dict__.setdefault("held", {})
        if self.lock_path in held:
            yield held[self.lock_path]
            return
        files.make_private_folder(self.data_dir)
        files.make_folder(self.lock_path.parent)
        descriptor = os.open(self.lock_path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            held[self.lock_path] = descriptor
            yield descriptor
        finally:
            held.pop(self.lock_path, None)
            os.close(descriptor)

    def current(self) -> Generation | None:
        """The generation that `marts/current` points to; None when nothing was published yet."""
        try:
            name = self.current_link.readlink().name
        except FileNotFoundError:
            return None
        match = GENERATION_NAME.fullmatch(name)
        return Generation(int(match[1]), self.folder / name) if match else None

    def generations(self) -> list[Generation]:
        """The generations on disk, oldest first; unfinished ones are none."""
        matches = [GENERATION_NAME.fullmatch(name) for name in _names(self.folder)]
        numbers = sorted(int(match[1]) for match in matches if match)
        return [Generation(number, self.folder / f"gen-{number}") for number in numbers]

    def connect(self) -> duckdb.DuckDBPyConnection:
        """The published marts, opened to read, in UTC; the caller closes it, and briefly is best.

        Raises:
            NotExtractedError: no marts were published yet.
            MartError: `marts.duckdb` is damaged, or reads the marts of another directory.
        """
        if not self.marts_db.exists():
            raise NotExtractedError(
                f"No marts were published in {self.data_dir}.",
                action="Run `stdm extract --days 7` first, or `stdm demo`.",
            )
        try:
            connection = duckdb.connect(str(self.marts_db), read_only=True)
        except duckdb.Error:
            if not os.access(self.marts_db, os.R_OK):
                raise MartError(
                    f"{self.marts_db} may not be read by this user.", action="Mend its rights."
                ) from None
            raise MartError(
                f"{self.marts_db} cannot be opened: it is damaged, or no file of DuckDB.",
                action="Run `stdm doctor`, which writes it anew; the marts themselves lie beside it.",
            ) from None
        connection.execute("set timezone = 'UTC'")
        other = self._other_folder(connection)
        if other is not None:
            connection.close()
            raise MartError(
                f"{self.marts_db} reads the marts in {other}: its directory was moved or copied.",
                action="Run `stdm doctor`, which lets it read its own.",
            )
        return connection

    def _other_folder(self, connection: duckdb.DuckDBPyConnection) -> str | None:
        """The folder of marts that the views read, when it is not ours."""
        texts = connection.execute(
            "select sql from duckdb_views() where not internal and contains(sql, '/gen-') limit 1"
        ).fetchall()
        found = VIEW_FOLDER.search(texts[0][0]) if texts else None
        folder = found[1].replace("''", "'") if found else None
        if folder is None or Path(folder) == self.folder:
            return None
        return None if Path(folder).resolve() == self.folder.resolve() else folder


def _names(folder: Path | str) -> list[str]:
    try:
        return [entry.name for entry in os.scandir(folder)]
    except FileNotFoundError:
        return []
