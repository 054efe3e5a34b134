"""The org's rows: a DuckDB file, and the objects as a client may see them.

Belongs here: making or reusing the file, the views that stand between tables and clients (hidden
objects and columns, the name family, changed types), cursors. Does not: making rows (`generator/`,
`transcripts.py`), reading a client's SQL (`dialect.py`).
"""

from __future__ import annotations

import hashlib
import json
import logging
import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from stdm_platform.catalog import DMOS, Dmo
from stdm_platform.errors import ArgumentError
from stdm_platform.sandbox.clock import OrgClock
from stdm_platform.sandbox.exposure import (
    SCHEMA,
    ExposedObject,
    Exposure,
    Shapes,
    exposed_objects,
    shapes_of,
)
from stdm_platform.sandbox.generator import build_org
from stdm_platform.sandbox.landing import NOW
from stdm_platform.sandbox.options import SandboxOptions
from stdm_platform.sandbox.transcripts import load_transcripts

log = logging.getLogger(__name__)

DATABASE = "sandbox.duckdb"
SQL_TYPES = {
    "text": "VARCHAR",
    "timestamp": "TIMESTAMPTZ",
    "number": "DOUBLE",
    "boolean": "BOOLEAN",
}


@dataclass(frozen=True)
class Built:
    """How the rows came to be, for the log."""

    reused: bool
    seconds: float


class Org:
    """The rows of the org. Safe to share by threads: each asks through a cursor of its own."""

    def __init__(self, options: SandboxOptions) -> None:
        options.data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
        path = options.rows or options.data_dir / DATABASE
        self.exposure = Exposure.of(options)
        self.clock = OrgClock(options.clock, options.clock_speed)
        self.built = _build(options, path)
        self._connection = _connect(path, options.memory)
        # From here on clients' SQL runs: no files, no Python objects by name.
        self._connection.execute("SET enable_external_access = false")
        self._connection.execute("SET python_enable_replacements = false")
        self._lock = threading.Lock()
        self.objects: dict[str, ExposedObject] = {}
        self._shapes: Shapes = ([], None)
        self.expose(self.exposure)

    def cursor(self) -> duckdb.DuckDBPyConnection:
        """A connection of the caller's own; close it after use."""
        return self._connection.cursor()

    def client_cursor(self) -> duckdb.DuckDBPyConnection:
        """A cursor that sees what clients see at this instant of the org's clock, and later too."""
        now = self.clock.now()
        cursor = self.cursor()
        try:
            cursor.execute(f"SET search_path = '{SCHEMA}'")
            if now is not None:
                cursor.execute(f"SET VARIABLE {NOW} = epoch_us(?::TIMESTAMPTZ)", [now])
        except BaseException:
            cursor.close()
            raise
        return cursor

    def move_clock(self, given: dict[str, Any]) -> None:
        """Change the clock as `OrgClock.change` does; the views follow.

        Raises:
            ArgumentError: the clock refuses it.
        """
        had_clock = self.clock.is_set
        self.clock.change(given)
        if self.clock.is_set != had_clock:
            self.expose(self.exposure)

    def expose(self, exposure: Exposure) -> None:
        """Show clients the objects in this way from now on.

        Raises:
            ArgumentError: the exposure names an object, column or type that there is not.
        """
        with self._lock, self.cursor() as cursor:
            has_clock = self.clock.is_set
            self.objects = exposed_objects(cursor, exposure, has_clock=has_clock)
            self.exposure, self._shapes = exposure, shapes_of(cursor, has_clock=has_clock)

    def execute(self, sql: str, parameters: Iterable[Any] = ()) -> tuple[list[str], list[Any]]:
        """Run any SQL on the org's tables, which keep their `ssot__` names; for tests.

        Raises:
            duckdb.Error: DuckDB refused it.
        """
        with self._lock, self.cursor() as cursor:
            cursor.execute(sql, list(parameters))
            names = [column[0] for column in cursor.description or []]
            rows = cursor.fetchall() if names else []
            is_other = shapes_of(cursor, has_clock=self.clock.is_set) != self._shapes
        if is_other:  # tables may have gained or lost columns
            self.expose(self.exposure)
        return names, rows

    def close(self) -> None:
        """Close the file."""
        self._connection.close()


def _connect(path: Path, memory: str) -> duckdb.DuckDBPyConnection:
    try:
        connection = duckdb.connect(str(path), config={"memory_limit": memory})
    except duckdb.ParserException as error:
        raise ArgumentError(
            f"--memory {memory!r} cannot be used: {error}.", action="Use a size like 2GB."
        ) from error
    except duckdb.IOException as error:
        raise ArgumentError(
            f"{path} cannot be opened; another sandbox org may be using it.",
            action="End that one, or use another --data.",
        ) from error
    connection.execute("SET GLOBAL TimeZone = 'UTC'")
    connection.execute("SET GLOBAL integer_division = true")  # as PostgreSQL divides integers
    return connection


def _build(options: SandboxOptions, path: Path) -> Built:
    """Make the file if it does not hold exactly what the options ask for."""
    began = time.monotonic()
    if options.rows is not None:
        _complete(path, options.memory)
        return Built(reused=True, seconds=time.monotonic() - began)
    recipe = _recipe(options)
    if path.exists() and _recipe_of(path, options.memory) == recipe:
        return Built(reused=True, seconds=time.monotonic() - began)
    aside = path.with_name(f"{path.name}.building")
    for leftover in (aside, aside.with_name(f"{aside.name}.wal")):
        leftover.unlink(missing_ok=True)
    connection = _connect(aside, options.memory)
    try:
        _fill(connection, options)
        connection.execute("CREATE TABLE sandbox_meta AS SELECT ?::VARCHAR AS recipe", [recipe])
    finally:
        connection.close()
    path.with_name(f"{path.name}.wal").unlink(missing_ok=True)
    aside.replace(path)
    return Built(reused=False, seconds=time.monotonic() - began)


def _fill(connection: duckdb.DuckDBPyConnection, options: SandboxOptions) -> None:
    if options.synthetic_sessions_per_day:
        build_org(
            connection,
            days=options.days,
            sessions_per_day=options.synthetic_sessions_per_day,
            seed=options.seed,
            end=options.last_day,
        )
    if options.transcripts:
        load_transcripts(
            connection,
            options.transcripts,
            days=options.days,
            end=options.last_day,
            seed=options.seed,
        )
    _create_missing(connection)


def _complete(path: Path, memory: str) -> None:
    """Give a file of the caller's the tables that it lacks."""
    connection = _connect(path, memory)
    try:
        _create_missing(connection)
    finally:
        connection.close()


def _create_missing(connection: duckdb.DuckDBPyConnection) -> None:
    for dmo in DMOS:
        connection.execute(create_table(dmo))


def create_table(dmo: Dmo) -> str:
    """The SQL that makes the object's table unless it is there."""
    columns = ", ".join(f'"{column.source}" {SQL_TYPES[column.type]}' for column in dmo.columns)
    return f'CREATE TABLE IF NOT EXISTS "{dmo.objects[0]}" ({columns})'


def _recipe(options: SandboxOptions) -> str:
    """What decides the rows: options, the catalog, the code that makes rows, the transcripts."""
    digest = hashlib.sha256()
    for dmo in DMOS:
        digest.update(create_table(dmo).encode())
    here = Path(__file__).parent
    sources = sorted([*here.glob("generator/**/*.py"), *here.glob("transcript*.py")])
    for source in [*sources, *filter(None, [options.transcripts])]:
        digest.update(source.read_bytes())
    return json.dumps(
        {
            "days": options.days,
            "sessions_per_day": options.synthetic_sessions_per_day,
            "seed": options.seed,
            "end": str(options.last_day),
            "made_from": digest.hexdigest(),
        }
    )


def _recipe_of(path: Path, memory: str) -> str | None:
    connection = None
    try:
        connection = _connect(path, memory)
        return str(connection.execute("SELECT recipe FROM sandbox_meta").fetchall()[0][0])
    except duckdb.CatalogException:
        return None
    finally:
        if connection is not None:
            connection.close()
