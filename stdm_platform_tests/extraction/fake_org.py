"""An org in memory: DuckDB runs the SQL, the answer comes as one of the two transports would."""

from __future__ import annotations

import hashlib
import itertools
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from stdm_platform.catalog import Dmo
from stdm_platform.data360 import Parameter, ResultColumn
from stdm_platform.errors import ObjectNotFoundError, QueryError

ORG = "00Dxx0000000001EAA"
TYPE_NAMES = {"string": "Varchar", "double": "Numeric", "bool": "Boolean", "int64": "BigInt"}


_ENGINE = duckdb.connect()
"""One for all orgs of a process: to make one takes 16 ms, a schema in it 1 ms."""

_NUMBERS = itertools.count()


def _schema_of_its_own() -> duckdb.DuckDBPyConnection:
    schema = f"org_{next(_NUMBERS)}"
    connection = _ENGINE.cursor()
    connection.execute(f"create schema {schema}; set schema = '{schema}'; set timezone = 'UTC'")
    return connection


class FakeResult:
    def __init__(
        self, table: pa.Table, types: Mapping[str, str], transport: str, sql: str, batch_rows: int
    ) -> None:
        self.query_id = f"query-{hashlib.sha256(sql.encode()).hexdigest()[:8]}"
        self.sql_sha256 = hashlib.sha256(sql.encode()).hexdigest()
        self.columns = tuple(
            ResultColumn(field.name, types.get(field.name) or type_name(field.type))
            for field in table.schema
        )
        self.row_count = table.num_rows
        self.rows_processed: int | None = table.num_rows * 2
        self.transport = transport
        self._table = as_json(table) if transport == "json" else table
        self._batch_rows = batch_rows

    def batches(self) -> Iterator[pa.RecordBatch]:
        yield from self._table.to_batches(max_chunksize=self._batch_rows)


class FakeOrg:
    """`before` is called with each SQL text first, and may raise or return another result."""

    org_id = ORG

    def __init__(self, transport: str = "arrow", batch_rows: int = 3) -> None:
        self.transport = transport
        self.batch_rows = batch_rows
        self.sql: list[str] = []
        self.types: dict[str, str] = {}
        self.before: Callable[[str], FakeResult | None] = lambda sql: None
        self._connection = _schema_of_its_own()
        self._lock = threading.Lock()
        self._shapes: dict[
            str, pa.Table
        ] = {}  # what was answered without rows since the last change

    def put(
        self,
        dmo: Dmo,
        rows: Sequence[Mapping[str, Any]],
        *,
        name: str | None = None,
        without: Sequence[str] = (),
        rename: Callable[[str], str] = lambda source: source,
    ) -> None:
        """Hold these rows (by lake names) of a DMO, under its source names."""
        kinds = {
            "text": pa.string(),
            "timestamp": pa.timestamp("us", tz="UTC"),
            "number": pa.float64(),
            "boolean": pa.bool_(),
        }
        columns = [column for column in dmo.columns if column.name not in without]
        schema = pa.schema([(rename(column.source), kinds[column.type]) for column in columns])
        source_rows = [{rename(c.source): row.get(c.name) for c in columns} for row in rows]
        held = pa.Table.from_pylist(source_rows, schema=schema)
        with self._lock:
            self._shapes.clear()
            self._connection.register("held", held)
            table = f'"{name or dmo.objects[0]}"'
            self._connection.execute(f"create or replace table {table} as from held")
            self._connection.unregister("held")

    def query(self, sql: str, parameters: Sequence[Parameter] = ()) -> FakeResult:
        with self._lock:
            self.sql.append(sql)
        result = self.before(sql)
        return result if result is not None else self.answer(sql, parameters)

    def answer(self, sql: str, parameters: Sequence[Parameter] = ()) -> FakeResult:
        with self._lock:
            try:
                table = self._shapes[sql] if sql in self._shapes else self._found(sql, parameters)
            except duckdb.CatalogException as error:
                raise ObjectNotFoundError("no such object") from error
            except duckdb.Error as error:
                raise QueryError(str(error)) from error
        return FakeResult(table, self.types, self.transport, sql, self.batch_rows)

    def _found(self, sql: str, parameters: Sequence[Parameter]) -> pa.Table:
        relation = self._connection.sql(sql, params=[each.value for each in parameters])
        table = relation.to_arrow_table()
        if sql.endswith(" LIMIT 0"):
            self._shapes[sql] = table
        return table


def type_name(kind: pa.DataType) -> str:
    return "TimestampTZ" if pa.types.is_timestamp(kind) else TYPE_NAMES.get(str(kind), str(kind))


def as_json(table: pa.Table) -> pa.Table:
    """Timestamps as text, as JSON has them."""
    for place, field in enumerate(table.schema):
        if pa.types.is_timestamp(field.type):
            text = pc.strftime(table.column(place), format="%Y-%m-%dT%H:%M:%SZ")
            table = table.set_column(place, field.name, text)
    return table
