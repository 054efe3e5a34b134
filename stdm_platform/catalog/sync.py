"""Write the files that are derived from the catalog, or with `--check` say which are stale.

Belongs here: where each derived file stands. Does not: what stands in it (`derive.py`).
"""

from __future__ import annotations

import sys
from pathlib import Path

from stdm_platform.catalog.derive import dbt_sources_yaml, readme_table
from stdm_platform.catalog.entries import DMOS

PROJECT = Path(__file__).parents[2]
BEGIN, END = "<!-- dmo-table:begin -->\n", "<!-- dmo-table:end -->"


def derived_files() -> dict[Path, str]:
    """Every derived file with the text that it has to hold."""
    readme = PROJECT / "README.md"
    files = {PROJECT / "dbt_models" / "staging" / "_sources.yml": dbt_sources_yaml(DMOS)}
    text = readme.read_text()
    if BEGIN in text:
        head, _, rest = text.partition(BEGIN)
        _, _, tail = rest.partition(END)
        files[readme] = head + BEGIN + readme_table(DMOS) + END + tail
    return files


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
