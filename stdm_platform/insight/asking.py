"""Ask the published marts with SQL, and say in one line why not when that fails.

Belongs here: running SQL, expressions that questions share. Does not: questions.
"""

from __future__ import annotations

import re
from typing import Any

import duckdb
import polars as pl

from stdm_platform.errors import ArgumentError, MartError, NotExtractedError
from stdm_platform.marts import MartStore, mart_names

NAMES_ARE_QUOTED = (
    "Binder Error", "Catalog Error", "Parser Error", "Syntax Error",
    "Invalid Input Error: Cannot execute statement",
)  # fmt: skip
"""Messages that quote names and the user's own SQL, never values of rows."""


def query(store: MartStore, sql: str) -> pl.DataFrame:
    """The rows of any SQL on the published marts.

    Raises:
        NotExtractedError: no marts were published yet, or a mart that it asks was not.
        ArgumentError: DuckDB refused the SQL, or there is none.
        MartError: a file of the published marts is missing or damaged.
    """
    if not sql.strip(" \n\t;"):
        raise ArgumentError("There is no SQL to run.", action='Try `stdm sql "show tables"`.')
    return frame(store, sql, [])


def frame(store: MartStore, sql: str, values: list[Any]) -> pl.DataFrame:
    """The rows of a question; raises as `query`."""
    with store.connect() as connection:
        try:
            relation = connection.sql(sql, params=values) if values else connection.sql(sql)
            rows: pl.DataFrame = pl.DataFrame() if relation is None else _shown(relation).pl()
        except duckdb.CatalogException as error:
            _refuse_missing_mart(store, str(error))
            raise _refused(error) from None
        except duckdb.Error as error:
            _refuse_lost_file(store, error)
            raise _refused(error) from None
    return rows


def one(store: MartStore, sql: str, values: list[Any]) -> dict[str, Any]:
    """The one row of a question that counts; raises as `query`."""
    return frame(store, sql, values).row(0, named=True)


def known_sum(column: str) -> str:
    """A sum that is null when one value is: part of a sum is no sum."""
    return f"(case when count({column}) = count(*) then sum({column}) end)::bigint"


def share(part: str, whole: str) -> str:
    """Part of whole between 0 and 1, to a tenth of a percent; null when the whole is 0 or unknown."""
    return f"round(({part}) / nullif({whole}, 0), 3)"


def _refused(error: duckdb.Error) -> ArgumentError:
    first = (str(error).strip().splitlines() or ["no reason given"])[0]
    if not first.startswith(NAMES_ARE_QUOTED):
        first = re.sub(r"['\"].*", "'…'", first)  # a value, and so perhaps words of a conversation
    return ArgumentError(
        f"DuckDB refused the SQL: {first.rstrip('.')}.",
        action='`stdm sql "show tables"` lists the marts, `describe <mart>` their columns.',
    )


def _refuse_lost_file(store: MartStore, error: duckdb.Error) -> None:
    """A file that is gone, damaged or may not be read is no fault of the SQL.

    DuckDB's own words are told of what the system refused only: of a damaged file it can quote a value.
    """
    said = str(error)
    if str(store.folder) in said and isinstance(
        error, duckdb.IOException | duckdb.InvalidInputException
    ):
        is_system = isinstance(error, duckdb.IOException)
        reason = f" DuckDB says: {said.splitlines()[0].rstrip('.')}." if is_system else ""
        raise MartError(
            f"A file of the marts in {store.data_dir} is missing, damaged or may not be read.{reason}",
            action=f"Mend its rights if it is there and whole. Else remove {store.folder} and {store.marts_db}, and "
            "run `stdm extract-incremental`: it builds all marts from the lake.",
        )


def _refuse_missing_mart(store: MartStore, said: str) -> None:
    """A mart that this version knows and the published generation has not was never built."""
    current = store.current()
    if current is None:
        return
    for mart in sorted(set(mart_names()) - set(current.marts())):
        if f"name {mart} " in said or f"name {mart}!" in said:
            raise NotExtractedError(
                f"The mart {mart} was not published in {store.data_dir}: its marts are of an earlier version.",
                action="Run `stdm extract-incremental`; it builds what is due.",
            )


def _shown(relation: duckdb.DuckDBPyRelation) -> duckdb.DuckDBPyRelation:
    """The relation with intervals as text: Arrow's months, days and nanoseconds are unknown to Polars."""
    if not any("INTERVAL" in str(kind) for kind in relation.types):
        return relation
    columns = [
        f'cast("{name}" as varchar) as "{name}"' if "INTERVAL" in str(kind) else f'"{name}"'
        for name, kind in zip(
            (column.replace('"', '""') for column in relation.columns), relation.types, strict=True
        )
    ]
    return relation.project(", ".join(columns))
