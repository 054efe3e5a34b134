"""How the org's tables look to a client: which objects, which columns, which names and types.

Belongs here: the views in schema `org`, one per visible object. Does not: the tables behind them
(`org.py`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import duckdb

from stdm_platform.catalog import DMOS, Column, Dmo, dmo
from stdm_platform.errors import ArgumentError
from stdm_platform.sandbox.landing import NOW, TRUTH, Landing, landing_of, session_ends_of, truth_of
from stdm_platform.sandbox.names import given_for, newer_name, references
from stdm_platform.sandbox.options import Family, SandboxOptions, check_longest_lag
from stdm_platform.sandbox.system_catalog import system_views

SCHEMA = "org"
Shapes = tuple[list[tuple[str, str, str]], str | None]
QUERY_NOW = f"CAST(getvariable('{NOW}') AS BIGINT)"


@dataclass(frozen=True)
class ExposedObject:
    """An object that a client can query: its name, its view, the source name of its clock."""

    name: str
    view: str
    clock: str
    columns: tuple[str, ...]
    dmo: Dmo


@dataclass(frozen=True)
class Exposure:
    """What clients see of the org.

    Names are catalog names or source names: `moments`, `sessions.ssot__VariableText__c`. `families`
    are of single objects, `rename_*` give an object or a column any name. The lags (`seed`,
    `longest_lag_hours`) count only while the org has a clock.
    """

    family: Family = "ssot"
    families: Mapping[str, Family] = field(default_factory=dict)
    rename_objects: Mapping[str, str] = field(default_factory=dict)
    rename_columns: Mapping[str, str] = field(default_factory=dict)
    hide_objects: tuple[str, ...] = ()
    hide_columns: tuple[str, ...] = ()
    column_types: Mapping[str, str] = field(default_factory=dict)
    longest_lag_hours: float | None = None
    seed: int = 1

    @classmethod
    def of(cls, options: SandboxOptions) -> Exposure:
        """What the options ask for."""
        return cls(
            family=options.family,
            hide_objects=options.hide_objects,
            hide_columns=options.hide_columns,
            column_types=dict(options.column_types),
            longest_lag_hours=options.longest_lag_hours,
            seed=options.seed,
        )

    def family_of(self, dmo: Dmo) -> Family:
        """The family of an object's names."""
        return given_for(self.families, {dmo.name, *dmo.objects}) or self.family

    def object_of(self, dmo: Dmo) -> str:
        """The name of an object."""
        usual = dmo.objects[0 if self.family_of(dmo) == "ssot" else 1]
        return given_for(self.rename_objects, {dmo.name, *dmo.objects}) or usual

    def column_of(self, dmo: Dmo, source: str, column: Column | None) -> str:
        """The name of a column."""
        is_legacy = self.family_of(dmo) == "ssot"
        usual = source if is_legacy else newer_name(source, column, dmo.objects[1])
        return given_for(self.rename_columns, references(dmo, source, column)) or usual

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
    one they have no condition, so that they cost nothing. With a clock, schema `truth` is made too
    (see `landing.truth_of`), whatever clients see.

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


def shapes_of(cursor: duckdb.DuckDBPyConnection, *, has_clock: bool) -> Shapes:
    """What the views depend on beside the exposure: they have to be made anew when it changes."""
    sql = (
        "SELECT table_name, column_name, data_type FROM duckdb_columns() "
        "WHERE schema_name = 'main' AND NOT internal ORDER BY table_name, column_index"
    )
    columns = cursor.execute(sql).fetchall()
    ends = _session_ends(cursor, _table_columns(cursor, dmo("sessions"))) if has_clock else None
    return columns, ends


def _make_views(
    cursor: duckdb.DuckDBPyConnection, exposure: Exposure, has_clock: bool
) -> dict[str, ExposedObject]:
    cursor.execute(f"CREATE SCHEMA IF NOT EXISTS {SCHEMA}")
    views = "SELECT view_name FROM duckdb_views() WHERE schema_name = ? AND NOT internal"
    for (view,) in cursor.execute(views, [SCHEMA]).fetchall():
        cursor.execute(f"DROP VIEW {SCHEMA}.{quoted(view)}")
    cursor.execute(f"DROP SCHEMA IF EXISTS {TRUTH} CASCADE")
    landings = _landings(cursor, exposure, has_clock)
    objects: dict[str, ExposedObject] = {}
    for landing in landings:
        if not {landing.dmo.name, *landing.dmo.objects} & set(exposure.hide_objects):
            made = _make_view(cursor, landing, exposure, has_clock)
            objects[made.name.lower()] = made
    statements = system_views(SCHEMA)
    if has_clock:
        statements.append(f"CREATE SCHEMA {TRUTH}")
        statements += [statement for landing in landings for statement in truth_of(landing)]
    for statement in statements:
        cursor.execute(statement)
    return objects


def _landings(
    cursor: duckdb.DuckDBPyConnection, exposure: Exposure, has_clock: bool
) -> list[Landing]:
    """How the rows of each table land; the tables that a test has dropped are left out."""
    columns = {one.name: _table_columns(cursor, one) for one in DMOS}
    ends = _session_ends(cursor, columns["sessions"]) if has_clock else None
    return [
        landing_of(
            one,
            columns[one.name],
            ends,
            seed=exposure.seed,
            longest_lag_hours=exposure.longest_lag_hours,
        )
        for one in DMOS
        if columns[one.name]
    ]


def _session_ends(cursor: duckdb.DuckDBPyConnection, columns: list[str]) -> str | None:
    sessions = dmo("sessions")
    key = sessions[sessions.key].source
    if key not in columns:
        return None
    count = f"count({quoted(key)}) = count(DISTINCT {quoted(key)})"
    found = f"SELECT {count} FROM main.{quoted(sessions.objects[0])}"
    return session_ends_of(columns, are_unique=bool(cursor.execute(found).fetchall()[0][0]))


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
    cursor: duckdb.DuckDBPyConnection, landing: Landing, exposure: Exposure, has_clock: bool
) -> ExposedObject:
    dmo = landing.dmo
    by_source = {column.source: column for column in dmo.columns}
    selected, names = [], []
    for source in landing.columns:
        column = by_source.get(source)
        named = references(dmo, source, column)
        if named & set(exposure.hide_columns):
            continue
        name = exposure.column_of(dmo, source, column)
        types = [exposure.column_types[ref] for ref in named if ref in exposure.column_types]
        value = landing.value(source, QUERY_NOW) if has_clock else quoted(source)
        selected.append(f"{f'CAST({value} AS {types[0]})' if types else value} AS {quoted(name)}")
        names.append(name)
    if not selected:
        raise ArgumentError(f"no column of {dmo.name} is left.", action="Hide the object instead.")
    name = exposure.object_of(dmo)
    view = f"{SCHEMA}.{quoted(name)}"
    rows = f"main.{quoted(dmo.objects[0])}"
    if has_clock and (visible := landing.visible(QUERY_NOW)):
        rows = f"{landing.rows} WHERE {visible}"
    try:
        cursor.execute(f"CREATE VIEW {view} AS SELECT {', '.join(selected)} FROM {rows}")
    except duckdb.Error as error:
        raise ArgumentError(
            f"column types of {dmo.name} cannot be used: {error}.", action="Use DuckDB types."
        ) from error
    clock = dmo[dmo.clock]
    shown = exposure.column_of(dmo, clock.source, clock)
    return ExposedObject(name=name, view=name, clock=shown, columns=tuple(names), dmo=dmo)


def _refuse_unknown(exposure: Exposure) -> None:
    objects = {name for dmo in DMOS for name in (dmo.name, *dmo.objects)}
    for name in (*exposure.hide_objects, *exposure.families, *exposure.rename_objects):
        if name not in objects:
            raise ArgumentError(
                f"object {name!r} is unknown.",
                action=f"Use one of: {', '.join(dmo.name for dmo in DMOS)}.",
            )
    columns = {
        reference
        for dmo in DMOS
        for column in dmo.columns
        for reference in references(dmo, column.source, column)
    }
    for name in (*exposure.hide_columns, *exposure.column_types, *exposure.rename_columns):
        if name not in columns:
            raise ArgumentError(f"column {name!r} is unknown.", action="Use DMO.COLUMN.")
