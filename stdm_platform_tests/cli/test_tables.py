"""Which tables a command and the code location are about: `--table`, STDM_TABLES, all."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from stdm_platform.catalog import DMOS
from stdm_platform.cli import run
from stdm_platform.cli.tables import dmos_of
from stdm_platform.errors import ArgumentError
from stdm_platform.settings import Settings
from stdm_platform_tests.parsed import lend_parse

TICK = ["extract-incremental", "--dry-run", "--now", "2026-01-16T12:00:00Z"]


@pytest.fixture(autouse=True)
def variables(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [each for each in os.environ if each.startswith("STDM_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("STDM_DATA_DIR", str(tmp_path / "data"))


def test_a_flag_goes_before_the_variable_and_the_variable_before_all() -> None:
    wanted = Settings(tables=" steps, sessions ,")
    assert [each.name for each in dmos_of(wanted)] == ["sessions", "steps"]
    assert [each.name for each in dmos_of(wanted, ["moments"])] == ["moments"]
    assert dmos_of(Settings()) == DMOS
    with pytest.raises(ArgumentError, match="STDM_TABLES: 'step' is not in the catalog"):
        dmos_of(Settings(tables="step"))


def test_a_tick_wants_only_the_tables_to_hold(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("STDM_TABLES", "sessions,steps")
    assert run(TICK) == 0
    said = capsys.readouterr()
    assert "sessions" in said.out
    assert "steps" in said.out
    assert "messages" not in said.out + said.err
    monkeypatch.setenv("STDM_TABLES", "nothing")
    assert run(TICK) == 4
    assert "'nothing' is not in the catalog" in capsys.readouterr().err


def test_whole_sessions_are_read_of_the_tables_to_hold_and_of_the_way_to_them(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["extract-tree", "--session-id", "019a3c0e", "--dry-run"]
    monkeypatch.setenv("STDM_TABLES", "messages,generations")
    assert run(words) == 0
    asked = {
        line.split()[1].strip(",")
        for line in capsys.readouterr().out.splitlines()
        if line[:2] == "--"
    }
    assert asked == {"sessions", "interactions", "steps", "messages", "generations"}
    monkeypatch.delenv("STDM_TABLES")
    assert run(words) == 0
    assert "moments" in capsys.readouterr().out


def test_only_tables_to_hold_are_assets(tmp_path: Path) -> None:
    source = (
        "from stdm_platform.definitions import defs\n"
        "keys = defs.resolve_asset_graph().materializable_asset_keys\n"
        "print(*sorted(key.path[-1] for key in keys if key.path[0] == 'stdm'))\n"
    )
    ended = subprocess.run(
        [sys.executable, "-c", source],
        env={
            **os.environ,
            "STDM_TABLES": "sessions,steps",
            "DAGSTER_HOME": "",
            "STDM_DATA_DIR": str(lend_parse(tmp_path / "data")),
        },
        capture_output=True,
        text=True,
        check=True,
    )
    assert ended.stdout.split() == ["sessions", "source_schema", "steps"]
