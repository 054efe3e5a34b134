"""What the catalog page of an asset says before anything was materialized: words, columns, where they come from.

Belongs here: descriptions, column schemas and column lineage for the Dagster UI. Does not: figures of days
(`tables.py`, `day_tables.py`), the assets themselves.

All of it is known from the catalog and from files that are derived from the models, so that neither a start
nor a build pays for it. Dagster shows the lineage of the newest materialization: it stands there once a run.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

import dagster as dg

from stdm_platform.catalog import Column, Dmo
from stdm_platform.marts.column_lineage import Origin, column_lineage

SCHEMA = "dagster/column_schema"
OBJECTS = "stdm"
"""The first part of the key of an object's asset."""

SENSITIVE = {"text": "Text of conversations.", "person": "Tells of a person.", "none": ""}
SHOWN_VALUES = 12
SHOWN_ORIGINS = 6


def described_dmo(dmo: Dmo) -> str:
    """The description of an object's asset, in Markdown."""
    days = (
        "A catalogue: what stands under a day is the whole of it, as read on that day."
        if dmo.is_catalogue
        else f"The UTC day of a row is that of `{dmo.clock}`."
    )
    return (
        f"{dmo.description}\n\n"
        f"Object in Data 360: {' or '.join(f'`{name}`' for name in dmo.objects)}. {days} Values are kept as served.\n\n"
        f"Read it: `lake/{dmo.name}/date=YYYY-MM-DD/*.parquet` in the data directory, or in Python "
        f'`Analyzer().table("{dmo.name}")`. The marts below read it; most questions are easier to ask there.'
    )


def described_mart(name: str, description: str) -> str:
    """The description of a mart's asset, in Markdown; the model's own comes first."""
    return (
        f"{description.strip()}\n\n"
        f"Ask it: `stdm sql 'from {name} limit 10'`, any DuckDB client on `marts.duckdb` in the data directory, or in "
        f'Python `Analyzer().mart("{name}")`. A day here is the UTC day on which a session started; each build makes '
        f"whole days anew. Its SQL: `dbt_models/marts/{name}.sql`."
    )


def dmo_metadata(dmo: Dmo) -> dict[str, Any]:
    """Metadata of an object's asset: its names, and every column with its type and meaning."""
    columns = [
        dg.TableColumn(
            each.name,
            type="timestamp (UTC, ms)" if each.type == "timestamp" else each.type,
            description=_meaning(dmo, each),
            constraints=dg.TableColumnConstraints(
                nullable=not each.required, unique=each.name == dmo.key
            ),
        )
        for each in dmo.columns
    ]
    return {
        "object": dmo.objects[0],
        "key": dmo.key,
        "clock": dmo.clock,
        SCHEMA: dg.TableSchema(columns),
        "dagster/table_name": f"lake/{dmo.name}",
    }


def mart_lineage(name: str) -> dict[str, Any]:
    """Metadata of a mart's materialization: which columns of objects each of its columns is made from."""
    deps = {
        column: [_dep(origin) for origin in origins]
        for column, origins in _lineage().get(name, {}).items()
    }
    return {"dagster/column_lineage": dg.TableColumnLineage(deps)} if deps else {}


def with_origins(name: str, schema: dg.TableSchema) -> dg.TableSchema:
    """A mart's columns, each saying what it is made from: the free Dagster UI draws no lineage of columns."""
    origins = _lineage().get(name, {})
    return dg.TableSchema(
        [
            dg.TableColumn(
                each.name, each.type, " ".join([each.description or "", *_made_from(origins.get(each.name, ()))]),
                each.constraints, each.tags,
            )
            for each in schema.columns
        ]
    )  # fmt: skip


def _made_from(origins: tuple[Origin, ...]) -> list[str]:
    if not origins:
        return []
    more = f" and {len(origins) - SHOWN_ORIGINS} more" if len(origins) > SHOWN_ORIGINS else ""
    return [f"Made from {', '.join(f'`{each.dmo}.{each.column}`' for each in origins[:SHOWN_ORIGINS])}{more}."]  # fmt: skip


@cache
def _lineage() -> Mapping[str, Mapping[str, tuple[Origin, ...]]]:
    return column_lineage()


def _dep(origin: Origin) -> dg.TableColumnDep:
    return dg.TableColumnDep(dg.AssetKey([OBJECTS, origin.dmo]), origin.column)


def _meaning(dmo: Dmo, column: Column) -> str:
    said = [column.description, SENSITIVE[column.sensitivity]]
    if column.references and column.references != dmo.name:
        said.append(f"Refers to {OBJECTS}/{column.references}.")
    values = [f"`{each.value}`" for each in column.vocabulary[:SHOWN_VALUES]]
    if values:
        more = ", …" if len(column.vocabulary) > SHOWN_VALUES else ""
        said.append(f"Seen: {', '.join(values)}{more}.")
    said.append(f"At the source `{column.source}`.")
    return " ".join(each for each in said if each)
