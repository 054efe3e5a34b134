"""Which marts a DMO reaches, from the manifest."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from stdm_platform.marts import lineage


def model(kind: str, *parents: str, materialized: str = "view") -> dict[str, Any]:
    name = kind.rpartition(".")[2]
    return {
        "name": name,
        "resource_type": "model",
        "config": {"materialized": materialized},
        "depends_on": {"nodes": list(parents)},
    }


def test_a_mart_is_reached_through_any_number_of_models(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    nodes = {
        "m.stg_steps": model("m.stg_steps", "s.steps"),
        "m.stg_sessions": model("m.stg_sessions", "s.sessions"),
        "m.both": model("m.both", "m.stg_steps", "m.stg_sessions"),
        "m.days": model("m.days", "m.both", materialized="incremental"),
        "m.agents": model("m.agents", "m.stg_sessions", "m.days", materialized="incremental"),
        "m.alone": model("m.alone", "m.stg_sessions", "seed.prices", materialized="incremental"),
        "seed.prices": {"resource_type": "seed", "depends_on": {"macros": []}, "config": {}},
    }
    sources = {f"s.{name}": {"name": name} for name in ("sessions", "steps", "moments")}
    path = tmp_path / "manifest.json"
    path.write_text(json.dumps({"nodes": nodes, "sources": sources}))
    monkeypatch.setattr(lineage, "ensure_manifest", lambda data_dir: path)
    assert lineage.marts_of_dmos(tmp_path) == {
        "sessions": ("agents", "alone", "days"),
        "steps": ("agents", "days"),
    }
