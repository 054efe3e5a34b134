"""Served batches → the catalog's schema, alike on both transports.

Belongs here: matching result names, decoding values, marking those that cannot be decoded. Does
not: judging them (`guard`), instants (`instants.py`). The lake keeps what was served: sentinels in
text columns stay; in columns of other types they mean "no value".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import polars as pl
import pyarrow as pa
import pyarrow.compute as pc

from stdm_platform.catalog import Dmo, arrow_schema
from stdm_platform.catalog.model import ColumnType
from stdm_platform.errors import IncompleteResultError
from stdm_platform.extraction.instants import instants_from_arrow, instants_from_text

NO_VALUE = pa.array(["", "NOT_SET", "None", "UNSET_VALUE"])
"""Served where a column has no value; in a column that is not text they decode to null."""


@dataclass(frozen=True)
class Conformed:
    """One batch in the catalog's schema, and per lake column the rows that could not be decoded."""

    batch: pa.RecordBatch
    undecodable: Mapping[str, pa.Array]


class Conformer:
    """Turns the batches of one result into the catalog's schema.

    Args:
        asked: the lake columns that the query asked for; the others become null.
    """

    def __init__(self, dmo: Dmo, asked: Sequence[str]) -> None:
        self._dmo = dmo
        self._asked = frozenset(asked)
        self._schema = arrow_schema(dmo)

    def conform(self, served: pa.RecordBatch) -> Conformed:
        """The batch in the catalog's schema.

        Raises:
            IncompleteResultError: the result lacks a column that was asked for.
        """
        places = {name.lower(): place for place, name in enumerate(served.schema.names)}
        arrays, undecodable = [], {}
        for column, field in zip(self._dmo.columns, self._schema, strict=True):
            if column.name not in self._asked:
                arrays.append(pa.nulls(served.num_rows, field.type))
                continue
            if column.name not in places:
                raise IncompleteResultError(
                    f"the answer lacks the column {column.name} ({column.source}) that was asked for.",
                    action="Extract the day again.",
                )
            values = served.column(places[column.name])
            decoded = decode(values, column.type)
            if decoded.null_count > values.null_count:
                marks = _undecodable(values, decoded)
                if marks.true_count:
                    undecodable[column.name] = marks
            arrays.append(decoded)
        # Required columns may hold nulls here: the contract, not this cast, is to say so.
        batch = pa.RecordBatch.from_arrays(arrays, schema=self._schema)
        return Conformed(batch, undecodable)


def decode(values: pa.Array, column_type: ColumnType) -> pa.Array:
    """The values as the catalog's type; null where a value cannot be read as that."""
    if isinstance(values, pa.DictionaryArray):
        values = values.dictionary_decode()
    if pa.types.is_large_string(values.type) or pa.types.is_string_view(values.type):
        values = values.cast(pa.string())
    if pa.types.is_string(values.type):
        values = _readable(values)
    return DECODERS[column_type](values)


def _readable(texts: pa.StringArray) -> pa.StringArray:
    """The texts; null where bytes are no UTF-8: one such text, and no reader takes the file."""
    try:
        texts.validate(full=True)  # 22 GB a second of ASCII, 2.4 of other text
    except pa.ArrowInvalid:
        return pa.array(
            [_decoded(each) for each in texts.cast(pa.binary()).to_pylist()], pa.string()
        )
    return texts


def _decoded(served: bytes | None) -> str | None:
    try:
        return None if served is None else served.decode()
    except UnicodeDecodeError:
        return None


def _text(values: pa.Array) -> pa.Array:
    if pa.types.is_string(values.type):
        return values
    if pa.types.is_nested(values.type) or pa.types.is_binary(values.type):
        return pa.nulls(len(values), pa.string())
    try:
        return values.cast(pa.string())
    except (pa.ArrowNotImplementedError, pa.ArrowInvalid):
        return pa.nulls(len(values), pa.string())


def _instants(values: pa.Array) -> pa.Array:
    if pa.types.is_string(values.type):
        return instants_from_text(values)
    if pa.types.is_timestamp(values.type) or pa.types.is_date(values.type):
        return instants_from_arrow(values)
    return pa.nulls(len(values), pa.timestamp("ms", tz="UTC"))


def _numbers(values: pa.Array) -> pa.Array:
    if pa.types.is_decimal(values.type):
        # By way of text, so that both transports round alike.
        values = values.cast(pa.string())
    if pa.types.is_string(values.type):
        numbers = pl.Series(values=values, dtype=pl.String).cast(pl.Float64, strict=False)
        return numbers.to_arrow().cast(pa.float64())
    if pa.types.is_integer(values.type) or pa.types.is_floating(values.type):
        return values.cast(pa.float64(), safe=False)
    return pa.nulls(len(values), pa.float64())


def _booleans(values: pa.Array) -> pa.Array:
    if pa.types.is_boolean(values.type):
        return values
    if not pa.types.is_string(values.type):
        return pa.nulls(len(values), pa.bool_())
    lowered = pc.utf8_lower(values)
    known = pc.is_in(lowered, value_set=pa.array(["true", "false"]))
    return pc.if_else(known, pc.equal(lowered, "true"), pa.scalar(None, pa.bool_()))


DECODERS = {"text": _text, "timestamp": _instants, "number": _numbers, "boolean": _booleans}


def _undecodable(values: pa.Array, decoded: pa.Array) -> pa.Array:
    """Marks the rows that held a value and lost it."""
    lost = pc.and_(pc.is_valid(values), pc.is_null(decoded))
    if isinstance(values, pa.StringArray | pa.LargeStringArray | pa.DictionaryArray):
        lost = pc.and_(lost, pc.invert(pc.is_in(values.cast(pa.string()), value_set=NO_VALUE)))
    return lost
