"""A query's result: what is known of it at once, and its rows when they are asked for.

Belongs here: the proof by count. Does not: how rows are fetched (`v3.py`, `connect.py`).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal

import pyarrow as pa

from stdm_platform.data360.columns import Parameter, ResultColumn
from stdm_platform.errors import IncompleteResultError


@dataclass(frozen=True)
class QueryResult:
    """A complete query. Its rows lie at the org for up to 24 hours and can be read again."""

    query_id: str
    sql_sha256: str
    columns: tuple[ResultColumn, ...]
    row_count: int
    rows_processed: int | None
    transport: Literal["arrow", "json"]
    read: Callable[[], Iterator[pa.RecordBatch]] = field(repr=False, compare=False)

    def batches(self) -> Iterator[pa.RecordBatch]:
        """The rows in order, read ahead with bounded memory, names as served.

        Arrow: types as served, text as plain `string`. JSON: numbers and booleans typed, everything
        else text as served.

        Raises:
            IncompleteResultError: the rows are not as many as the org promised.
            QueryExpiredError: the org lost the result; the query has to run again.
            SourceError: an answer is no use.
        """
        held = 0
        for batch in self.read():
            held += batch.num_rows
            if held > self.row_count:
                raise incomplete(held, self.row_count, more=True)
            if batch.num_rows:
                yield batch
        if held < self.row_count:
            raise incomplete(held, self.row_count)


def incomplete(held: int, promised: int | None, *, more: bool = False) -> IncompleteResultError:
    """The error for rows that do not add up."""
    return IncompleteResultError(
        f"{held}{' or more' if more else ''} rows came, but the org promised {promised}.",
        action="Run the query again.",
    )


def sql_hash(sql: str, parameters: Sequence[Parameter]) -> str:
    """SHA-256 of the SQL with its parameters, so that equal hashes mean equal questions."""
    digest = hashlib.sha256(sql.encode())
    for parameter in parameters:
        digest.update(f"\0{parameter.type}\0{parameter.value}".encode())
    return digest.hexdigest()
