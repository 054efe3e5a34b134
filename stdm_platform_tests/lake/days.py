"""Small windows to put into a lake, for tests."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pyarrow as pa

from stdm_platform.catalog import Dmo, arrow_schema, dmo
from stdm_platform.guard import Verdict
from stdm_platform.lake import Lake, Reading, StagedWindow, Window, WindowFile

SESSIONS, STEPS = dmo("sessions"), dmo("steps")
DAY = date(2026, 1, 14)
ORG, OTHER_ORG = "00D000000000001AAA", "00D000000000002AAA"
READ_AT = datetime(2026, 1, 15, tzinfo=UTC)


def hours(first: int, last: int, day: date = DAY) -> Window:
    midnight = Window.of_day(day).start
    return Window(midnight + timedelta(hours=first), midnight + timedelta(hours=last))


def rows(
    count: int, mark: str = "a", *, entry: Dmo = SESSIONS, at: datetime | None = None
) -> pa.RecordBatch:
    """`count` rows whose keys begin with the mark; optional columns are null."""
    fixed: dict[str, Any] = {"timestamp": at or Window.of_day(DAY).start, "text": mark}
    arrays = []
    for field, column in zip(arrow_schema(entry), entry.columns, strict=True):
        values: list[Any] = [None] * count
        if column.name == entry.key:
            values = [f"{mark}{number}" for number in range(count)]
        elif column.required:
            values = [fixed[column.type]] * count
        arrays.append(pa.array(values, field.type))
    return pa.RecordBatch.from_arrays(arrays, schema=arrow_schema(entry))


def reading(read_at: datetime = READ_AT, query_id: str = "q1") -> Reading:
    return Reading(read_at, query_id, "0" * 64, 10, "arrow")


def passed(one: StagedWindow) -> Verdict:
    """The word of a contract that had nothing to say against the rows written so far."""
    return Verdict(one.dmo.name, one.window, one.rows)


def staged(
    lake: Lake,
    window: Window | None = None,
    batches: Sequence[pa.RecordBatch] = (),
    *,
    entry: Dmo = SESSIONS,
    org: str = ORG,
    said: Reading | None = None,
    settled: bool = False,
) -> StagedWindow:
    """A closed window, ready to publish."""
    one = lake.stage(entry, window or Window.of_day(DAY))
    for batch in batches:
        one.write(batch)
    one.close(org_id=org, reading=said or reading(), settled=settled, proof=passed(one))
    return one


def published(
    lake: Lake, window: Window | None = None, batches: Sequence[pa.RecordBatch] = (), **bits: Any
) -> WindowFile:
    """A window in the lake."""
    with staged(lake, window, batches, **bits) as one:
        return lake.publish(one.dmo.name, one.window.day, [one])[0]


def content(lake: Lake, name: str = "sessions") -> list[str]:
    """The keys of all rows, as a snapshot shows them."""
    with lake.temporary_snapshot([name]) as snapshot:
        key = dmo(name).key
        return sorted(snapshot.scan(name).select(key).collect()[key].to_list())
