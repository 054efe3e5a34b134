"""The org changes between two days of one request: the days before stand, the days after are judged anew."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest

from stdm_platform.catalog import dmo
from stdm_platform.data360 import Data360
from stdm_platform_tests.drift.world import (
    HELD,
    LATER,
    NEW,
    Turning,
    World,
    some_rows,
    source,
    table,
)


@dataclass(frozen=True)
class Turn:
    """What changes before the second day is asked for; what becomes of that day; which drift stands.

    `at_once` is false where nothing of what is asked for changes, so that only the next look can see.
    """

    of: str
    name: str
    status: str
    severity: str
    kind: str = ""
    at_once: bool = True
    settings: Mapping[str, Any] = field(default_factory=dict)
    sql: str = ""
    words: tuple[str, ...] = ()


def turns() -> list[Turn]:
    step_id, parent = source("steps", "step_id"), source("steps", "interaction_id")
    steps = table("steps")
    return [
        Turn("steps", "a new column", "published", "news", "new_column", at_once=False,
             sql=f'ALTER TABLE {steps} ADD COLUMN "ssot__Cost__c" DOUBLE'),
        Turn("steps", "other letters", "published", "news", "column_casing", at_once=False,
             settings={"rename_columns": {"steps.step_id": "SSOT__ID__C"}}),
        Turn("messages", "the other family", "published", "news", "family_changed",
             settings={"families": {"messages": "std"}}),
        Turn("messages", "a new value", "published", "news", "new_value",
             sql=f"""UPDATE {table("messages")} SET "{source("messages", "content_type")}" = 'AUDIO'
                     WHERE {some_rows("messages", NEW, 3)}"""),
        Turn("sessions", "an optional column is gone", "published", "warn", "missing_optional_column",
             settings={"hide_columns": ["sessions.channel_type"]}),
        Turn("steps", "an optional column is gone", "published", "warn", "missing_optional_column",
             settings={"hide_columns": ["steps.step_name"]}),
        Turn("steps", "instants without zone", "published", "warn", "type_changed", at_once=False,
             settings={"column_types": {"steps.ended_at": "TIMESTAMP"}}),
        Turn("steps", "a few keys are null", "published", "warn",
             sql=f'UPDATE {steps} SET "{step_id}" = NULL WHERE {some_rows("steps", NEW, 3)}'),
        Turn("steps", "a required column is gone", "failed", "block", "missing_required_column",
             settings={"hide_columns": ["steps.interaction_id"]}, words=(parent, "is required")),
        Turn("sessions", "the clock is text", "refused", "block", "type_changed",
             settings={"column_types": {"sessions.started_at": "VARCHAR"}},
             words=(source("sessions", "started_at"), "Varchar instead of timestamp")),
        Turn("messages", "an unknown name", "failed", "block", "object_gone",
             settings={"rename_objects": {"messages": "ssot__Chat__dlm"}},
             words=(dmo("messages").objects[0], "objects=(")),
        Turn("steps", "keys stand twice", "refused", "block",
             sql=f"INSERT INTO {steps} SELECT * FROM {steps} WHERE {some_rows('steps', NEW, 4)}",
             words=(step_id, "4 surplus rows repeat a key")),
    ]  # fmt: skip


TRIED = [
    (turn, via)
    for place, turn in enumerate(turns())
    for via in (
        ("arrow", "json")
        if turn.kind == "type_changed" or turn.status == "failed"
        else (("arrow", "json")[place % 2],)
    )
]
"""Both transports where they refuse or type otherwise; else by turns."""


@pytest.mark.parametrize(
    ("turn", "transport"), TRIED, ids=[f"{turn.of}: {turn.name} ({via})" for turn, via in TRIED]
)
def test_a_change_between_two_days_of_a_request_is_told_for_the_days_after_it(
    world: World,
    clients: dict[str, Data360],
    changed_rows: Callable[[str], None],
    turn: Turn,
    transport: str,
) -> None:
    def change() -> None:
        if turn.sql:
            world.org.execute(turn.sql)
        world.org.change_settings(**turn.settings)

    changed_rows(turn.of)
    before = _published_of(world, turn.of)
    org = Turning(clients[transport], NEW, change)
    outcomes = world.read(org, [turn.of])
    assert org.turned
    assert outcomes[turn.of, HELD].status == "published"
    after = outcomes[turn.of, NEW]
    assert after.status == turn.status, after.describe()
    said = after.describe()
    assert f"{turn.of} of {NEW}" in said or str(NEW) in said
    assert all(word in said for word in turn.words), said
    _assert_drift(world, turn, clients[transport])
    if turn.severity == "block":
        assert _published_of(world, turn.of) == before
        assert world.rows(turn.of, NEW) == 0
        assert world.mart_days_to_build() == []
    else:
        assert world.rows(turn.of, NEW) == after.rows > 0


def _assert_drift(world: World, turn: Turn, client: Data360) -> None:
    if not turn.at_once:
        assert world.drifts(turn.of) == []
        world.read(client, [turn.of], now=LATER + timedelta(hours=1))
    found = [(each.kind, each.severity) for each in world.drifts(turn.of)]
    assert found == ([(turn.kind, turn.severity)] if turn.kind else [])
    notices = world.told(turn.of)
    assert len(notices) == (bool(turn.kind) and turn.severity != "news")


def _published_of(world: World, name: str) -> set[str]:
    """The checksums of what is held, and every mart file: reading a day again changes file names only."""
    lake = {
        said.checksum for day in (HELD, NEW) for _, said in world.lake.evidence_of_day(name, day)
    }
    return lake | {path for path in world.published() if "/marts" in path}
