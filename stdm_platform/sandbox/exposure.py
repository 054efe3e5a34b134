"""How the org's tables look to a client: which objects, which columns, which names and types.

Belongs here: the views in schema `org`, one per visible object. Does not: the tables behind them
(`org.py`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import duckdb

from stdm_platform.catalog import DMOS, Column, Dmo
from stdm_platform.catalog.model import LEGACY_PREFIX, NEWER_PREFIX
from stdm_platform.errors import ArgumentError
from stdm_platform.sandbox.landing import NOW, TRUTH, landing_of, truth_of
from stdm_platform.sandbox.options import Family, SandboxOptions, check_longest_lag
from stdm_platform.sandbox.system_catalog import system_views

SCHEMA = "org"
QUERY_NOW = f"CAST(getvariable('{NOW}') AS BIGINT)"


@dataclass(frozen=True)
class ExposedObject:
    """An object that a client can query: its name, its view, the source name of its clock."""

    name: str
    view: str
    clock: str
    columns: tuple[str, ...]


@dataclass(frozen=True)
class Exposure:
    """What clients see of the org.

    Names are catalog names or source names: `moments`, `sessions.ssot__VariableText__c`. The lags
    (`seed`, `longest_lag_hours`) count only while the org has a clock.
    """

    family: Family = "ssot"
    hide_objects: tuple[str, ...] = ()
    hide_columns: tuple[str, ...] = ()
    column_types: Mapping[str, str] = field(default_factory=dict)
    longest_lag_hours: float | None = None
    seed: int = 1

    @classmethod
    def of(cls, options: SandboxOptions) -> Exposure:
        """What the options ask for."""
        return cls(
            options.family,
            options.hide_objects,
            options.hide_columns,
            dict(options.column_types),
            options.longest_lag_hours,
            options.seed,
        )

    def changed(self, **given: Any) -> Exposure:
        """A copy with fields replaced by what JSON gave."""
        for name in ("hide_objects", "hide_columns"):
            if name in given:
                given[name] = tuple(given[name])
        check_longest_lag(given.get("longest_lag_hours"))
        return replace(self, **given)


def exposed_objects(
    cursor: duckdb.DuckDBPyConnection, exposure: Exposure, *, has_clock: bool
) -> dict[str, ExposedObject]:
    """Make the views anew; the objects by lower-case name.

    With a clock the views show what has landed at the instant in the variable `org_now`; without
    one they have no condition, so that they cost nothing.

    Raises:
        ArgumentError: an object, column or type that there is not.
    """
    _refuse_unknown(exposure)
    cursor.execute("BEGIN")  # a query beside this one sees all the old views or all the new ones
    try:
        objects = _make_views(cursor, exposure, has_clock)
    except BaseException:
        cursor.execute("ROLLBACK")
        raise
    cursor.execute("COMMIT")
    return objects


def _make_views(
    cursor: duckdb.DuckDBPyConnection, exposure: Exposure, has_clock: bool
) -> dict[str, ExposedObject]:
    cursor.execute(f"CREATE SCHEMA IF NOT EXISTS {SCHEMA}")
    views = "SELECT view_name FROM duckdb_views() WHERE schema_name = ? AND NOT internal"
    for (view,) in cursor.execute(views, [SCHEMA]).fetchall():
        cursor.execute(f"DROP VIEW {SCHEMA}.{quoted(view)}")
    objects: dict[str, ExposedObject] = {}
    for dmo in DMOS:
        columns = _table_columns(cursor, dmo)
        if columns and not {dmo.name, *dmo.objects} & set(exposure.hide_objects):
            made = _make_view(cursor, dmo, columns, exposure, has_clock)
            objects[made.name.lower()] = made
    for statement in system_views(SCHEMA):
        cursor.execute(statement)
    return objects


def make_truth(cursor: duckdb.DuckDBPyConnection, exposure: Exposure) -> None:
    """Make the schema `truth` anew (see `landing.truth_of`), whatever clients see."""
    cursor.execute(f"DROP SCHEMA IF EXISTS {TRUTH} CASCADE")
    cursor.execute(f"CREATE SCHEMA {TRUTH}")
    for dmo in DMOS:
        columns = _table_columns(cursor, dmo)
        if columns:
            landing = landing_of(dmo, columns, exposure.seed, exposure.longest_lag_hours)
            for statement in truth_of(landing):
                cursor.execute(statement)


def quoted(name: str) -> str:
    """An SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def _table_columns(cursor: duckdb.DuckDBPyConnection, dmo: Dmo) -> list[str]:
    sql = (
        "SELECT column_name FROM duckdb_columns() "
        "WHERE schema_name = 'main' AND table_name = ? ORDER BY column_index"
    )
    return [name for (name,) in cursor.execute(sql, [dmo.objects[0]]).fetchall()]


def _make_view(
    cursor: duckdb.DuckDBPyConnection,
    dmo: Dmo,
    sources: list[str],
    exposure: Exposure,
    has_clock: bool,
) -> ExposedObject:
    landing = landing_of(dmo, sources, exposure.seed, exposure.longest_lag_hours)
    by_source = {column.source: column for column in dmo.columns}
    selected, names = [], []
    for source in sources:
        column = by_source.get(source)
        references = _references(dmo, source, column)
        if references & set(exposure.hide_columns):
            continue
        name = source if exposure.family == "ssot" else _newer(source, column)
        types = [exposure.column_types[ref] for ref in references if ref in exposure.column_types]
        value = landing.value(source, QUERY_NOW) if has_clock else quoted(source)
        selected.append(f"{f'CAST({value} AS {types[0]})' if types else value} AS {quoted(name)}")
        names.append(name)
    if not selected:
        raise ArgumentError(f"no column of {dmo.name} is left.", action="Hide the object instead.")
    name = dmo.objects[0 if exposure.family == "ssot" else 1]
    view = f"{SCHEMA}.{quoted(name)}"
    rows = f"main.{quoted(dmo.objects[0])}"
    if has_clock and (visible := landing.visible(QUERY_NOW)):
        rows += f" WHERE {visible}"
    try:
        cursor.execute(f"CREATE VIEW {view} AS SELECT {', '.join(selected)} FROM {rows}")
    except duckdb.Error as error:
        raise ArgumentError(
            f"column types of {dmo.name} cannot be used: {error}.", action="Use DuckDB types."
        ) from error
    clock = dmo[dmo.clock]
    shown = clock.source if exposure.family == "ssot" else _newer(clock.source, clock)
    return ExposedObject(name=name, view=name, clock=shown, columns=tuple(names))


def _references(dmo: Dmo, source: str, column: Column | None) -> set[str]:
    """Every way to name a column in the options."""
    names = {source} | ({column.name} if column else set())
    return {f"{owner}.{name}" for owner in (dmo.name, *dmo.objects) for name in names}


def _newer(source: str, column: Column | None) -> str:
    """The field's name in the `std__` family; some are not just the prefix exchanged."""
    others = column.other_sources if column else ()
    for name in others:
        if name.startswith(NEWER_PREFIX):
            return name
    if source.startswith(LEGACY_PREFIX):
        return NEWER_PREFIX + source.removeprefix(LEGACY_PREFIX)
    return source


def _refuse_unknown(exposure: Exposure) -> None:
    objects = {name for dmo in DMOS for name in (dmo.name, *dmo.objects)}
    for name in exposure.hide_objects:
        if name not in objects:
            raise ArgumentError(
                f"object {name!r} is unknown.",
                action=f"Use one of: {', '.join(dmo.name for dmo in DMOS)}.",
            )
    columns = {
        reference
        for dmo in DMOS
        for column in dmo.columns
        for reference in _references(dmo, column.source, column)
    }
    for name in (*exposure.hide_columns, *exposure.column_types):
        if name not in columns:
            raise ArgumentError(f"column {name!r} is unknown.", action="Use DMO.COLUMN.")
