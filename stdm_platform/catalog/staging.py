"""The staging model of a DMO, for those that need nothing but the usual: SQL and description.

Belongs here: the text of `dbt_models/staging/stg_<name>.sql` and `.yml` for objects without a model
written by hand. Does not: which those are (`sync.py`), anything that joins two objects (dbt).

The usual: columns under their lake names, sentinels of text as null, values in extra double quotes
without them, instants, numbers and booleans as they are, and the reading that each row comes from.
"""

from __future__ import annotations

from collections.abc import Iterator

from stdm_platform.catalog.derive import quoted_yaml
from stdm_platform.catalog.model import Column, Dmo

MARK = "derived from stdm_platform/catalog: `uv run python -m stdm_platform.catalog.sync`"
"""Stands in the first line of a derived model; without it the file is written by hand and stays."""

READING = (
    ("lake_date", "{name}.date", "UTC day of the lake folder that held the row."),
    ("read_at", "lake_window.read_at", "When the row was read from the org."),
    ("window_start", "lake_window.window_start", "Start of the window that held the row."),
    (
        "missing_columns",
        "lake_window.missing_columns",
        "Lake columns that the window was read without: the org lacks them, or they were not asked for.",
    ),
)


def staging_sql(dmo: Dmo) -> str:
    """The model: one row per row of the lake; of a catalogue once for each reading of it."""
    lines = [f"-- {MARK[0].upper()}{MARK[1:]}", "select"]
    lines += [f"    {each}," for each in _selected(dmo)]
    lines += [
        f"    {expression.format(name=dmo.name)} as {name}," for name, expression, _ in READING
    ]
    lines += [
        f"from {{{{ source('stdm', '{dmo.name}') }}}} as {dmo.name}",
        f"{{{{ join_window('{dmo.name}', '{dmo.name}') }}}}",
    ]
    return "\n".join(lines) + "\n"


def staging_yaml(dmo: Dmo) -> str:
    """The description of the model and of each of its columns."""
    grain = dmo.description.split(".")[0]
    held = (
        "and reading of the catalogue"
        if dmo.is_catalogue
        else "and window of the lake that holds it"
    )
    lines = [
        f"# {MARK[0].upper()}{MARK[1:]}",
        "version: 2",
        "",
        "models:",
        f"  - name: stg_{dmo.name}",
        f"    description: {quoted_yaml(f'{grain} {held}.')}",
        "    columns:",
    ]
    described = [(column.name, column.description) for column in _columns(dmo)]
    described += [(name, description) for name, _, description in READING]
    for name, description in described:
        lines += [f"      - name: {name}", f"        description: {quoted_yaml(description)}"]
    return "\n".join(lines) + "\n"


def _columns(dmo: Dmo) -> Iterator[Column]:
    """All but the key qualifiers, which say nothing in one data space."""
    return (column for column in dmo.columns if not column.name.startswith("kq_"))


def _selected(dmo: Dmo) -> Iterator[str]:
    for column in _columns(dmo):
        own = f"{dmo.name}.{column.name}"
        if column.is_quoted:
            yield f"{{{{ unquoted('{own}') }}}} as {column.name}"
        elif column.type == "text" and column.name != dmo.key:
            yield f"{{{{ null_if_sentinel('{own}') }}}} as {column.name}"
        else:
            yield own
