"""When the rows of an org become visible, and what they say before they are final.

Belongs here: lag distributions and rewrites, drawn from a seed. The figures are those of section 4.4
of the Data 360 page, not the catalog's, so that the plan is measured against the world.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random

import duckdb
import polars as pl

from stdm_platform.catalog import Dmo
from stdm_platform.sandbox.generator import build_org
from stdm_platform.sandbox.generator.tables import table_name
from stdm_platform_tests.session_objects import SESSION_DMOS

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
LONGEST = timedelta(days=7)
"""After the end of its day nothing of a row changes any more: the design's settle time."""
FOREVER = datetime(2999, 1, 1, tzinfo=UTC)

Draw = Callable[[Random], timedelta]

BEFORE_THE_END: Mapping[str, Mapping[str, object]] = {
    "sessions": {"ended_at": None, "end_type": "NOT_SET"},
    "participants": {"ended_at": None},
    "interactions": {"ended_at": None, "topic_api_name": "NOT_SET"},
    "steps": {"ended_at": None, "output_value_text": None},
    "messages": {"content_text": ""},
    "moments": {"agent_version_api_name": "NOT_SET", "response_summary_text": None},
}
"""What a row says until it is rewritten."""

REWRITTEN = {"sessions": 1.0, "moments": 0.3}
"""Share of rows that are rewritten; of the others a tenth."""

CLOCKS_REWRITTEN = 4
"""Rows of each DMO that first stand under another clock, mostly of another day."""


@dataclass(frozen=True)
class World:
    """All versions of all rows, by DMO name: lake columns, and `seen_from`, `seen_until`, `final`."""

    start: datetime
    days: int
    versions: Mapping[str, pl.DataFrame]

    @property
    def end(self) -> datetime:
        return self.start + self.days * DAY

    def source(self, name: str) -> pl.DataFrame:
        """What the org holds once nothing changes any more."""
        return self._plain(name, self.versions[name].filter("final"))

    def early(self, name: str, clock: str, within: timedelta) -> pl.DataFrame:
        """The versions that were there `within` their clock, and that nothing replaced since."""
        seen = pl.col("seen_from") <= pl.col(clock) + within
        return self._plain(name, self.versions[name].filter(seen & pl.col("final")))

    def has_moved(self, dmo: Dmo, start: datetime, end: datetime) -> bool:
        """Whether a row with its clock in this time has, or had, another clock too."""
        versions, clock = self.versions[dmo.name], pl.col(dmo.clock)
        moved = versions.filter(clock.n_unique().over(dmo.key) > 1)
        return not moved.filter(clock.is_between(start, end, closed="left")).is_empty()

    def _plain(self, name: str, frame: pl.DataFrame) -> pl.DataFrame:
        return frame.drop("seen_from", "seen_until", "final")


@dataclass(frozen=True)
class Span:
    """The days of a world, and how many rows of each DMO move inside them."""

    start: datetime
    end: datetime
    clocks_rewritten: int


def a_world(
    seed: int,
    *,
    start: datetime,
    days: int,
    sessions_a_day: int,
    dmos: Iterable[Dmo] = SESSION_DMOS,
    clocks_rewritten: int = CLOCKS_REWRITTEN,
) -> World:
    """The generated org of that seed, moved by some hours so that sessions cross midnight."""
    chance = Random(seed)
    by = timedelta(minutes=chance.randrange(180))
    end = start + days * DAY
    with duckdb.connect() as con:
        con.execute("set timezone = 'UTC'")
        build_org(
            con,
            days=days,
            sessions_per_day=sessions_a_day,
            seed=seed,
            end=(end - DAY).date(),
        )
        frames = {dmo.name: _moved(con, dmo, by, end) for dmo in dmos}
        ends = _session_ends(con, by)
    span = Span(start, end, clocks_rewritten)
    made = {dmo.name: _versions(dmo, frames[dmo.name], ends, chance, span) for dmo in dmos}
    return World(start, days, made)


def _moved(con: duckdb.DuckDBPyConnection, dmo: Dmo, by: timedelta, end: datetime) -> pl.DataFrame:
    columns = ", ".join(f'"{column.source}" as {column.name}' for column in dmo.columns)
    frame = con.sql(f"select {columns} from {table_name(dmo)}").pl()
    times = [column.name for column in dmo.columns if column.type == "timestamp"]
    moved = [(pl.col(name) + by).cast(pl.Datetime("ms", "UTC")) for name in times]
    return frame.with_columns(moved).filter(pl.col(dmo.clock) < end)


def _session_ends(con: duckdb.DuckDBPyConnection, by: timedelta) -> dict[str, datetime]:
    """The end of the session of each session and of each interaction, by key."""
    rows = con.execute(
        """
        with ended as (
            select ssot__Id__c as id, coalesce(ssot__EndTimestamp__c, ssot__StartTimestamp__c) as done
            from "ssot__AIAgentSession__dlm"
        )
        select id, done from ended union all
        select i.ssot__Id__c, done from "ssot__AIAgentInteraction__dlm" as i
            join ended on id = i.ssot__AiAgentSessionId__c
        """
    ).fetchall()
    return {key: done.astimezone(UTC) + by for key, done in rows}


def lag_of(name: str, chance: Random) -> timedelta:
    """After its start (sessions, participants) or the end of its session (the others)."""
    if name in ("sessions", "participants"):  # minutes: every 5, at worst 5 to 30
        return chance.uniform(5, 30) * MINUTE if chance.random() < 0.97 else _hours(chance, 6)
    if name == "moments":  # 3 h of silence, then a job every 3 or 9 h; weekly things reach further
        return _hours(chance, 9, least=4) if chance.random() < 0.8 else _hours(chance, 150, least=9)
    kind = chance.random()  # interactions, steps, messages: hours to days
    if kind < 0.6:
        return chance.uniform(30, 120) * MINUTE
    if kind < 0.85:
        return chance.expovariate(1 / 8) * HOUR
    return _hours(chance, 140, least=12)


def _hours(chance: Random, most: float, *, least: float = 0.5) -> timedelta:
    return chance.uniform(least, most) * HOUR


def _versions(
    dmo: Dmo,
    final: pl.DataFrame,
    ends: Mapping[str, datetime],
    chance: Random,
    span: Span,
) -> pl.DataFrame:
    parent = dmo.key if dmo.parent is None else dmo.parent
    clocks, parents = final[dmo.clock].to_list(), final[parent].to_list()
    others = _other_clocks(clocks, chance, span)
    lands, changes = [], []
    for clock, other, key in zip(clocks, others, parents, strict=True):
        last = _last_moment(min(clock, other))
        base = clock if dmo.name in ("sessions", "participants") else ends.get(key, clock)
        landed = last - chance.uniform(0, 3) * HOUR  # one in a hundred at the last moment
        if chance.random() > 0.01:
            landed = min(max(base, clock) + lag_of(dmo.name, chance), last - 10 * MINUTE)
        lands.append(landed)
        changes.append(landed)
        if other != clock:
            changes[-1] = landed + chance.uniform(0.1, 1) * (last - landed)
        elif chance.random() < REWRITTEN.get(dmo.name, 0.1):
            ended = max(ends.get(key, clock), clock) + _after_the_end(chance)
            changes[-1] = min(max(ended, landed), last)
    marks = {"seen_from": lands, "changes": changes, "other": others}
    kinds = dict.fromkeys(marks, pl.Datetime("ms", "UTC"))
    marked = final.with_columns(**{n: pl.Series(v, dtype=kinds[n]) for n, v in marks.items()})
    return _both(dmo, marked)


def _both(dmo: Dmo, marked: pl.DataFrame) -> pl.DataFrame:
    """What each row says first, and what it says in the end, in the order of the clock."""
    before = BEFORE_THE_END[dmo.name]
    first = marked.filter(pl.col("changes") > pl.col("seen_from")).with_columns(
        *(pl.lit(value).cast(marked.schema[name]).alias(name) for name, value in before.items()),
        pl.col("other").alias(dmo.clock),
        seen_until=pl.col("changes"),
        final=pl.lit(value=False),
    )
    last = marked.with_columns(
        seen_from=pl.col("changes"),
        seen_until=pl.lit(FOREVER).cast(pl.Datetime("ms", "UTC")),
        final=pl.lit(value=True),
    )
    return pl.concat([first, last]).drop("changes", "other").sort(dmo.clock, dmo.key)


def _after_the_end(chance: Random) -> timedelta:
    return chance.uniform(5, 30) * MINUTE if chance.random() < 0.7 else _hours(chance, 60)


def _other_clocks(clocks: list[datetime], chance: Random, span: Span) -> list[datetime]:
    """The clock that each row has first: of a few rows it is one of the day before or after."""
    others = list(clocks)
    for place in chance.sample(range(len(clocks)), min(span.clocks_rewritten, len(clocks))):
        moved = clocks[place] + chance.choice([-1, 1]) * chance.uniform(1, 20) * HOUR
        others[place] = (
            moved.replace(microsecond=0) if span.start <= moved < span.end else clocks[place]
        )
    return others


def _last_moment(clock: datetime) -> datetime:
    """Just before nothing of the clock's day changes any more."""
    midnight = clock.replace(hour=0, minute=0, second=0, microsecond=0)
    return midnight + DAY + LONGEST - MINUTE
