"""Result columns and rows in the forms that the planes serve.

Belongs here: type names, JSON rows, Arrow streams. Does not: storing (`results.py`).
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.compute as pc

TYPE_NAMES: tuple[tuple[Callable[[pa.DataType], bool], str], ...] = (
    (pa.types.is_boolean, "Boolean"),
    (lambda type_: type_ == pa.int16(), "SmallInt"),
    (lambda type_: type_ == pa.int32(), "Integer"),
    (pa.types.is_integer, "BigInt"),
    (lambda type_: type_ == pa.float32(), "Float"),
    (pa.types.is_floating, "Double"),
    (pa.types.is_decimal, "Numeric"),
    (pa.types.is_date, "Date"),
    (lambda type_: pa.types.is_timestamp(type_) and type_.tz is not None, "TimestampTZ"),
    (pa.types.is_timestamp, "Timestamp"),
)


def type_name(type_: pa.DataType) -> str:
    """The plane's name for an Arrow type; text for all that has none."""
    return next((name for matches, name in TYPE_NAMES if matches(type_)), "Varchar")


def column_metadata(schema: pa.Schema) -> list[dict[str, Any]]:
    """The columns as both planes describe them."""
    columns = []
    for field in schema:
        column = {"name": field.name, "type": type_name(field.type), "nullable": True}
        if pa.types.is_decimal(field.type):
            column |= {"precision": field.type.precision, "scale": field.type.scale}
        columns.append(column)
    return columns


def json_rows(table: pa.Table) -> list[tuple[Any, ...]]:
    """Rows as JSON has them: instants as text with milliseconds and `Z`, cut."""
    columns = [_json_values(column) for column in table.columns]
    return list(zip(*columns, strict=True)) if columns else []


def _json_values(column: pa.ChunkedArray) -> list[Any]:
    type_ = column.type
    if pa.types.is_timestamp(type_):
        suffix = "Z" if type_.tz is not None else ""
        instants = column.cast(pa.timestamp("ms", type_.tz), safe=False)
        column = pc.strftime(instants, format=f"%Y-%m-%dT%H:%M:%S{suffix}")
    elif pa.types.is_date(type_):
        column = column.cast(pa.string())
    values: list[Any] = column.to_pylist()
    return values


def json_bytes(body: Any) -> bytes:
    """JSON text; decimals become numbers."""
    return orjson.dumps(body, default=_number)


def _number(value: Any) -> int | float:
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    raise TypeError(type(value).__name__)


def arrow_stream(table: pa.Table) -> bytes:
    """One complete Arrow IPC stream."""
    content: bytes = arrow_buffer(table).to_pybytes()
    return content


def arrow_buffer(table: pa.Table) -> pa.Buffer:
    """The same in Arrow's own memory, which is used again, where new pages would cost more."""
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return sink.getvalue()


def fitting_rows(table: pa.Table, byte_limit: int) -> pa.Table:
    """The first rows that fit into about so many bytes of JSON; at least one."""
    if not table.num_rows:
        return table
    estimate = table.nbytes + table.num_rows * table.num_columns * 4
    if estimate <= byte_limit:
        return table
    return table.slice(0, max(1, table.num_rows * byte_limit // estimate))
