"""Which columns of objects each column of a mart is made from.

Belongs here: `dbt_models/column_lineage.csv`, reading and writing it. Does not: tracing (`column_tracing.py`),
showing it (`orchestration`).

A test holds the file against the models. After a change of their SQL write it anew:

    uv run python -m stdm_platform.marts
"""

from __future__ import annotations

import csv
import io
from collections.abc import Collection, Mapping
from typing import NamedTuple

from stdm_platform.marts.store import DBT_PROJECT

LINEAGE_FILE = DBT_PROJECT / "column_lineage.csv"
HEADER = ("mart", "column_name", "origins")


class Origin(NamedTuple):
    """A column of an object, by its name in the lake."""

    dmo: str
    column: str


def column_lineage() -> dict[str, dict[str, tuple[Origin, ...]]]:
    """Mart → column → the columns it is made from; columns that are made from none are left out."""
    found: dict[str, dict[str, tuple[Origin, ...]]] = {}
    with LINEAGE_FILE.open(newline="") as file:
        for row in csv.DictReader(file):
            origins = tuple(Origin(*each.split(".")) for each in row["origins"].split())
            found.setdefault(row["mart"], {})[row["column_name"]] = origins
    return found


def lineage_text(traced: Mapping[str, Mapping[str, Collection[Origin]]]) -> str:
    """The file's text: one line per column, `object.column` of each origin, in order."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(HEADER)
    for mart, columns in sorted(traced.items()):
        for column, origins in columns.items():
            if origins:
                writer.writerow(
                    [mart, column, " ".join(".".join(each) for each in sorted(origins))]
                )
    return text.getvalue()
