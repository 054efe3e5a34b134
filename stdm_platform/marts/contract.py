"""The columns of the published marts: the contract with everyone who queries them.

Belongs here: `dbt_models/mart_columns.csv`, comparing it with what dbt is told to enforce, the view
`mart_columns` that shows it beside the marts. Does not: enforcing it (dbt does, at each build).

A published column changes only together with the contract file: the tests hold the file against the
models' descriptions and against published files. After a change that is meant, write it anew:

    uv run python -m stdm_platform.marts
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from dataclasses import astuple, dataclass, fields
from typing import Any

import yaml

from stdm_platform.marts.preparation import sql_text
from stdm_platform.marts.store import DBT_PROJECT

CONTRACT_FILE = DBT_PROJECT / "mart_columns.csv"
VIEW = "mart_columns"


@dataclass(frozen=True)
class MartColumn:
    """One published column; `data_type` is DuckDB's name of it."""

    mart: str
    column_name: str
    data_type: str
    is_nullable: bool
    description: str


def mart_columns() -> list[MartColumn]:
    """The contract: every column of every mart, in the order in which they are served."""
    with CONTRACT_FILE.open(newline="") as file:
        return [
            MartColumn(**{**row, "is_nullable": row["is_nullable"] == "true"})  # type: ignore[arg-type]
            for row in csv.DictReader(file)
        ]


def enforced_columns() -> list[MartColumn]:
    """The same as the models' descriptions say it, which is what dbt enforces."""
    found = []
    for path in sorted((DBT_PROJECT / "marts").glob("*.yml")):
        for model in yaml.safe_load(path.read_text())["models"]:
            found += [_column(model["name"], column) for column in model["columns"]]
    return found


def contract_text(columns: Iterable[MartColumn]) -> str:
    """The contract file's text."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(field.name for field in fields(MartColumn))
    for column in columns:
        writer.writerow(
            [str(value).lower() if value in (True, False) else value for value in astuple(column)]
        )
    return text.getvalue()


def view_sql(schema: str) -> str:
    """The SQL of the view that shows the contract."""
    names = ", ".join(field.name for field in fields(MartColumn))
    rows = ",\n".join(
        f"({sql_text(c.mart)}, {sql_text(c.column_name)}, {sql_text(c.data_type)}, "
        f"{str(c.is_nullable).lower()}, {sql_text(c.description)})"
        for c in mart_columns()
    )
    return f"create view {schema}.{VIEW} as select * from (values {rows}) as columns ({names})"


def _column(mart: str, described: dict[str, Any]) -> MartColumn:
    kinds = {constraint["type"] for constraint in described.get("constraints", ())}
    return MartColumn(
        mart,
        described["name"],
        described["data_type"],
        "not_null" not in kinds,
        described["description"],
    )
