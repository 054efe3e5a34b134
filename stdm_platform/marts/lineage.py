"""Which marts are made from which DMO, as dbt's manifest says.

Belongs here: walking the manifest. Does not: making it (`dbt_command.py`), assets (`orchestration`).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from stdm_platform.marts.dbt_command import ensure_manifest


def marts_of_dmos(data_dir: Path) -> dict[str, tuple[str, ...]]:
    """DMO → the marts that read it, through however many models; sorted.

    Raises:
        MartError: the dbt project had to be parsed, and could not be.
    """
    manifest = json.loads(Path(ensure_manifest(data_dir)).read_bytes())
    found: dict[str, set[str]] = {}
    for unique_id, node in manifest["nodes"].items():
        if node["resource_type"] != "model" or node["config"]["materialized"] != "incremental":
            continue
        for source in sources_behind(manifest, unique_id):
            found.setdefault(manifest["sources"][source]["name"], set()).add(node["name"])
    return {name: tuple(sorted(marts)) for name, marts in found.items()}


def sources_behind(manifest: Mapping[str, Any], unique_id: str) -> set[str]:
    """The dbt sources that a model reads, through however many models."""
    seen, waiting, sources = set(), [unique_id], set()
    while waiting:
        each = waiting.pop()
        if each in manifest["sources"]:
            sources.add(each)
        elif each not in seen:
            seen.add(each)
            waiting += manifest["nodes"][each]["depends_on"].get("nodes", ())  # seeds have none
    return sources
