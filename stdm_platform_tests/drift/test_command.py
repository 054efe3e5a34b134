"""`stdm drift` after a series of changes: all of them, each since its day, with what it touches."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from stdm_platform.cli import run
from stdm_platform.data360 import Data360
from stdm_platform.marts import lineage
from stdm_platform_tests.drift.world import LATER, NEW, World, some_rows, source, table
from stdm_platform_tests.session_objects import SESSION_DMOS

ONE_DAY = timedelta(days=1)
TOUCHED = {
    dmo.name: ("session_summary", "topic_summary")
    if dmo.name != "moments"
    else ("session_summary",)
    for dmo in SESSION_DMOS
}
"""As the manifest would say; reading it is tried in `marts/test_lineage.py`."""


@pytest.fixture
def drift(
    world: World,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Callable[..., list[dict[str, Any]]]:
    """The command as JSON; it ends with 0."""
    for name in [each for each in os.environ if each.startswith("STDM_")]:
        monkeypatch.delenv(name)
    for name, value in {**world.org.env, "STDM_DATA_DIR": str(world.data_dir)}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(lineage, "marts_of_dmos", lambda data_dir: TOUCHED)

    def call(*words: str) -> list[dict[str, Any]]:
        capsys.readouterr()
        assert run(["drift", "--format", "json", *words]) == 0
        found = json.loads(capsys.readouterr().out)
        assert isinstance(found, list)
        return found

    return call


def test_a_series_of_changes_is_listed_each_since_its_day(
    world: World,
    clients: dict[str, Data360],
    changed_rows: Callable[[str], None],
    drift: Callable[..., list[dict[str, Any]]],
) -> None:
    assert drift() == []
    assert drift("--probe", "--now", LATER.isoformat()) == []

    changed_rows("steps")
    kind = source("steps", "step_type")
    world.org.execute(
        f"UPDATE {table('steps')} SET \"{kind}\" = 'DREAM_STEP' WHERE {some_rows('steps', NEW, 2)}"
    )
    world.org.change_settings(hide_columns=["sessions.channel_type"])
    world.read(clients["arrow"], ["sessions", "steps"], [NEW], now=LATER + ONE_DAY)

    world.org.change_settings(
        families={"moments": "std"}, rename_columns={"interactions.started_at": "ssot__Begin__c"}
    )
    probed = drift("--probe", "--now", (LATER + 2 * ONE_DAY).isoformat())
    found = {(each["kind"], each["table"]): each for each in drift()}
    assert [*found.values()] == probed, "what the probe saw is kept"
    first_days = {key: each["first_day"] for key, each in found.items()}
    second, third = ((LATER + back * ONE_DAY).date().isoformat() for back in (1, 2))
    assert first_days == {
        ("missing_required_column", "interactions"): third,
        ("missing_optional_column", "sessions"): second,
        ("family_changed", "moments"): third,
        ("mixed_families", "moments"): third,
        ("new_value", "steps"): NEW.isoformat(),
    }
    severities = [each["severity"] for each in probed]
    assert severities == ["block", "warn", *["news"] * 3]
    blocking = probed[0]
    assert (blocking["column"], blocking["new"]) == (
        source("interactions", "started_at"),
        "ssot__Begin__c",
    )
    assert blocking["object"] == "ssot__AIAgentInteraction__dlm"
    assert {each["table"]: each["marts"] for each in probed} == {
        each["table"]: ", ".join(TOUCHED[each["table"]]) for each in probed
    }
    assert all(each["action"] for each in probed)

    since = {(each["kind"], each["table"]) for each in drift("--since", second)}
    assert since == set(found) - {("new_value", "steps")}
    assert {each["first_day"] for each in drift("--since", third)} == {third}
    assert drift("--since", "2026-12-01") == []
    assert {each["table"] for each in drift("--table", "moments")} == {"moments"}


def test_what_cannot_be_asked_ends_with_its_code(
    drift: Callable[..., list[dict[str, Any]]],
    world: World,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run(["drift", "--since", "soon"]) == 4
    assert run(["drift", "--table", "dreams"]) == 4
    assert run(["drift", "--data-dir", str(tmp_path / "empty")]) == 3
    world.org.change_settings(user_state="inactive")
    try:
        assert run(["drift", "--probe"]) == 2
    finally:
        world.org.change_settings(user_state="active")
    said = capsys.readouterr()
    assert said.out == ""
    assert "stdm drift --probe" in said.err
    assert drift() == []  # a probe that failed leaves what was known
