"""Rules of Data 360's SQL that DuckDB does not have.

Belongs here: refusing what the org would refuse though our engine runs it. Does not: what may be
asked at all (`dialect.py`).
"""

from __future__ import annotations

from sqlglot import exp

from stdm_platform.sandbox.refusals import execution_failed


def refuse_order_beyond_distinct(root: exp.Expr) -> None:
    """Refuse `SELECT DISTINCT a … ORDER BY b`: the columns of the order must be selected.

    Raises:
        Refusal: an expression of the order is not in the SELECT list.
    """
    for select in root.find_all(exp.Select):
        order, projections = select.args.get("order"), select.expressions
        distinct = select.args.get("distinct")
        is_plain = isinstance(distinct, exp.Distinct) and distinct.args.get("on") is None
        if not is_plain or order is None or any(each.is_star for each in projections):
            continue
        names = {each.alias_or_name.lower() for each in projections}
        texts = {each.unalias().sql("postgres").lower() for each in projections}
        for ordered in order.expressions:
            key = ordered.this
            is_name = isinstance(key, exp.Column) and key.name.lower() in names
            is_place = isinstance(key, exp.Literal) and not key.is_string
            if not (is_name or is_place or key.sql("postgres").lower() in texts):
                raise execution_failed(
                    "for SELECT DISTINCT, ORDER BY expressions must appear in select list", "42P10"
                )
