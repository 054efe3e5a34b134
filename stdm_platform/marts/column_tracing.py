"""Trace columns of marts through the SQL of the models to the columns of objects that they are made from.

Belongs here: rendering models without dbt, walking their SQL. Does not: reading what was found, which
`column_lineage.py` keeps in a file so that nobody has to trace while Dagster starts.

A column comes from the columns that its expression names, through however many models. What a join or a filter
reads is no origin: it decides which rows there are, and not what stands in them. A count of rows names no
column, so it comes from the key of the rows that it counts. The lake's `date` is the day of the object's clock.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from jinja2 import Environment
from sqlglot import exp, parse, parse_one
from sqlglot.optimizer.qualify import qualify
from sqlglot.optimizer.scope import Scope, build_scope

from stdm_platform.catalog import DMOS
from stdm_platform.catalog import dmo as entry
from stdm_platform.marts.column_lineage import Origin
from stdm_platform.marts.control import CONTROL_TABLES
from stdm_platform.marts.store import DBT_PROJECT

SOURCES, MODELS = "stdm", "model"
LAKE_DAY, LAKE_FILE = "date", "filename"
OWN_BLOCKS = re.compile(r"\{%-?\s*materialization\b")
"""Blocks that dbt adds to Jinja: how a table is made, which says nothing of its columns."""
Columns = dict[str, frozenset[Origin]]


class _Returned(Exception):
    """What a macro gives back that is no text."""


def traced_columns(models: Mapping[str, str] | None = None) -> dict[str, Columns]:
    """Mart → column → the columns of objects that it is made from.

    `models` is SQL by name, and all of them are asked for; without it, those of the dbt project are read.
    """
    tracer = _Tracer(rendered_models() if models is None else models)
    folder = sorted(path.stem for path in (DBT_PROJECT / "marts").glob("*.sql"))
    return {mart: tracer.model(mart) for mart in (folder if models is None else models)}


def rendered_models() -> dict[str, str]:
    """The SQL of each model as DuckDB would get it; `ref` is `model.<name>`, a source is `stdm.<name>`."""
    environment = Environment(extensions=["jinja2.ext.do"], autoescape=False)  # noqa: S701  SQL, not HTML
    environment.globals |= {
        "ref": lambda name: f"{MODELS}.{name}",
        "source": lambda group, name: f"{group}.{name}",
        "config": lambda **_: "",
        "return": _give_back,
        "execute": False,
    }
    files = [path.read_text() for path in sorted((DBT_PROJECT / "macros").glob("*.sql"))]
    text = "\n".join(each for each in files if not OWN_BLOCKS.search(each))
    macros = vars(environment.from_string(text).module)
    environment.globals |= {
        name: _giving(macro)
        for name, macro in macros.items()
        if not name.startswith("_") and callable(macro)
    }
    return {
        path.stem: environment.from_string(path.read_text()).render()
        for folder in ("staging", "intermediate", "marts")
        for path in sorted((DBT_PROJECT / folder).glob("*.sql"))
    }


class _Tracer:
    """Models traced so far, and what is known of the columns of tables."""

    def __init__(self, models: Mapping[str, str]) -> None:
        self._models = models
        self._traced: dict[str, Columns] = {}
        self._keys: dict[str, frozenset[Origin]] = {}
        added = (LAKE_DAY, LAKE_FILE)
        held = {each.name: dict.fromkeys([*each.column_names, *added], "text") for each in DMOS}
        control = _control_tables()
        self._schema: dict[str, Any] = {
            SOURCES: held, MODELS: {}, "control": control,
        }  # fmt: skip

    def model(self, name: str) -> Columns:
        """The columns of one model, and of those that it reads before."""
        if name not in self._traced:
            tree = parse_one(self._models[name], dialect="duckdb")
            for table in tree.find_all(exp.Table):
                if table.db == MODELS and table.name in self._models:
                    self.model(table.name)
            tree = qualify(
                tree, dialect="duckdb", schema=self._schema, validate_qualify_columns=False
            )
            scope = build_scope(tree)
            assert scope is not None, name  # noqa: S101  a model is a query
            self._traced[name] = {
                column: frozenset(self._origins(scope, column)) for column in _names(scope)
            }
            self._keys[name] = frozenset(self._keys_of(scope))
            self._schema[MODELS][name] = dict.fromkeys(self._traced[name], "text")
        return self._traced[name]

    def _origins(self, scope: Scope, name: str) -> Iterator[Origin]:
        if isinstance(scope.expression, exp.SetOperation):
            for side, own in zip(scope.set_operation_scopes, _own_names(scope, name), strict=True):
                if own is not None:
                    yield from self._origins(side, own)
            return
        assert isinstance(scope.expression, exp.Query)  # noqa: S101  nothing else has names here
        found = next(each for each in scope.expression.selects if each.alias_or_name == name)
        columns = list(found.find_all(exp.Column))
        if not columns and found.find(exp.Count):
            yield from self._keys_read(scope)
        for column in columns:
            yield from self._of_column(scope, column)

    def _keys_of(self, scope: Scope) -> Iterator[Origin]:
        """What tells the rows of a query apart: its groups, or the keys of what it reads."""
        if isinstance(scope.expression, exp.SetOperation):
            for side in scope.set_operation_scopes:
                yield from self._keys_of(side)
        elif isinstance(scope.expression, exp.Query) and scope.expression.args.get("group"):
            group = scope.expression.args["group"]
            grouped = list(group.find_all(exp.Column)) or [
                column
                for each in scope.expression.selects
                if not each.find(exp.AggFunc)
                for column in each.find_all(exp.Column)
            ]
            for column in grouped:
                yield from self._of_column(scope, column)
        else:
            yield from self._keys_read(scope)

    def _keys_read(self, scope: Scope) -> Iterator[Origin]:
        """The keys of the rows that a query begins from; what it joins to them makes no other rows."""
        begun = scope.expression.find(exp.From)
        source = scope.sources.get(begun.this.alias_or_name) if begun else None
        if isinstance(source, Scope):
            yield from self._keys_of(source)
        elif source is not None and source.db == MODELS:
            yield from self._keys.get(source.name, ())
        elif source is not None and source.db == SOURCES:
            dmo = entry(source.name)
            yield Origin(dmo.name, dmo.key)

    def _of_column(self, scope: Scope, column: exp.Column) -> Iterator[Origin]:
        source = scope.sources.get(column.table)
        if isinstance(source, Scope):
            if column.name in _names(source):
                yield from self._origins(source, column.name)
        elif source is not None and source.db == MODELS:
            yield from self._traced.get(source.name, {}).get(column.name, ())  # seeds have none
        elif source is not None and source.db == SOURCES:
            dmo = entry(source.name)
            name = dmo.clock if column.name == LAKE_DAY else column.name
            if name in dmo.column_names:  # what is left says where in the lake a row stands
                yield Origin(dmo.name, name)


def _control_tables() -> dict[str, dict[str, str]]:
    found = {}
    for each in parse(CONTROL_TABLES, dialect="duckdb"):
        table = each.find(exp.Table) if each and each.find(exp.Schema) else None
        if each and table:
            found[table.name] = {column.name: "text" for column in each.find_all(exp.ColumnDef)}
    return found


def _names(scope: Scope) -> list[str]:
    expression = scope.expression
    if isinstance(expression, exp.SetOperation) and expression.args.get("by_name"):
        return list(
            dict.fromkeys(name for side in scope.set_operation_scopes for name in _names(side))
        )
    if isinstance(expression, exp.SetOperation):
        return _names(scope.set_operation_scopes[0])
    return (
        [each.alias_or_name for each in expression.selects]
        if isinstance(expression, exp.Query)
        else []
    )


def _own_names(scope: Scope, name: str) -> list[str | None]:
    """What each side of a union calls a column; None where it has none."""
    sides = [_names(side) for side in scope.set_operation_scopes]
    if scope.expression.args.get("by_name"):
        return [name if name in side else None for side in sides]
    place = sides[0].index(name)
    return [side[place] for side in sides]


def _give_back(value: Any) -> str:
    raise _Returned(value)


def _giving(macro: Callable[..., Any]) -> Callable[..., Any]:
    def call(*arguments: Any) -> Any:
        try:
            return macro(*arguments)
        except _Returned as returned:
            return returned.args[0]

    return call
