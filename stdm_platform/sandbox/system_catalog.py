"""The PostgreSQL system catalog as far as clients list objects and fields with it.

Belongs here: views that show the exposed objects as tables of schema `public`, and the functions
over them. Does not: other queries (`dialect.py`). Type ids are the types' names: clients only join
and format them.
"""

from __future__ import annotations

from sqlglot import exp

SYSTEM_SCHEMA = "org_catalog"
CATALOG = "pg_catalog"
PUBLIC = "public"
_PUBLIC_ID = 2200  # as in PostgreSQL
_TYPES = (
    "CASE WHEN data_type LIKE 'TIMESTAMP WITH%' THEN 'timestamp with time zone' "
    "WHEN data_type = 'VARCHAR' THEN 'character varying' "
    "WHEN data_type = 'DOUBLE' THEN 'double precision' "
    "WHEN data_type LIKE 'DECIMAL%' THEN replace(lower(data_type), 'decimal', 'numeric') "
    "ELSE lower(data_type) END"
)
_VIEWS = {
    "pg_namespace": f"SELECT {_PUBLIC_ID} AS oid, '{PUBLIC}' AS nspname",
    "pg_class": f"SELECT view_oid AS oid, view_name AS relname, {_PUBLIC_ID} AS relnamespace, "
    "'r' AS relkind FROM duckdb_views() WHERE schema_name = '{schema}'",
    "pg_attribute": "SELECT table_oid AS attrelid, column_name AS attname, column_index AS attnum, "
    f"{_TYPES} AS atttypid, -1 AS atttypmod, false AS attnotnull, false AS attisdropped "
    "FROM duckdb_columns() WHERE schema_name = '{schema}'",
    "pg_type": f"SELECT DISTINCT {_TYPES} AS oid, {_TYPES} AS typname, 'b' AS typtype, "
    "false AS typnotnull FROM duckdb_columns() WHERE schema_name = '{schema}'",
    "pg_attrdef": "SELECT 0 AS adrelid, 0 AS adnum, '' AS adbin WHERE false",
    "pg_description": "SELECT 0 AS objoid, 0 AS objsubid, '' AS classoid, '' AS description "
    "WHERE false",
}


def system_views(schema: str) -> list[str]:
    """The SQL that makes the views over the objects of this schema."""
    made = [f"CREATE SCHEMA IF NOT EXISTS {SYSTEM_SCHEMA}"]
    for name, select in _VIEWS.items():
        view = f"{SYSTEM_SCHEMA}.{name}"
        made.append(f"CREATE OR REPLACE VIEW {view} AS {select.replace('{schema}', schema)}")
    return made


def point_at_view(table: exp.Table) -> bool:
    """Point a table of the system catalog at its view; False for any other table."""
    if table.db.lower() != CATALOG or table.name.lower() not in _VIEWS:
        return False
    table.set("db", exp.to_identifier(SYSTEM_SCHEMA))
    return True


def without_postgres(root: exp.Expr) -> None:
    """Take out what only PostgreSQL has: its schema, formatting of types, casts to `regclass`."""
    for column in root.find_all(exp.Column):
        if column.db.lower() == PUBLIC:
            column.set("db", None)
    for node in list(root.find_all(exp.Dot, exp.Cast)):
        inner = node.expression if isinstance(node, exp.Dot) else node
        if isinstance(node, exp.Cast) and node.to.sql("postgres").upper() == "REGCLASS":
            node.replace(node.this)
        elif isinstance(inner, exp.Anonymous) and inner.name.lower() in (
            "format_type",
            "pg_get_expr",
        ):
            node.replace(inner.expressions[0])
