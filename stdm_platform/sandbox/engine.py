"""DuckDB as the engine: opening a query, and its errors in the documented words.

Belongs here: from a `Query` to a relation with the right column names and types. Does not: keeping
rows (`results.py`).
"""

from __future__ import annotations

import re

import duckdb
import pyarrow as pa

from stdm_platform.sandbox.dialect import Query
from stdm_platform.sandbox.refusals import (
    Refusal,
    execution_failed,
    field_missing,
    object_missing,
    syntax_error,
)

SERVED_TYPES = frozenset(
    [
        "boolean",
        "smallint",
        "integer",
        "bigint",
        "float",
        "double",
        "decimal",
        "hugeint",
        "varchar",
        "date",
        "timestamp",
        "timestamp with time zone",
    ]
)
NEAREST_TYPES = {
    "tinyint": "SMALLINT",
    "utinyint": "SMALLINT",
    "usmallint": "INTEGER",
    "uinteger": "BIGINT",
    "ubigint": "BIGINT",
}
FIELD_PATTERNS = (
    re.compile(r'Referenced column "([^"]+)" not found'),
    re.compile(r'does not have a column named "([^"]+)"'),
    re.compile(r'column "?([^"\s]+)"? (?:not found|does not exist)', re.IGNORECASE),
)
TABLE_PATTERN = re.compile(r'Referenced table "([^"]+)" not found|Table with name (\S+) does not')


def open_query(
    cursor: duckdb.DuckDBPyConnection, query: Query
) -> tuple[duckdb.DuckDBPyRelation, pa.Schema]:
    """The query as a relation that has not run yet, and the schema of its rows.

    Raises:
        Refusal: DuckDB cannot bind the query.
    """
    try:
        relation = cursor.sql(query.sql)
        if relation is None:
            raise syntax_error("syntax: no query")
        names = list(relation.columns)
        types: list[str] = [type_.id for type_ in relation.types]
        if not set(types) <= SERVED_TYPES:
            relation = cursor.sql(_with_served_types(query.sql, types))
        schema = relation.limit(0).to_arrow_table().schema
    except duckdb.Error as error:
        raise refusal_of(error) from error
    served = served_names(query.names, names)
    fields = [field.with_name(name) for field, name in zip(schema, served, strict=True)]
    return relation, pa.schema(fields)


def _with_served_types(sql: str, types: list[str]) -> str:
    """The query with columns of types that no plane has cast to the nearest one, mostly text."""
    names = [f"c{place}" for place in range(len(types))]
    selected = [
        name
        if type_ in SERVED_TYPES
        else f"CAST({name} AS {NEAREST_TYPES.get(type_, 'VARCHAR')}) AS {name}"
        for name, type_ in zip(names, types, strict=True)
    ]
    return f"SELECT {', '.join(selected)} FROM ({sql}) AS plain({', '.join(names)})"


def served_names(names: tuple[str | None, ...], found: list[str]) -> list[str]:
    """The names for the client: as the SQL spells them, and for a star as the engine has them."""
    stars = [place for place, name in enumerate(names) if name is None]
    if len(stars) > 1 or (not stars and len(names) != len(found)):
        return found
    if not stars:
        return [name for name in names if name is not None]
    after = len(names) - stars[0] - 1
    middle = found[stars[0] : len(found) - after]
    return [
        *(name or "" for name in names[: stars[0]]),
        *middle,
        *(name or "" for name in names[stars[0] + 1 :]),
    ]


def refusal_of(error: Exception) -> Refusal:
    """What the org says when DuckDB says this."""
    text = str(error).split("\n\nLINE", maxsplit=1)[0]
    if isinstance(error, duckdb.BinderException | duckdb.CatalogException):
        for pattern in FIELD_PATTERNS:
            if match := pattern.search(text):
                return field_missing(match[1])
        if match := TABLE_PATTERN.search(text):
            return object_missing(match[1] or match[2])
        if "Function with name" in text:
            return execution_failed(f"function does not exist: {text}", "42883")
        return execution_failed(text, "42000")
    if isinstance(error, duckdb.ParserException):
        return syntax_error(text)
    if isinstance(error, duckdb.ConversionException | duckdb.DataError):
        return execution_failed(text, "22000")
    if isinstance(error, duckdb.InterruptException):
        return Refusal(408, "Query cancelled", code="CANCELLED", state="57014")
    return execution_failed(text)
