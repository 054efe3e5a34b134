"""The same broken rows are stopped on every way into the data directory, by either transport."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import timedelta

import dagster as dg
import pytest

from stdm_platform.catalog import dmo
from stdm_platform.cli import run
from stdm_platform.data360 import Data360
from stdm_platform.extraction import extract_plan, plan_now
from stdm_platform.orchestration.dmo_assets import dmo_asset
from stdm_platform.orchestration.launch import RANGE_END, RANGE_START
from stdm_platform.orchestration.partitions import daily_partitions
from stdm_platform.orchestration.resources import Platform
from stdm_platform_tests.drift.world import LATER, NEW, World, some_rows, source, table

STEPS = dmo("steps")
KEY = source("steps", "step_id")
Way = Callable[[World, Data360, str], str]
"""Asks for the broken rows; gives what people are told."""


def by_command(world: World, client: Data360, session: str) -> str:
    code = run(["extract", "--since", str(NEW), "--until", str(NEW + timedelta(days=1)),
                "--table", "steps", "--no-marts"])  # fmt: skip
    assert code == 1
    return ""


def by_tick(world: World, client: Data360, session: str) -> str:
    plan = plan_now(world.lake, start=NEW, now=LATER)
    (outcome,) = extract_plan(client, world.lake, plan, dmos=[STEPS], days=[NEW])
    assert outcome.status == "refused"
    return outcome.describe()


def by_whole_sessions(world: World, client: Data360, session: str) -> str:
    assert run(["extract-tree", "--session-id", session]) == 1
    assert world.lake.tree(session) is None
    return ""


def by_dagster(world: World, client: Data360, session: str) -> str:
    with dg.DagsterInstance.ephemeral() as instance:
        result = dg.materialize(
            [dmo_asset(STEPS, daily_partitions(None))],
            instance=instance,
            resources={"platform": Platform()},
            tags={RANGE_START: str(NEW), RANGE_END: str(NEW)},
            raise_on_error=False,
        )
        assert not result.success
        checks = {each.check_name: each for each in result.get_asset_check_evaluations()}
        assert not checks["contract"].passed
        (failed,) = [each for each in result.all_events if each.is_step_failure]
        assert failed.step_failure_data.error is not None
        return failed.step_failure_data.error.message


WAYS: dict[str, Way] = {
    "the command": by_command,
    "a tick": by_tick,
    "whole sessions": by_whole_sessions,
    "Dagster": by_dagster,
}


@pytest.mark.parametrize("transport", ["arrow", "json"])
@pytest.mark.parametrize("way", WAYS)
def test_rows_that_break_the_contract_reach_nobody_on_any_way(
    world: World,
    clients: dict[str, Data360],
    changed_rows: Callable[[str], None],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    way: str,
    transport: str,
) -> None:
    for name in [each for each in os.environ if each.startswith("STDM_")]:
        monkeypatch.delenv(name)
    given = {"STDM_DATA_DIR": str(world.data_dir), "STDM_TRANSPORT": transport}
    for name, value in {**world.org.env, **given}.items():
        monkeypatch.setenv(name, value)
    changed_rows("steps")
    parent = source("steps", "interaction_id")
    sql = f'SELECT "{KEY}", "{parent}" FROM {table("steps")} WHERE {some_rows("steps", NEW, 1)}'
    ((broken, turn),) = world.org.execute(sql)
    named, key = source("interactions", "session_id"), source("interactions", "interaction_id")
    sql = f'SELECT "{named}" FROM {table("interactions")} WHERE "{key}" = ?'
    ((session,),) = world.org.execute(sql, [turn])
    world.org.execute(
        f'INSERT INTO {table("steps")} SELECT * FROM {table("steps")} WHERE "{KEY}" = ?', [broken]
    )
    before = world.published()
    said = WAYS[way](world, clients[transport], session)
    said = " ".join((said + capsys.readouterr().err).split())
    assert "steps" in said
    assert f"{KEY}: 1 surplus rows repeat a key" in said
    assert broken in said
    assert world.published() == before
    assert world.rows("steps", NEW) == 0
    assert world.mart_days_to_build() == []
