"""Lakes for tests of the marts: a few hand-made rows, or the sandbox org's days."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from stdm_platform.catalog import DMOS, Dmo, dmo
from stdm_platform.guard import Verdict
from stdm_platform.lake import Lake, Reading, Window
from stdm_platform.lake.row_file import file_schema
from stdm_platform.sandbox.generator import build_org
from stdm_platform.sandbox.generator.tables import table_name

ORG = "00DHu000000SandBox"
DAY = date(2026, 1, 14)
NEXT = DAY + timedelta(days=1)
READ_AT = datetime(2026, 1, 20, 12, tzinfo=UTC)


def at(clock: str, day: date = DAY) -> datetime:
    """The UTC instant `HH:MM[:SS]` of a day."""
    parts = [int(part) for part in clock.split(":")]
    hour, minute, second = (*parts, 0)[:3]
    return datetime(day.year, day.month, day.day, hour, minute, second, tzinfo=UTC)


def hold(
    lake: Lake,
    name: str,
    rows: Iterable[Mapping[str, Any]] = (),
    *,
    day: date = DAY,
    read_at: datetime = READ_AT,
    settled: bool = False,
    absent: Iterable[str] = (),
) -> None:
    """Publish a whole day of a DMO with these rows, replacing what was held of it."""
    entry = dmo(name)
    table = pa.Table.from_pylist([dict(row) for row in rows], schema=file_schema(entry))
    publish(lake, entry, day, table, read_at=read_at, settled=settled, absent=absent)


def publish(
    lake: Lake,
    entry: Dmo,
    day: date,
    table: pa.Table,
    *,
    read_at: datetime = READ_AT,
    settled: bool = False,
    absent: Iterable[str] = (),
) -> None:
    with lake.stage(entry, Window.of_day(day)) as staged:
        for batch in table.to_batches():
            staged.write(batch)
        reading = Reading(read_at, "query", "0" * 64, table.num_rows, "arrow")
        staged.close(
            org_id=ORG,
            reading=reading,
            settled=settled,
            absent_columns=tuple(absent),
            proof=Verdict(entry.name, staged.window, staged.rows),
        )
        lake.publish(entry.name, day, [staged])


class Rows:
    """Rows of a day under construction, as the org serves them."""

    def __init__(self) -> None:
        self.of: dict[str, dict[date, list[dict[str, Any]]]] = {entry.name: {} for entry in DMOS}

    def add(self, name: str, **row: Any) -> None:
        self.of[name].setdefault(row[dmo(name).clock].date(), []).append(row)

    def session(self, key: str, start: datetime, end: datetime | None, **more: Any) -> None:
        row = {"session_id": key, "started_at": start, "ended_at": end, "channel_type": "E & O"}
        self.add("sessions", **(row | more))

    def agent(self, session: str, start: datetime, name: str = "Bot") -> None:
        row = {"participant_id": f"{session}-{name}", "session_id": session, "started_at": start}
        self.add("participants", **row, participant_role="AGENT", agent_api_name=name)

    def turn(self, session: str, key: str, start: datetime, topic: str = "NOT_SET") -> None:
        """A turn with an input, an LLM step and an action step."""
        end = start + timedelta(seconds=2)
        both = {"interaction_id": key, "session_id": session}
        times = {"started_at": start, "ended_at": end}
        self.add("interactions", **both, **times, interaction_type="TURN", topic_api_name=topic)
        self.add("messages", **both, message_id=f"{key}-m", message_type="Input", sent_at=start)
        for kind in ("LLM_STEP", "ACTION_STEP"):
            step = {"step_id": f"{key}-{kind}", "interaction_id": key, "step_type": kind}
            self.add("steps", **step, **times, error_message_text="NOT_SET")

    def end(self, session: str, when: datetime, name: str = "CLOSED_USER_REQUEST") -> None:
        key = f"{session}-end"
        times = {"started_at": when, "ended_at": when}
        kind = {"interaction_type": "SESSION_END", "topic_api_name": "NOT_SET"}
        self.add("interactions", interaction_id=key, session_id=session, **times, **kind)
        step = {"step_id": key, "interaction_id": key, "step_type": "SESSION_END"}
        self.add("steps", **step, **times, step_name=name, error_message_text="NOT_SET")

    def publish(self, lake: Lake, days: Iterable[date] = (DAY, NEXT), **more: Any) -> None:
        for name, by_day in self.of.items():
            for day in days:
                hold(lake, name, by_day.get(day, []), day=day, **more)


def sandbox_lake(data_dir: Path, *, days: int, sessions_per_day: int, end: date = DAY) -> Lake:
    """A lake that holds the generated org, as extraction would have read it."""
    lake = Lake(data_dir)
    with duckdb.connect() as org:
        org.execute("set timezone = 'UTC'")
        build_org(org, days=days, sessions_per_day=sessions_per_day, seed=1, end=end)
        for entry in DMOS:
            copy_days(org, lake, entry, [end - timedelta(days=back) for back in range(days)])
    return lake


def copy_days(
    org: duckdb.DuckDBPyConnection, lake: Lake, entry: Dmo, days: Collection[date]
) -> None:
    served = {row[0] for row in org.execute(f"describe {table_name(entry)}").fetchall()}
    columns = ", ".join(
        f'"{column.source}" as {column.name}'
        if column.source in served
        else f"null as {column.name}"
        for column in entry.columns
    )
    if entry.is_catalogue:  # read whole, whatever the days of its rows
        table = org.sql(f"select {columns} from {table_name(entry)}").to_arrow_table()
        publish(lake, entry, max(days), table.cast(file_schema(entry)), settled=True)
        return
    clock = entry[entry.clock].source
    for day in days:
        table = org.sql(
            f'select {columns} from {table_name(entry)} where "{clock}" >= ? and "{clock}" < ?',
            params=[at("00:00", day), at("00:00", day) + timedelta(days=1)],
        ).to_arrow_table()
        publish(lake, entry, day, table.cast(file_schema(entry)))
