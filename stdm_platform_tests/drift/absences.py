"""One day of conversations held many times over, each time without some optional columns.

Belongs here: making that lake, and reading its marts as if all days were one. Does not: what may
differ (`test_absent_columns.py`).

One build of the marts then shows what each absence does: a day is built from nothing but its own
windows, as the days lie three apart and the children of a session end on its day.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date, timedelta

import duckdb
import polars as pl
import pyarrow as pa

from stdm_platform.catalog import Dmo
from stdm_platform.lake import Lake
from stdm_platform.lake.row_file import file_schema
from stdm_platform.marts.store import DBT_PROJECT
from stdm_platform.sandbox.generator import build_org
from stdm_platform.sandbox.generator.tables import table_name
from stdm_platform_tests.marts.lakes import DAY, at, publish
from stdm_platform_tests.session_objects import SESSION_DMOS

Absence = Mapping[str, tuple[str, ...]]
"""By DMO the optional columns that are not there; `LETTERS` changes letters instead."""
LETTERS: Absence = {
    "participants": ("participant_role",),
    "interactions": ("interaction_type",),
    "steps": ("step_type", "step_name"),
    "messages": ("message_type",),
}
"""Vocabularies that decide what the marts count; they come in small letters."""
APART = 3


def read_by_models(dmo: Dmo) -> list[str]:
    """The optional columns that the staging model of a DMO names."""
    sql = (DBT_PROJECT / "staging" / f"stg_{dmo.name}.sql").read_text()
    return [each for each in optional(dmo) if re.search(rf"\b{each}\b", sql)]


def optional(dmo: Dmo) -> list[str]:
    return [column.name for column in dmo.columns if not column.required]


def absences() -> dict[str, Absence]:
    """By a name: nothing, each column that is read, all that are not read, all of an object, all."""
    found: dict[str, Absence] = {"nothing": {}}
    for dmo in SESSION_DMOS:
        read = read_by_models(dmo)
        found |= {f"{dmo.name}.{name}": {dmo.name: (name,)} for name in read}
        found[f"{dmo.name} all"] = {dmo.name: tuple(optional(dmo))}
    found["all that are not read"] = {
        dmo.name: tuple(set(optional(dmo)) - set(read_by_models(dmo))) for dmo in SESSION_DMOS
    }
    found["all"] = {dmo.name: tuple(optional(dmo)) for dmo in SESSION_DMOS}
    return found | {"other letters": LETTERS}


def day_of(number: int) -> date:
    return DAY + timedelta(days=APART * number)


def hold_absences(lake: Lake, wanted: Sequence[Absence], *, sessions: int) -> None:
    """A lake in which the n-th day lacks what the n-th absence says, and is else as the first."""
    with duckdb.connect() as org:
        org.execute("set timezone = 'UTC'")
        build_org(org, days=1, sessions_per_day=sessions, seed=1, end=DAY)
        for dmo in SESSION_DMOS:
            rows = _rows(org, dmo)
            for number, absence in enumerate(wanted):
                changed = absence.get(dmo.name, ())
                gone = () if absence is LETTERS else changed
                sources = [dmo[name].source for name in gone]
                table = _moved(rows.with_columns(_changed(rows, changed, absence)), dmo, number)
                publish(lake, dmo, day_of(number), table, settled=True, absent=sources)


def _rows(org: duckdb.DuckDBPyConnection, dmo: Dmo) -> pl.DataFrame:
    served = {row[0] for row in org.execute(f"describe {table_name(dmo)}").fetchall()}
    columns = ", ".join(
        f'"{each.source}" as {each.name}' if each.source in served else f"null as {each.name}"
        for each in dmo.columns
    )
    clock = dmo[dmo.clock].source
    sql = f'select {columns} from {table_name(dmo)} where "{clock}" >= ? and "{clock}" < ?'
    table = org.sql(sql, params=[at("00:00"), at("00:00") + timedelta(days=1)]).to_arrow_table()
    frame = pl.from_arrow(table.cast(file_schema(dmo)))
    assert isinstance(frame, pl.DataFrame)
    return frame


def _changed(rows: pl.DataFrame, names: Sequence[str], absence: Absence) -> list[pl.Expr]:
    if absence is LETTERS:
        return [pl.col(name).str.to_lowercase() for name in names]
    return [pl.lit(None, dtype=rows.schema[name]).alias(name) for name in names]


def _moved(rows: pl.DataFrame, dmo: Dmo, number: int) -> pa.Table:
    """The rows some days later, under keys of their own."""
    instants = [each.name for each in dmo.columns if each.type == "timestamp"]
    keys = [
        dmo.key,
        *(each.name for each in dmo.columns if each.references or "previous" in each.name),
    ]
    frame = rows.with_columns(
        *(pl.col(name) + timedelta(days=APART * number) for name in instants),
        *(
            pl.when(pl.col(name) == "NOT_SET")
            .then(pl.col(name))
            .otherwise(pl.col(name) + f"~{number}")
            .alias(name)
            for name in dict.fromkeys(keys)
        ),
    )
    return frame.to_arrow().cast(file_schema(dmo))


def as_first_day(frame: pl.DataFrame) -> dict[int, pl.DataFrame]:
    """A mart's rows by number of the day, with instants and keys as they are on the first one."""
    number = (pl.col("session_date") - pl.lit(DAY)).dt.total_days() // APART
    back = pl.duration(days=APART * pl.col("number"))
    instants = [name for name, kind in frame.schema.items() if isinstance(kind, pl.Datetime)]
    texts = [name for name, kind in frame.schema.items() if kind == pl.String]
    frame = frame.with_columns(number.alias("number")).with_columns(
        pl.lit(DAY).alias("session_date"),
        *(pl.col(name) - back for name in instants),
        *(pl.col(name).str.replace(r"~\d+$", "") for name in texts),
    )
    return {
        int(str(key[0])): rows.drop("number")
        for key, rows in frame.partition_by("number", as_dict=True).items()
    }
