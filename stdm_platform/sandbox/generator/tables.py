"""The org's tables: one per DMO, shaped by the catalog.

Belongs here: creating them and inserting into them by lake column name. Does not: what the rows
say.
"""

from __future__ import annotations

from collections.abc import Mapping

import duckdb

from stdm_platform.catalog import DMOS, Dmo
from stdm_platform.sandbox.generator.draws import literal

ORG_ID = "00DHu00000SandbMAB"
"""The org that rows name when the caller gives no other."""

SQL_TYPES = {
    "text": "VARCHAR",
    "timestamp": "TIMESTAMPTZ",
    "number": "DOUBLE",
    "boolean": "BOOLEAN",
}


def table_name(dmo: Dmo) -> str:
    """The quoted name of a DMO's table."""
    return f'"{dmo.objects[0]}"'


def create_tables(con: duckdb.DuckDBPyConnection, *, replace: bool) -> None:
    """One empty table per catalog entry; without `replace`, tables that exist stay."""
    create, unless = ("CREATE OR REPLACE", "") if replace else ("CREATE", "IF NOT EXISTS ")
    for dmo in DMOS:
        columns = ", ".join(f'"{column.source}" {SQL_TYPES[column.type]}' for column in dmo.columns)
        con.execute(f"{create} TABLE {unless}{table_name(dmo)} ({columns})")


def insert_sql(dmo: Dmo, values: Mapping[str, str], source: str, org_id: str) -> str:
    """An INSERT of SQL expressions, keyed by lake column name, from a FROM clause.

    System columns are filled here. A catalog column without an expression is null: a column added
    to the catalog needs no change of the generator.
    """
    unknown = set(values) - set(dmo.column_names)
    if unknown:
        raise ValueError(f"{dmo.name} has no column {sorted(unknown)}")
    known = {**_system(dmo, org_id), **values}
    columns = [column for column in dmo.columns if column.name in known]
    names = ", ".join(f'"{column.source}"' for column in columns)
    expressions = ",\n  ".join(f'{known[column.name]} AS "{column.source}"' for column in columns)
    return f"INSERT INTO {table_name(dmo)} ({names})\nSELECT {expressions}\n{source}"


def _system(dmo: Dmo, org_id: str) -> dict[str, str]:
    stream = dmo.label.replace(" ", "")
    return {
        "data_source_id": literal("AgentforceSessionTracing"),
        "data_source_object_id": literal(f"{stream}_std"),
        "internal_organization_id": literal(org_id),
    }
