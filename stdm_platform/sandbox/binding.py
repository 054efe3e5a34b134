"""Parameters of a query: the three styles of placeholders, bound as typed values.

Belongs here: from a request's parameters to values in the parsed SQL. Does not: parsing or naming
(`dialect.py`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal

import sqlglot
from sqlglot import exp
from sqlglot.dialects.postgres import Postgres
from sqlglot.errors import SqlglotError

from stdm_platform.sandbox.refusals import Refusal, bad_request, syntax_error

Style = Literal["QUESTION_MARK", "NAMED", "DOLLARED"]
STYLES: dict[str, Style] = {
    "QUESTION_MARK": "QUESTION_MARK",
    "NAMED": "NAMED",
    "DOLLARED": "DOLLARED",
    "DOLLAR_NUMBERED": "DOLLARED",
}
PLACE = "stdm_place_"


@dataclass(frozen=True)
class BoundParameters:
    """Values by placeholder: `1`, `2`, … or a name."""

    style: Style
    values: Mapping[str, exp.Expr]

    @classmethod
    def of_v3(cls, given: Any, style: Any) -> BoundParameters:
        """Query API V3: `parameters` and `paramStyle`; values are strings.

        Raises:
            Refusal: a parameter cannot be read.
        """
        if style not in STYLES:
            raise bad_request(f"paramStyle {style!r} is unknown")
        for parameter in _objects(given, "parameters"):
            if not isinstance(parameter.get("value"), str | None):
                raise bad_request("the value of a parameter has to be a string")
        return cls(STYLES[style], _values(given, is_named=STYLES[style] == "NAMED"))

    @classmethod
    def of_connect(cls, given: Any) -> BoundParameters:
        """Connect: `sqlParameters`, bound by name if they have names, else by place.

        Raises:
            Refusal: a parameter cannot be read.
        """
        named = [parameter.get("name") for parameter in _objects(given, "sqlParameters")]
        is_named = bool(named) and all(named)
        style: Style = "NAMED" if is_named else "QUESTION_MARK"
        return cls(style, _values(given, is_named=is_named))


def _objects(given: Any, field: str) -> Sequence[Mapping[str, Any]]:
    if given is None:
        return []
    if not isinstance(given, list) or not all(isinstance(one, dict) for one in given):
        raise bad_request(f"{field} has to be an array of objects", "JSON_PARSER_ERROR")
    return given


def _values(given: Any, *, is_named: bool) -> dict[str, exp.Expr]:
    values: dict[str, exp.Expr] = {}
    for place, parameter in enumerate(given or [], 1):
        name = str(parameter.get("name", "")).lstrip(":") if is_named else str(place)
        if not name:
            raise bad_request(f"parameter {place} has no name")
        values[name] = _value(parameter, place)
    return values


def _value(parameter: Mapping[str, Any], place: int) -> exp.Expr:
    value, type_ = parameter.get("value"), parameter.get("type")
    if not isinstance(type_, str):
        raise bad_request(f"parameter {place} has no type")
    try:
        to = exp.DataType.build(type_.strip().upper(), dialect="postgres")
    except SqlglotError as error:
        raise bad_request(f"type {type_!r} of parameter {place} is unknown") from error
    if value is None:
        literal: exp.Expr = exp.Null()
    elif to.this in exp.DataType.TEXT_TYPES and not to.expressions:
        # Without the cast a text can be compared with an instant, as clients do.
        return exp.Literal.string(str(value))
    elif to.this == exp.DataType.Type.DECIMAL and not to.expressions:
        return _number(value, place)
    else:
        text = str(value).lower() if isinstance(value, bool) else str(value)
        literal = exp.Literal.string(text)
    return exp.Cast(this=literal, to=to)


def _number(value: Any, place: int) -> exp.Expr:
    """A number with all its digits; a bare NUMERIC would keep three after the point."""
    try:
        number = Decimal(str(value))
    except ArithmeticError:
        number = Decimal("NaN")
    if isinstance(value, bool) or not number.is_finite():
        raise bad_request(f"the value of parameter {place} is no number")
    literal = exp.Literal.number(format(abs(number), "f"))
    return exp.Neg(this=literal) if number < 0 else literal


def number_placeholders(sql: str, parameters: BoundParameters) -> str:
    """Turn each `?` into a numbered placeholder, in the order of the text.

    A parsed tree has lost that order. Without parameters a `?` may be the JSON operator: it stays.
    """
    if parameters.style != "QUESTION_MARK" or not parameters.values:
        return sql
    try:
        tokens = Postgres().tokenize(sql)
    except SqlglotError as error:
        raise syntax_error(f"syntax error: {error}") from error
    marks = [
        token
        for token in tokens
        if token.text == "?" and token.token_type != sqlglot.TokenType.STRING
    ]
    if len(marks) != len(parameters.values):
        raise _miscounted(len(marks), len(parameters.values))
    for number, token in reversed(list(enumerate(marks, 1))):
        sql = f"{sql[: token.start]}:{PLACE}{number}{sql[token.end + 1 :]}"
    return sql


def _miscounted(places: int, values: int) -> Refusal:
    return syntax_error(f"syntax: {places} placeholders and {values} parameters")


def bind(root: exp.Expr, parameters: BoundParameters) -> None:
    """Put the values in the place of their placeholders.

    Raises:
        Refusal: a placeholder without a value.
    """
    for node in list(root.find_all(exp.Placeholder, exp.Parameter)):
        name = (
            node.this.name
            if isinstance(node.this, exp.Literal | exp.Identifier)
            else str(node.this or "?")
        )
        name = name.removeprefix(PLACE)
        is_dollar = isinstance(node, exp.Parameter)
        value = (
            parameters.values.get(name) if is_dollar == (parameters.style == "DOLLARED") else None
        )
        if value is None:
            raise syntax_error(f"syntax: placeholder {name} has no parameter")
        node.replace(value.copy())
