"""Days that hold something other than days usually do are told by day, and are published all the same."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest

from stdm_platform.catalog import dmo
from stdm_platform.data360 import Data360
from stdm_platform.lake import Lake, Reading, Window
from stdm_platform.sandbox import SandboxHandle
from stdm_platform_tests.drift.world import (
    BEFORE,
    HELD,
    LATER,
    NEW,
    NOW,
    World,
    copied,
    some_rows,
    source,
    table,
)
from stdm_platform_tests.guard.held_figures import put
from stdm_platform_tests.session_objects import SESSION_DMOS

WEEKS = 5
ALIVE = ("sessions", "participants", "interactions", "steps", "messages")
"""Objects with enough rows a day to be judged."""


@dataclass(frozen=True)
class Unusual:
    """What happens to a day, and the one drift that has to stand; `sql` gets table and rows."""

    of: str
    kind: str
    column: str
    share: float
    sql: str
    words: str
    transport: str = "arrow"


def unusual() -> list[Unusual]:
    found = []
    for name in ("interactions", "steps", "messages"):
        found.append(
            Unusual(name, "volume", "", 0.5, "DELETE FROM {table} WHERE {rows}", "stdm count")
        )
    for reference in ("sessions.channel_type", "interactions.session_owner_object", "steps.step_name",
                      "messages.content_text"):  # fmt: skip
        name, column = reference.split(".")
        emptied = f'UPDATE {{table}} SET "{source(name, column)}" = NULL WHERE {{rows}}'
        found.append(Unusual(name, "null_share", column, 0.4, emptied, "other_sources", "json"))
    for name in ("interactions", "steps"):
        entry = dmo(name)
        key = f'"{entry[entry.key].source}"'
        again = f"INSERT INTO {{table}} SELECT * REPLACE ('again' || {key} AS {key}) FROM {{table}} WHERE {{rows}}"
        found.append(Unusual(name, "duplicate_share", "", 0.3, again, "second stream"))
    for reference in ("sessions.variable_text", "interactions.attribute_text"):
        name, column = reference.split(".")
        broken = f"UPDATE {{table}} SET \"{source(name, column)}\" = '{{{{no json' WHERE {{rows}}"
        found.append(Unusual(name, "text_decodes", column, 0.5, broken, "decoded_json", "json"))
    return found


@pytest.fixture(scope="session")
def known(
    one_org: SandboxHandle,
    base: Path,
    clients: dict[str, Data360],
    tmp_path_factory: pytest.TempPathFactory,
) -> Path:
    """Three days that were really read, and five weeks before them of days like the second."""
    data_dir = copied(base, tmp_path_factory.mktemp("known") / "data")
    lake = Lake(data_dir)
    for name in ALIVE:
        ((_, said),) = lake.evidence_of_day(name, HELD)
        profile = {each: said.profile[each] for each in ("nulls", "repeats", "undecoded")}
        for back in range(1, 7 * WEEKS):
            day = BEFORE - timedelta(days=back)
            rows = round(said.rows * (1 + 0.02 * (back % 5 - 2)))
            window = Window.of_day(day)
            read_at = window.end + timedelta(days=9)
            reading = Reading(read_at, "query", "0" * 64, rows, "arrow", rows, window)
            put(lake, dmo(name), day, [reading], org_id=said.org_id, **profile)
    world = World(one_org, data_dir)
    world.read(clients["arrow"], [each.name for each in SESSION_DMOS], [NEW], now=NOW)
    assert world.drifts() == []  # days like the others are told by nobody
    assert world.told() == []
    return data_dir


@pytest.mark.parametrize("case", unusual(), ids=lambda each: f"{each.of} {each.kind}")
def test_an_unusual_day_is_published_and_told_once(
    org: SandboxHandle,
    known: Path,
    clients: dict[str, Data360],
    changed_rows: Callable[[str], None],
    tmp_path: Path,
    case: Unusual,
) -> None:
    world = World(org, copied(known, tmp_path / "known"))
    changed_rows(case.of)
    usual = world.rows(case.of, HELD)
    rows = some_rows(case.of, NEW, round(usual * case.share))
    world.org.execute(case.sql.format(table=table(case.of), rows=rows))
    outcomes = world.read(clients[case.transport], [case.of], [NEW])
    assert {each.status for each in outcomes.values()} == {"published"}
    assert NEW in world.mart_days_to_build()
    (drift,) = world.drifts(case.of)
    expected = source(case.of, case.column) if case.column else ""
    assert (drift.kind, drift.severity, drift.dmo) == (case.kind, "warn", case.of)
    assert (drift.column, drift.first_day) == (expected, NEW)
    said = drift.describe()
    assert dmo(case.of).objects[0] in said
    assert drift.old in said
    assert drift.new in said
    assert case.words in drift.action
    (notice,) = world.told(case.of)
    assert notice.severity == "warning"
    assert notice.reason == said
    assert LATER.date() > drift.first_day  # the day of the rows, not the day it was seen
