"""The dbt project parsed once for all tests of a machine: 2.5 CPU seconds for each that borrows it.

For tests in which parsing is not the point; the first start of `stdm dev` in `test_dev.py`, the demo and
`marts/test_dbt_command.py` parse their own.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from pathlib import Path

from stdm_platform.marts import DBT_PROJECT, MartStore, ensure_manifest
from stdm_platform.marts.digests import digest_of_files, project_files

PARSED = ("manifest.json", "partial_parse.msgpack", "project_digest")


def lend_parse(data_dir: Path) -> Path:
    """Give a fresh data directory what dbt has parsed of the project as it is now; the directory."""
    key = f"{DBT_PROJECT} {digest_of_files(project_files())}".encode()
    name = f"stdm-tests-{os.getuid()}-{hashlib.sha256(key).hexdigest()[:16]}"
    ours = Path(tempfile.gettempdir()) / name
    ours.mkdir(mode=0o700, exist_ok=True)
    parsed = ensure_manifest(ours).parent
    data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    target = MartStore(data_dir).target_dir
    target.mkdir(parents=True)
    for name in PARSED:
        shutil.copy(parsed / name, target / name)
    return data_dir
