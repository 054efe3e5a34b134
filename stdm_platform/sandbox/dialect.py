"""A client's SQL, read in the Hyper/PostgreSQL-like dialect and written for DuckDB.

Belongs here: what may be asked, how names are found, how parameters are bound, how result columns
are called on each plane. Does not: running it (`results.py`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from stdm_platform.sandbox.billing import Billing, count_scanned
from stdm_platform.sandbox.binding import BoundParameters, bind, number_placeholders
from stdm_platform.sandbox.exposure import SCHEMA, ExposedObject
from stdm_platform.sandbox.refusals import Refusal, execution_failed, object_missing, syntax_error
from stdm_platform.sandbox.select_rules import refuse_order_beyond_distinct
from stdm_platform.sandbox.system_catalog import PUBLIC, point_at_view, without_postgres

TABLE_FUNCTIONS = (exp.GenerateSeries, exp.ExplodingGenerateSeries, exp.Unnest)
JSON_TABLE_FUNCTIONS = ("json_each", "json_tree")
FORBIDDEN = (exp.DML, exp.DDL, exp.Command, exp.Into, exp.Pragma, exp.ReadCSV, exp.ReadParquet)
FORBIDDEN_FUNCTIONS = (
    "read_",
    "duckdb_",
    "pragma_",
    "parquet_",
    "query",
    "glob",
    "sniff_",
    "sql_auto",
    "current_setting",
    "getvariable",
)


@dataclass(frozen=True)
class Query:
    """A client's query, ready to run.

    `names` are the result columns' names, None standing for a star; `scans` are queries that count
    the rows processed; `stored` are the query ids that it reads by `result_scan`.
    """

    sql: str
    names: tuple[str | None, ...]
    scans: tuple[str, ...]
    stored: Mapping[str, str]


def read_query(
    sql: str,
    parameters: BoundParameters,
    objects: Mapping[str, ExposedObject],
    *,
    plane: str,
    row_limit: int | None = None,
    billing: Billing = "window",
) -> Query:
    """What DuckDB has to run for a client's SQL.

    Raises:
        Refusal: the SQL cannot be parsed, is no query, or names an object that is not there.
    """
    root = _parse(number_placeholders(sql, parameters))
    bind(root, parameters)
    names = _output_names(root, plane)
    without_postgres(root)
    refuse_order_beyond_distinct(root)
    stored: dict[str, str] = {}
    scanned: list[tuple[exp.Table, ExposedObject]] = []
    for table in list(root.find_all(exp.Table)):
        if isinstance(table.this, exp.Identifier):
            if not _is_cte(table) and not point_at_view(table):
                scanned.append((table, _resolve(table, objects)))
        else:
            _resolve_function(table, stored)
    scans = tuple(count_scanned(table, found.clock, billing) for table, found in scanned)
    text = root.sql("duckdb")
    if row_limit is not None and row_limit >= 0:
        text = f"SELECT * FROM ({text}) AS limited LIMIT {row_limit}"
        scans = () if row_limit == 0 else scans
    elif _limit_of(root) == "0":
        scans = ()  # a look at the columns reads no rows
    return Query(text, names, scans, stored)


def _parse(sql: str) -> exp.Query | exp.Values:
    try:
        statements = [found for found in sqlglot.parse(sql, read="postgres") if found is not None]
    except SqlglotError as error:
        raise _syntax(sql, error) from error
    if len(statements) != 1 or not isinstance(statements[0], exp.Query | exp.Values):
        raise syntax_error("exactly one query is expected: SELECT, WITH or VALUES")
    root = statements[0]
    for node in list(root.walk()):
        if isinstance(node, FORBIDDEN):
            raise syntax_error(f"{node.key.upper()} is not part of a query")
        if isinstance(node, exp.Anonymous) and node.name.lower().startswith(FORBIDDEN_FUNCTIONS):
            raise _no_function(node.name)
        if isinstance(node, exp.JSONBExtract | exp.JSONBExtractScalar):
            node.replace(_by_path(node))
    return root


def _by_path(node: exp.JSONBExtract | exp.JSONBExtractScalar) -> exp.Expr:
    """`j #>> '{a,0}'`, which DuckDB knows as a function of a path."""
    steps = node.expression.name.strip("{}").split(",")
    path = "$" + "".join(f"[{step}]" if step.isdigit() else f'."{step}"' for step in steps)
    name = "json_extract" if isinstance(node, exp.JSONBExtract) else "json_extract_string"
    return exp.func(name, node.this, exp.Literal.string(path), dialect="duckdb")


def _syntax(sql: str, error: SqlglotError) -> Refusal:
    details: dict[str, Any] = (getattr(error, "errors", None) or [{}])[0]
    line, column = details.get("line"), details.get("col")
    if not line or not column:
        return syntax_error(f"syntax error in {sql[:60]!r}")
    before = sum(len(text) + 1 for text in sql.split("\n")[: line - 1])
    near = str(details.get("highlight") or "")
    position = {
        "errorBeginCharacterOffset": before + column - 1,
        "errorEndCharacterOffset": before + column,
    }
    return syntax_error(f'syntax error at or near "{near}": {details["description"]}', position)


def _no_function(name: str) -> Refusal:
    return execution_failed(f"function {name.lower()} does not exist", "42883")


def _resolve(table: exp.Table, objects: Mapping[str, ExposedObject]) -> ExposedObject:
    """Point a table of the client's at the view of that name, whatever its casing."""
    spelled = ".".join(part.name for part in table.parts)
    found = objects.get(table.name.lower()) if table.db.lower() in ("", PUBLIC) else None
    if found is None:
        raise object_missing(spelled)
    if not table.alias:
        table.set("alias", exp.TableAlias(this=exp.to_identifier(table.name, quoted=True)))
    table.set("this", exp.to_identifier(found.view, quoted=True))
    table.set("db", exp.to_identifier(SCHEMA))
    return found


def _resolve_function(table: exp.Table, stored: dict[str, str]) -> None:
    function = table.this
    if isinstance(function, exp.Anonymous) and function.name.lower() == "result_scan":
        given = function.expressions
        if len(given) != 1 or not given[0].is_string:
            raise syntax_error("syntax: result_scan('query id')")
        name = f"result_scan_{len(stored)}"
        stored[name] = given[0].name
        table.set("this", exp.to_identifier(name, quoted=True))
    elif not isinstance(function, TABLE_FUNCTIONS) and (
        function.name.lower() not in JSON_TABLE_FUNCTIONS
    ):
        raise _no_function(function.name or function.key)


def _is_cte(table: exp.Table) -> bool:
    """Whether the name is that of a WITH that the table can see."""
    if table.db:
        return False
    name = table.name.lower()
    inside: exp.Expr = table
    node = table.parent
    while node is not None:
        if isinstance(node, exp.With):
            visible = _visible_inside(node, inside)
        else:
            with_ = _with_of(node)
            visible = with_.expressions if with_ is not None and inside is not with_ else []
        if any(cte.alias.lower() == name for cte in visible):
            return True
        inside, node = node, node.parent
    return False


def _visible_inside(with_: exp.With, own: exp.Expr) -> list[exp.Expr]:
    """The members of a WITH that one of them can name: those before it, itself if recursive."""
    members: list[exp.Expr] = with_.expressions
    place = next(index for index, member in enumerate(members) if member is own)
    return members[: place + 1 if with_.recursive else place]


def _with_of(node: exp.Expr) -> exp.With | None:
    found = node.args.get("with_") or node.args.get("with")
    return found if isinstance(found, exp.With) else None


def _first_select(root: exp.Expr) -> exp.Expr:
    """The SELECT that names the result: the left-most one."""
    while isinstance(root, exp.SetOperation | exp.Subquery):
        root = root.this
    return root


def _output_names(root: exp.Expr, plane: str) -> tuple[str | None, ...]:
    select = _first_select(root)
    if not isinstance(select, exp.Select):
        return (None,)
    return tuple(
        _output_name(projection, place, plane)
        for place, projection in enumerate(select.expressions)
    )


def _output_name(projection: exp.Expr, place: int, plane: str) -> str | None:
    if projection.is_star:
        return None
    if isinstance(projection, exp.Alias):
        return projection.alias
    if isinstance(projection, exp.Column):
        keeps_case = plane != "v3" or projection.this.quoted
        return projection.name if keeps_case else projection.name.lower()
    return str(place + 1) if plane == "v3" else f"_col{place}"


def _limit_of(root: exp.Expr) -> str | None:
    limit = root.args.get("limit")
    return str(limit.expression) if isinstance(limit, exp.Limit) else None


__all__ = ["Query", "read_query"]
