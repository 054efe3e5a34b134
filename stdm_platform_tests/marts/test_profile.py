"""The profile of dbt as dbt-duckdb applies it: options once at opening, settings on every cursor."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import duckdb
import pytest
import yaml
from jinja2 import Environment

from stdm_platform_tests.orchestration.processes import PROJECT

SPILLING = "CREATE TEMP TABLE t AS SELECT hash(i) AS a, hash(i + 1) AS b FROM range(2000000) r(i) ORDER BY a"


def _profile(**variables: str) -> dict[str, Any]:
    template = Environment(autoescape=True).from_string(
        (PROJECT / "dbt_models" / "profiles.yml").read_text()
    )
    text = template.render(env_var=lambda name, default="": variables.get(name, default))
    return dict(yaml.safe_load(text)["stdm"]["outputs"]["local"])


def _cursor(con: duckdb.DuckDBPyConnection, profile: dict[str, Any]) -> duckdb.DuckDBPyConnection:
    cursor = con.cursor()
    for name, value in profile["settings"].items():
        cursor.execute(f"SET {name} = '{value}'")
    return cursor


def test_a_build_that_has_spilled_opens_another_cursor(tmp_path: Path) -> None:
    spill = tmp_path / "spill"
    profile = _profile(STDM_DUCKDB_SPILL_DIR=str(spill), STDM_DUCKDB_MEMORY_LIMIT="40MB")
    with duckdb.connect(config=profile.get("config_options") or {}) as con:
        _cursor(con, profile).execute(SPILLING)
        assert list(spill.iterdir()), "nothing was spilled: the test shows nothing"
        _cursor(con, profile).execute("SELECT 1")


def test_a_temporary_folder_cannot_be_set_again_once_it_was_used(tmp_path: Path) -> None:
    profile = _profile(STDM_DUCKDB_MEMORY_LIMIT="40MB")
    settings = {**profile["settings"], "temp_directory": str(tmp_path / "spill")}
    options = {
        name: value for name, value in profile["config_options"].items() if name not in settings
    }
    with duckdb.connect(config=options) as con:
        _cursor(con, {"settings": settings}).execute(SPILLING)
        with pytest.raises(duckdb.Error, match="Cannot switch temporary directory"):
            _cursor(con, {"settings": settings})
