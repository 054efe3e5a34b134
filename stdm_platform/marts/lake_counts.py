"""What the lake holds of the sessions of one day: sessions, turns, messages, steps, and orphans.

Belongs here: counting rows of the lake by the marts' rules of belonging (child horizon, newest reading
of a key). Does not: anything a model computes; see `dbt_models/intermediate`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import polars as pl

from stdm_platform.catalog import dmo
from stdm_platform.extraction.conform import NO_VALUE
from stdm_platform.lake import Snapshot
from stdm_platform.marts.digests import CATALOGUES, CHILD_HORIZON, CHILDREN, ONE_DAY, SESSIONS

COLUMNS = {
    "interactions": ("interaction_type",),
    "messages": ("interaction_id", "message_type"),
    "steps": ("interaction_id",),
}
SESSION, DAY = "session_id", "_day"
NAMED = "_names_session"


@dataclass(frozen=True)
class LakeCounts:
    """The keys of the sessions of a day, counts of their children, and children of no session.

    Children are counted of the sessions that the mart has too; orphans are of the day itself.
    """

    sessions: pl.Series
    children: Mapping[str, int]
    orphans: Mapping[str, int]


def names_needed() -> list[str]:
    """The DMOs that the snapshot has to hold, of the day before, the day and the day after."""
    return [SESSIONS, *CHILDREN, *CATALOGUES]


def lake_counts(snapshot: Snapshot, day: date, of_mart: pl.Series) -> LakeCounts:
    """Count; the snapshot holds the day, the one before it and the child horizon after it."""
    sessions = _rows(snapshot, SESSIONS, ()).select(SESSION, DAY).unique()
    interactions = _rows(snapshot, "interactions", (SESSION,))
    messages = _attached(_rows(snapshot, "messages", (SESSION,)), interactions)
    of_turn = interactions.select(SESSION, "interaction_id").unique()
    steps = _rows(snapshot, "steps", ()).join(of_turn, on="interaction_id", how="left")
    today = sessions.filter(pl.col(DAY) == day)
    wanted = today.filter(pl.col(SESSION).is_in(of_mart.to_list())).select(SESSION)
    near = _within(interactions, wanted, day)
    turns = _newest(near, "interactions").filter(
        pl.col("interaction_type").str.to_uppercase() == "TURN"
    )
    of_near = near.select(SESSION, "interaction_id").unique()
    told = _within(messages, wanted, day)
    through = told.filter(~pl.col(NAMED)).join(of_near, on=of_near.columns, how="semi")
    said = _newest(pl.concat([told.filter(NAMED), through]), "messages").filter(
        pl.col("message_type").str.to_lowercase().is_in(["input", "output"])
    )
    made = _newest(_within(steps, wanted, day).join(of_near, on=of_near.columns), "steps")
    children = {"turns": turns.height, "messages": said.height, "steps": made.height}
    known = sessions.filter(pl.col(DAY).is_between(day - CHILD_HORIZON * ONE_DAY, day))[SESSION]
    orphans = {
        name: frame.filter(pl.col(DAY) == day).join(
            known.unique().to_frame(), on=SESSION, how="anti"
        )[dmo(name).key].n_unique()
        for name, frame in (("interactions", interactions), ("messages", messages), ("steps", steps))
    }  # fmt: skip
    return LakeCounts(today[SESSION].unique(), children, orphans)


def _attached(messages: pl.DataFrame, interactions: pl.DataFrame) -> pl.DataFrame:
    """Messages with the session that they name, else that of their interaction."""
    named = pl.when(~pl.col(SESSION).is_in(NO_VALUE.to_pylist())).then(pl.col(SESSION))
    of_parent = interactions.select("interaction_id", pl.col(SESSION).alias("_of_parent")).unique()
    joined = messages.with_columns(named).join(of_parent, on="interaction_id", how="left")
    return joined.with_columns(
        pl.col(SESSION).is_not_null().alias(NAMED),
        pl.coalesce(SESSION, "_of_parent").alias(SESSION),
    )


def _within(children: pl.DataFrame, sessions: pl.DataFrame, day: date) -> pl.DataFrame:
    """The children of these sessions of a day within the horizon."""
    horizon = pl.col(DAY).is_between(day, day + CHILD_HORIZON * ONE_DAY)
    return children.filter(horizon).join(sessions, on=SESSION, how="semi")


def _newest(rows: pl.DataFrame, name: str) -> pl.DataFrame:
    """One row for each session and key: a rewritten clock can show it under two days."""
    ordered = rows.sort("_read_at", DAY, "_window_start", descending=True)
    return ordered.unique([SESSION, dmo(name).key], keep="first", maintain_order=True)


def _rows(snapshot: Snapshot, name: str, more: Sequence[str]) -> pl.DataFrame:
    """Keys, and what else counting needs, of all files, with the reading of each row."""
    wanted = dict.fromkeys((dmo(name).key, *more, *COLUMNS.get(name, ())))
    empty = {column: pl.String() for column in wanted} | {
        DAY: pl.Date(),
        "_read_at": pl.Datetime("us", "UTC"),
        "_window_start": pl.Datetime("us", "UTC"),
    }
    frames = [pl.DataFrame(schema=empty)]
    for file in snapshot.of(name):
        said = snapshot.evidence(file)
        held = set(pl.read_parquet_schema(file.path))
        rows = pl.read_parquet(
            file.path, columns=[each for each in wanted if each in held], hive_partitioning=False
        )
        reading = {DAY: file.day, "_read_at": said.read_at, "_window_start": said.window.start}
        missing = [pl.lit(None, pl.String()).alias(each) for each in wanted if each not in held]
        facts = [pl.lit(value, empty[column]).alias(column) for column, value in reading.items()]
        frames.append(rows.with_columns(*missing, *facts).select(list(empty)))
    return pl.concat(frames)
