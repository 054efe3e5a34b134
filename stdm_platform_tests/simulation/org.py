"""An org in this process: what is visible at its clock, what it bills, which queries are in flight.

Belongs here: answering the two kinds of query that extraction asks, and watching them. It reads the SQL
that it is sent, and knows no other: a query that it does not understand is an error, so that a changed
text is noticed here.
"""

from __future__ import annotations

import hashlib
import re
import threading
import time
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime

import polars as pl
import pyarrow as pa

from stdm_platform.catalog import Dmo
from stdm_platform.data360 import Parameter, ResultColumn
from stdm_platform.errors import ObjectNotFoundError, QueryError
from stdm_platform.lake import Window
from stdm_platform_tests.session_objects import SESSION_DMOS
from stdm_platform_tests.simulation.landing import World

ORG = "00Dxx0000000001EAA"
LOOK = re.compile(r'SELECT \* FROM "(?P<object>\w+)" LIMIT 0')
READ = re.compile(
    r'SELECT\n(?P<columns>(?:    "\w+" AS "\w+",?\n)+)FROM "(?P<object>\w+)"\n'
    r'WHERE "(?P<clock>\w+)" >= CAST\(\? AS TIMESTAMPTZ\)\n'
    r'  AND "(?P=clock)" < CAST\(\? AS TIMESTAMPTZ\)\n'
    r'  AND "(?P=clock)" < CAST\(\'(?P<beyond>[^\']+)\' AS TIMESTAMPTZ\)'
    r"(?:\nLIMIT (?P<most>\d+))?"
)
COLUMN = re.compile(r'"(\w+)" AS "(\w+)"')
TYPES = {"text": "Varchar", "timestamp": "TimestampTZ", "number": "Numeric", "boolean": "Boolean"}


@dataclass
class Asked:
    """A query for rows: what was asked, when by the org's clock, by whom, what was billed."""

    dmo: str
    window: Window
    at: datetime
    run: str
    rows: int


@dataclass
class Held:
    """The versions of a DMO, ready to be searched by clock."""

    dmo: Dmo
    table: pa.Table
    clocks: list[datetime]
    seen_from: list[datetime]
    seen_until: list[datetime]

    @classmethod
    def of(cls, dmo: Dmo, versions: pl.DataFrame) -> Held:
        plain = versions.select(dmo.column_names).rename({c.name: c.source for c in dmo.columns})
        lists = [versions[n].to_list() for n in (dmo.clock, "seen_from", "seen_until")]
        return cls(dmo, plain.to_arrow().combine_chunks(), *lists)

    def visible(self, start: datetime, end: datetime, now: datetime) -> list[int]:
        span = range(bisect_left(self.clocks, start), bisect_left(self.clocks, end))
        return [n for n in span if self.seen_from[n] <= now < self.seen_until[n]]


@dataclass
class SimulatedOrg:
    """Set `now` before a tick. `slow` makes each answer take that many seconds.

    `before` is called before each query and each answer, `watch` with each query for rows; `broken`
    collects what must not be.
    """

    world: World
    dmos: Sequence[Dmo] = SESSION_DMOS
    slow: float = 0.0
    before: Callable[[], None] = lambda: None
    watch: Callable[[Asked], None] = lambda asked: None
    org_id: str = ORG
    asked: list[Asked] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.now = self.world.start
        self._held = {
            dmo.objects[0].lower(): Held.of(dmo, self.world.versions[dmo.name]) for dmo in self.dmos
        }
        self._guard = threading.Lock()
        self._in_flight: list[tuple[str, Window, str]] = []
        self._cache: dict[tuple[str, tuple[Parameter, ...]], pa.Table] = {}

    def source(self, run: str) -> OneClient:
        """The org as one run of the platform sees it."""
        return OneClient(self, run)

    def processed(self) -> Counter[str]:
        """Rows billed, by DMO."""
        billed: Counter[str] = Counter()
        for each in self.asked:
            billed[each.dmo] += each.rows
        return billed

    def shape(self, name: str) -> pa.Table:
        return self._of(name).table.slice(0, 0)

    def rows(self, sql: str, parameters: tuple[Parameter, ...], run: str) -> tuple[pa.Table, Asked]:
        """The rows of a window as they are visible now, or as they were for the identical text."""
        said = READ.fullmatch(sql)
        if said is None or len(parameters) != 2:
            raise QueryError(f"not understood: {sql[:200]}")
        held = self._of(said["object"])
        if said["clock"] != held.dmo[held.dmo.clock].source:
            raise QueryError(f"{said['clock']} is not the clock")
        start, end, beyond = (
            datetime.fromisoformat(text)
            for text in (parameters[0].value, parameters[1].value, said["beyond"])
        )
        with self._guard:
            if (sql, parameters) not in self._cache:
                places = held.visible(start, min(end, beyond), self.now)
                most = int(said["most"] or len(places))
                table = held.table.take(pa.array(places[:most], pa.int64()))
                named = COLUMN.findall(said["columns"])
                self._cache[sql, parameters] = pa.table(
                    [table.column(source) for source, _ in named], names=[name for _, name in named]
                )
            answer = self._cache[sql, parameters]
            window = Window(start.astimezone(UTC), end.astimezone(UTC))
            asked = Asked(held.dmo.name, window, self.now, run, answer.num_rows)
            self.asked.append(asked)
        self.watch(asked)
        return answer, asked

    @contextmanager
    def in_flight(self, dmo: str, window: Window, run: str) -> Iterator[None]:
        mine = (dmo, window, run)
        with self._guard:
            for name, other, who in self._in_flight:
                if name == dmo and other.overlaps(window):
                    self.broken.append(f"{dmo} {window} was read by {run} while {who} read {other}")
            self._in_flight.append(mine)
        try:
            if self.slow:
                time.sleep(self.slow)
            yield
        finally:
            with self._guard:
                self._in_flight.remove(mine)

    def _of(self, name: str) -> Held:
        if name.lower() not in self._held:
            raise ObjectNotFoundError(f"no {name}")
        return self._held[name.lower()]


@dataclass(frozen=True)
class OneClient:
    """The `Source` of one run."""

    org: SimulatedOrg
    run: str

    @property
    def org_id(self) -> str:
        return self.org.org_id

    def query(self, sql: str, parameters: Sequence[Parameter] = ()) -> Answer:
        self.org.before()
        look = LOOK.fullmatch(sql)
        if look is not None:
            return Answer.of(sql, self.org.shape(look["object"]), None, self)
        answer, asked = self.org.rows(sql, tuple(parameters), self.run)
        return Answer.of(sql, answer, asked, self)


@dataclass(frozen=True)
class Answer:
    """The `Result` of one query; in flight from the first batch asked for to the last."""

    query_id: str
    sql_sha256: str
    columns: tuple[ResultColumn, ...]
    row_count: int
    rows_processed: int | None
    transport: str
    table: pa.Table
    asked: Asked | None
    client: OneClient

    @classmethod
    def of(cls, sql: str, table: pa.Table, asked: Asked | None, client: OneClient) -> Answer:
        digest = hashlib.sha256(sql.encode()).hexdigest()
        columns = tuple(ResultColumn(f.name, _type_name(f.type)) for f in table.schema)
        rows = table.num_rows
        return cls(digest[:12], digest, columns, rows, rows, "arrow", table, asked, client)

    def batches(self) -> Iterator[pa.RecordBatch]:
        if self.asked is None:
            return
        with self.client.org.in_flight(self.asked.dmo, self.asked.window, self.client.run):
            self.client.org.before()
            yield from self.table.to_batches()


def _type_name(kind: pa.DataType) -> str:
    if pa.types.is_timestamp(kind):
        return TYPES["timestamp"]
    if pa.types.is_boolean(kind):
        return TYPES["boolean"]
    return TYPES["number"] if pa.types.is_floating(kind) else TYPES["text"]
