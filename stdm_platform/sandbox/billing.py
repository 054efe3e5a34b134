"""What a query costs: the rows that the org processes for it.

Belongs here: counting them, as `window` (the rows in the clock range that the query filters by) or
`object` (all rows of the object that are visible). Salesforce bills records processed, which depend
"on query structure and total size of the objects queried" (section 6.3 of the Data 360 page); which
of the two an org is nearer to is not published. Does not: telling it to a client (`query_service.py`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, get_args

from sqlglot import exp

from stdm_platform.errors import ArgumentError

Billing = Literal["window", "object"]


def check_billing(billing: object) -> None:
    """Refuse a way of billing that there is not.

    Raises:
        ArgumentError: it is neither `window` nor `object`.
    """
    if billing not in get_args(Billing):
        raise ArgumentError(f"--billing {billing!r} is unknown.", action="Use window or object.")


def count_scanned(table: exp.Table, clock: str, billing: Billing) -> str:
    """A query for how many rows the org processes to read this table of a client's query.

    `clock` is the field that decides the day of the object's rows.
    """
    text = f"SELECT count(*) FROM {table.sql('duckdb')}"
    conditions = _window(table, clock) if billing == "window" else []
    return f"{text} WHERE {' AND '.join(conditions)}" if conditions else text


def _window(table: exp.Table, clock: str) -> list[str]:
    """The conditions that bound nothing but the clock."""
    select = table.find_ancestor(exp.Select)
    where = select.args.get("where") if select else None
    conditions = []
    for part in _conjuncts(where.this) if where else ():
        columns = list(part.find_all(exp.Column))
        if (
            columns
            and all(column.name.lower() == clock.lower() for column in columns)
            and all(column.table.lower() in {"", table.alias.lower()} for column in columns)
            and not part.find(exp.Query)
        ):
            conditions.append(part.sql("duckdb"))
    return conditions


def _conjuncts(condition: exp.Expr) -> Sequence[exp.Expr]:
    return list(condition.flatten()) if isinstance(condition, exp.And) else [condition]
