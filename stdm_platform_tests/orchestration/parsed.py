"""The dbt project parsed once for all tests of a machine: about six CPU seconds for each that lends it.

For tests in which parsing is not the point; the first start of `stdm dev` in `test_dev.py` parses its own.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

from stdm_platform.marts import MartStore, ensure_manifest
from stdm_platform.marts.digests import digest_of_files, project_files


def lend_manifest(data_dir: Path) -> None:
    """Give a fresh data directory the manifest of the project as it is now."""
    digest = digest_of_files(project_files())
    ours = Path(tempfile.gettempdir()) / f"stdm-tests-{os.getuid()}-{digest[:16]}"
    ours.mkdir(mode=0o700, exist_ok=True)
    manifest = ensure_manifest(ours)
    target = MartStore(data_dir).target_dir
    target.mkdir(parents=True)
    for name in (manifest.name, "project_digest"):
        shutil.copy(manifest.with_name(name), target / name)
