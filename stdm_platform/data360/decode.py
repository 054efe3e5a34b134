"""Bodies to record batches: JSON rows by their declared types, Arrow streams as they are.

Belongs here: decoding, and proof that a body is whole. Does not: which rows to ask for
(`ranges.py`, `v3.py`, `connect.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import orjson
import pyarrow as pa

from stdm_platform.data360.answers import SPILL_BYTES, Answer
from stdm_platform.data360.columns import ResultColumn, is_text
from stdm_platform.data360.faults import HtmlAnswer, TransientFault
from stdm_platform.errors import SourceError

END_OF_STREAM = b"\xff\xff\xff\xff\x00\x00\x00\x00"
_INTEGERS = {"Integer", "BigInt", "SmallInt"}
_FLOATS = {"Float", "Double", "Numeric"}


def batch_of_rows(rows: Sequence[Sequence[Any]], columns: Sequence[ResultColumn]) -> pa.RecordBatch:
    """JSON rows as a batch: numbers and booleans typed, everything else text as served.

    Raises:
        TransientFault: a row has more or fewer values than there are columns.
        SourceError: a value does not fit its declared type; names the column only.
    """
    types = [_arrow_type(column) for column in columns]
    try:
        values = list(zip(*rows, strict=True)) if rows else [()] * len(columns)
    except (ValueError, TypeError):
        raise TransientFault("rows of different lengths") from None
    if len(values) != len(columns):
        raise TransientFault("rows that do not fit the columns")
    arrays = [
        _array(list(column_values), arrow, column)
        for column_values, arrow, column in zip(values, types, columns, strict=True)
    ]
    return pa.RecordBatch.from_arrays(arrays, names=[column.name for column in columns])


def _arrow_type(column: ResultColumn) -> pa.DataType:
    if column.type in _INTEGERS or (column.type == "Numeric" and column.scale == 0):
        return pa.int64()
    if column.type in _FLOATS:
        return pa.float64()
    return pa.bool_() if column.type == "Boolean" else pa.string()


def _array(values: list[Any], arrow: pa.DataType, column: ResultColumn) -> pa.Array:
    try:
        array = pa.array(values, None if arrow == pa.int64() else arrow)
        # Told to make integers, Arrow would cut 1.5 to 1; left to itself, it makes a float column.
        if array.type in (arrow, pa.null()):
            return array.cast(arrow)
    except (pa.ArrowInvalid, pa.ArrowTypeError, OverflowError):
        pass  # some value has another JSON type than the declared one: read each by itself
    read = _READERS[str(arrow)]
    try:
        return pa.array([None if value is None else read(value) for value in values], arrow)
    except (ValueError, TypeError, OverflowError, pa.ArrowInvalid):
        raise SourceError(
            f"Column {column.name} of type {column.type} holds a value that is no {arrow}.",
            action="Use STDM_TRANSPORT=arrow, or report it.",
        ) from None


def _integer(value: Any) -> int:
    if isinstance(value, str):
        text = value.strip()
        whole, point, rest = text.partition(".")
        if point and rest.strip("0") == "":
            text = whole
        return int(text)
    if value != int(value):
        raise ValueError
    return int(value)


def _boolean(value: Any) -> bool:
    named = {"true": True, "t": True, "1": True, "false": False, "f": False, "0": False}
    return named[str(value).strip().lower()] if str(value).strip().lower() in named else _no()


def _no() -> bool:
    raise ValueError


def _text(value: Any) -> str:
    return value if isinstance(value, str) else orjson.dumps(value).decode()


_READERS: dict[str, Callable[[Any], Any]] = {
    "int64": _integer,
    "double": float,
    "bool": _boolean,
    "string": _text,
}


class ArrowChunk:
    """A whole Arrow stream, proven to be readable to its end."""

    def __init__(self, answer: Answer) -> None:
        """Read it once.

        Raises:
            TransientFault: the body is no Arrow stream, or was cut.
        """
        if answer.is_html:
            raise HtmlAnswer(f"HTTP {answer.status} with an HTML page")
        self.rows = 0
        self.schema: pa.Schema | None = None
        self._body = answer.body
        self.size = answer.body.size
        self._bytes = 0
        self._held: list[pa.RecordBatch] | None = None if answer.body.file else []
        if answer.status == 204 or (answer.body.size == 0 and answer.is_framed):
            return
        if not answer.is_framed and answer.body.tail(8) != END_OF_STREAM:
            raise TransientFault("an Arrow stream that was cut")
        try:
            for batch in self._read():
                self._count(batch)
        except (pa.ArrowInvalid, OSError, EOFError):
            raise TransientFault("an Arrow stream that cannot be read") from None

    def _count(self, batch: pa.RecordBatch) -> None:
        """Keep the batch, unless all together take more memory than a body may."""
        self.rows += batch.num_rows
        self._bytes += batch.nbytes  # those of the stream, or more where its buffers are compressed
        self.size = max(self.size, self._bytes)
        if self._held is not None and self._bytes <= SPILL_BYTES:
            self._held.append(batch)
        else:
            self._held = None

    def batches(self) -> Iterator[pa.RecordBatch]:
        """Its batches, text in Arrow's ordinary form; large ones are read from the body again."""
        for batch in self._read() if self._held is None else self._held:
            if batch.num_rows:
                yield with_plain_text(batch)

    def _read(self) -> Iterator[pa.RecordBatch]:
        source: Any = self._body.file
        if source is None:
            source = pa.BufferReader(self._body.whole())
        else:
            source.seek(0)
        with pa.ipc.open_stream(source) as reader:
            self.schema = plain_text_schema(reader.schema)
            yield from reader


def plain_text_schema(schema: pa.Schema) -> pa.Schema:
    """The schema with large, view and dictionary text as plain text."""
    return pa.schema([(f.name, pa.string() if is_text(f.type) else f.type) for f in schema])


def with_plain_text(batch: pa.RecordBatch) -> pa.RecordBatch:
    """The batch with large, view and dictionary text as plain text."""
    schema = plain_text_schema(batch.schema)
    arrays = [
        array if array.type == column.type else array.cast(column.type)
        for array, column in zip(batch.columns, schema, strict=True)
    ]
    return pa.RecordBatch.from_arrays(arrays, schema=schema)
