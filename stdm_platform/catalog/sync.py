"""Write the files that are derived from the catalog and the settings, or with `--check` name stale ones.

Belongs here: where each derived text stands. Does not: what stands in it (`derive.py`).
"""

from __future__ import annotations

import sys
from pathlib import Path

from stdm_platform.catalog.derive import dbt_sources_yaml, readme_table, settings_table
from stdm_platform.catalog.entries import DMOS
from stdm_platform.catalog.staging import MARK, staging_sql, staging_yaml

PROJECT = Path(__file__).parents[2]


def derived_files() -> dict[Path, str]:
    """Every file with derived text, and the whole text that it has to hold."""
    readme = PROJECT / "README.md"
    text = _between(readme.read_text(), "dmo-table", readme_table(DMOS))
    staging = PROJECT / "dbt_models" / "staging"
    files = {
        staging / "_sources.yml": dbt_sources_yaml(DMOS),
        readme: _between(text, "settings-table", settings_table()),
    }
    for dmo in DMOS:
        model = staging / f"stg_{dmo.name}.sql"
        if not _is_by_hand(model):
            files |= {model: staging_sql(dmo), model.with_suffix(".yml"): staging_yaml(dmo)}
    return files


def _is_by_hand(model: Path) -> bool:
    """Whether somebody wrote the model, because it does more than the usual."""
    return model.exists() and MARK not in model.read_text().partition("\n")[0].lower()


def _between(text: str, name: str, derived: str) -> str:
    """The text with the part between two marks replaced; without marks it stays as it is."""
    begin, end = f"<!-- {name}:begin -->\n", f"<!-- {name}:end -->"
    head, mark, rest = text.partition(begin)
    _, _, tail = rest.partition(end)
    return head + begin + derived + end + tail if mark else text


def stale_files() -> list[Path]:
    """The derived files that are missing or differ from the catalog."""
    return [
        path
        for path, text in derived_files().items()
        if not path.exists() or path.read_text() != text
    ]


def main(arguments: list[str]) -> int:
    """Write what is stale; with `--check`, name it and return 1 instead."""
    stale = stale_files()
    if "--check" in arguments:
        sys.stderr.writelines(f"stale: {path.relative_to(PROJECT)}\n" for path in stale)
        return 1 if stale else 0
    files = derived_files()
    for path in stale:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(files[path])
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
