"""Names, types and the form of result columns on both transports.

Belongs here: type names and their Arrow counterparts. Does not: decoding of rows (`decode.py`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa


@dataclass(frozen=True)
class Parameter:
    """A value for a `?` of the SQL; `type` is an SQL type like `varchar`."""

    type: str
    value: str


@dataclass(frozen=True)
class ResultColumn:
    """A column as the org names it. `type` is spelled like `TimestampTZ` on both transports.

    `scale` is the number of digits after the point and `nullable` whether nulls may come, where the
    org tells it. Arrow says `nullable` of every column that it knows nothing of.
    """

    name: str
    type: str
    scale: int | None = None
    nullable: bool | None = field(default=None, compare=False)


_SPELLINGS = {
    spelling.lower(): spelling
    for spelling in [
        "Varchar",
        "Text",
        "Char",
        "Numeric",
        "Integer",
        "BigInt",
        "SmallInt",
        "Float",
        "Double",
        "Boolean",
        "Date",
        "Time",
        "TimestampTZ",
        "Timestamp",
    ]
} | {
    "string": "Varchar",
    "character varying": "Varchar",
    "character": "Char",
    "decimal": "Numeric",
    "number": "Numeric",
    "int": "Integer",
    "long": "BigInt",
    "real": "Float",
    "double precision": "Double",
    "bool": "Boolean",
    "date_time": "TimestampTZ",
    "datetime": "TimestampTZ",
    "timestamp with time zone": "TimestampTZ",
    "timestamp_tz": "TimestampTZ",
    "timestamptz": "TimestampTZ",
    "timestamp without time zone": "Timestamp",
}


def type_name(served: object) -> str:
    """A served type name in its usual spelling; an unknown one as it came."""
    text = str(served or "")
    return _SPELLINGS.get(text.split("(")[0].strip().lower(), text)


def columns_of(metadata: Any) -> tuple[ResultColumn, ...]:
    """Columns of a JSON answer: a list, an object with `columns`, or nothing."""
    if isinstance(metadata, dict):
        metadata = metadata.get("columns") or metadata.get("metadata")
        if isinstance(metadata, dict):
            return columns_of(metadata)
    if not isinstance(metadata, list):
        return ()
    return tuple(
        ResultColumn(
            str(entry.get("name")), type_name(entry.get("type")), _scale(entry), _nullable(entry)
        )
        for entry in metadata
        if isinstance(entry, dict)
    )


def _scale(entry: dict[str, Any]) -> int | None:
    try:
        return int(entry["scale"])
    except (KeyError, TypeError, ValueError):
        return None


def _nullable(entry: dict[str, Any]) -> bool | None:
    said = entry.get("nullable", entry.get("isNullable"))
    return said if isinstance(said, bool) else None


def columns_of_arrow(schema: pa.Schema) -> tuple[ResultColumn, ...]:
    """Columns of an Arrow stream, their types named as the org names them in JSON."""
    return tuple(
        ResultColumn(
            column.name,
            arrow_type_name(column.type),
            column.type.scale if pa.types.is_decimal(column.type) else None,
            column.nullable,
        )
        for column in schema
    )


def arrow_type_name(arrow: pa.DataType) -> str:
    """The org's name of an Arrow type; a type without one keeps Arrow's."""
    if pa.types.is_dictionary(arrow):
        arrow = arrow.value_type
    if pa.types.is_timestamp(arrow):
        return "TimestampTZ" if arrow.tz else "Timestamp"
    for is_kind, name in _ARROW_KINDS:
        if is_kind(arrow):
            return name
    return str(arrow)


def is_text(arrow: pa.DataType) -> bool:
    """Any of Arrow's forms of text."""
    return bool(
        pa.types.is_string(arrow)
        or pa.types.is_large_string(arrow)
        or pa.types.is_string_view(arrow)
        or (pa.types.is_dictionary(arrow) and is_text(arrow.value_type))
    )


_ARROW_KINDS: Sequence[tuple[Any, str]] = (
    (is_text, "Varchar"),
    (pa.types.is_boolean, "Boolean"),
    (pa.types.is_date, "Date"),
    (pa.types.is_decimal, "Numeric"),
    (lambda arrow: pa.types.is_integer(arrow) and arrow.bit_width <= 16, "SmallInt"),
    (lambda arrow: pa.types.is_integer(arrow) and arrow.bit_width <= 32, "Integer"),
    (pa.types.is_integer, "BigInt"),
    (pa.types.is_float64, "Double"),
    (pa.types.is_floating, "Float"),
    (pa.types.is_time, "Time"),
)
