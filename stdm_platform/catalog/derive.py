"""Pure renderings of the catalog: Arrow schema, dbt sources, README table.

Belongs here: functions from `Dmo` to a form that needs no other room. Does not: writing files
(`sync.py`), Pandera (`guard`), SQL (`extraction`).
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache

import pyarrow as pa

from stdm_platform.catalog.model import ColumnType, Dmo
from stdm_platform.settings import ENV_PREFIX, Settings

ARROW_TYPES: dict[ColumnType, pa.DataType] = {
    "text": pa.string(),
    "timestamp": pa.timestamp("ms", tz="UTC"),
    "number": pa.float64(),
    "boolean": pa.bool_(),
}

SOURCES_HEADER = (
    "# Derived from stdm_platform/catalog: `uv run python -m stdm_platform.catalog.sync`\n"
)
EXTERNAL_LOCATION = (
    'read_parquet(\'{{ env_var("STDM_SNAPSHOT_DIR", "snapshot") }}/{name}/date=*/*.parquet\', '
    "hive_partitioning = true, union_by_name = true, filename = true)"
)


@cache
def arrow_schema(dmo: Dmo) -> pa.Schema:
    """The schema of a window file: the catalog's columns in order, instants in UTC milliseconds."""
    return pa.schema(
        [
            pa.field(
                column.name,
                ARROW_TYPES[column.type],
                nullable=not column.required,
                metadata={
                    "description": column.description,
                    "source": column.source,
                    "sensitivity": column.sensitivity,
                },
            )
            for column in dmo.columns
        ]
    )


def dbt_sources_yaml(dmos: Iterable[Dmo]) -> str:
    """The text of `dbt_models/staging/_sources.yml`: one source table per DMO, keyed like its asset."""
    lines = [
        SOURCES_HEADER + "version: 2",
        "sources:",
        "  - name: stdm",
        "    description: Windows of the lake, as one snapshot for the whole build.",
        "    config:",
        "      external_location: >-",
        f"        {EXTERNAL_LOCATION}",
        "    tables:",
    ]
    for dmo in dmos:
        lines += [
            f"      - name: {dmo.name}",
            f"        description: {quoted_yaml(dmo.description)}",
            "        config:",
            "          meta:",
            "            dagster:",
            f'              asset_key: ["stdm", "{dmo.name}"]',
            "        columns:",
        ]
        for column in dmo.columns:
            lines += [
                f"          - name: {column.name}",
                f"            description: {quoted_yaml(column.description)}",
            ]
    return "\n".join(lines) + "\n"


def readme_table(dmos: Iterable[Dmo]) -> str:
    """The README's Markdown table: one row per DMO."""
    rows = [
        "| lake folder and asset | object in Data 360 | key | day of a row | columns | one row per |",
        "|---|---|---|---|---|---|",
    ]
    for dmo in dmos:
        names = " or ".join(f"`{name}`" for name in dmo.objects)
        grain = dmo.description.split(".")[0].removeprefix("One row per ")
        rows.append(
            f"| `{dmo.name}` | {names} | `{dmo.key}` | `{dmo.clock}` | {len(dmo.columns)} | {grain} |"
        )
    return "\n".join(rows) + "\n"


def settings_table() -> str:
    """The README's Markdown table of environment variables, in the order of the settings."""
    rows = ["| variable | meaning | default |", "|---|---|---|"]
    for name, field in Settings.model_fields.items():
        default = "" if field.default is None else f"`{field.default}`"
        rows.append(f"| `{ENV_PREFIX}{name.upper()}` | {field.description} | {default} |")
    return "\n".join(rows) + "\n"


def quoted_yaml(text: str) -> str:
    """A YAML text in single quotes."""
    return "'" + text.replace("'", "''") + "'"
