"""The look of a client of Data 360, as far as extraction uses it.

Belongs here: the protocols, so that tests and later sources can stand in for `Data360`. Does not:
any implementation (`data360`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Protocol, runtime_checkable

import pyarrow as pa

from stdm_platform.data360 import ObjectDescription, Parameter, ResultColumn


class Result(Protocol):
    """The answer to one query; see `data360.QueryResult`."""

    @property
    def query_id(self) -> str: ...  # noqa: D102
    @property
    def sql_sha256(self) -> str: ...  # noqa: D102
    @property
    def columns(self) -> tuple[ResultColumn, ...]: ...  # noqa: D102
    @property
    def row_count(self) -> int: ...  # noqa: D102
    @property
    def rows_processed(self) -> int | None: ...  # noqa: D102
    @property
    def transport(self) -> str: ...  # noqa: D102
    def batches(self) -> Iterator[pa.RecordBatch]:
        """The rows, in order, in bounded memory, proven by count at the end."""
        ...


class Source(Protocol):
    """Whom extraction asks; see `data360.Data360`."""

    @property
    def org_id(self) -> str: ...  # noqa: D102
    def query(self, sql: str, parameters: Sequence[Parameter] = ()) -> Result:
        """Ask, and wait until the result is complete."""
        ...


@runtime_checkable
class StoringSource(Protocol):
    """A source that keeps the results of queries for a while; see `data360.Data360`."""

    def query(
        self,
        sql: str,
        parameters: Sequence[Parameter] = (),
        *,
        submitted: Callable[[str, str], None],
    ) -> Result:
        """Ask as a `Source`, telling query id and transport before the wait."""
        ...

    def reopen(self, query_id: str, *, transport: str, sql_sha256: str) -> Result:
        """The result of a query that was asked before; it is not billed again."""
        ...


@runtime_checkable
class StoppableSource(Protocol):
    """A source whose waits can be ended from another thread; see `data360.Data360`."""

    def stop(self) -> None:
        """End them: what is asked fails."""
        ...


class DescribedSource(Source, Protocol):
    """A source that can also be asked what it is; see `data360.Data360`."""

    def describe(self, name: str) -> ObjectDescription | None:
        """What the org says of an object; None when it does not tell us."""
        ...

    def object_names(self) -> tuple[str, ...]:
        """The objects of the org; none when it does not tell us."""
        ...
