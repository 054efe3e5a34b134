"""Keep: windows of a day as Parquet files, written atomically, described by their own footers.

Belongs here: window files and their names, footers and checksums, staging, the exchange of day
folders, snapshots, refused files, whose org the directory is. Does not: asking an org (`data360`),
contracts (`guard`), which windows are due (`extraction`), Dagster.

    lake = Lake(data_dir)
    with lake.stage(dmo, window) as staged:
        for batch in batches:
            staged.write(batch)
        staged.close(org_id=..., reading=Reading(...), settled=is_settled(window, now, ...))
        lake.publish(dmo.name, window.day, [staged])       # or lake.refuse(staged, reason)

Readers take `lake.snapshot(...)`; `Snapshot.scan(name)` gives its rows with the catalog's schema.
Beside the days there is an overlay of whole sessions: `lake.tree(session_id)`; see `trees.py`.
"""

from stdm_platform.lake.checksum import RowChecksum, checksum_of_file
from stdm_platform.lake.evidence import Evidence, Reading, evidence_of_path
from stdm_platform.lake.files import make_private_folder
from stdm_platform.lake.names import WindowFile
from stdm_platform.lake.proof import Proof
from stdm_platform.lake.quarantine import REASON, quarantine_schema
from stdm_platform.lake.refusals import Refusal
from stdm_platform.lake.rows import Rows
from stdm_platform.lake.snapshots import Snapshot
from stdm_platform.lake.staging import StagedWindow
from stdm_platform.lake.store import Lake
from stdm_platform.lake.tree_evidence import TreeEvidence
from stdm_platform.lake.tree_staging import StagedTree
from stdm_platform.lake.trees import Tree, TreeReading
from stdm_platform.lake.window import (
    Window,
    cut_to_millisecond,
    frontier,
    holes,
    is_settled,
    late_days,
    reading_that_counts,
    watermark,
)

__all__ = [
    "REASON",
    "Evidence",
    "Lake",
    "Proof",
    "Reading",
    "Refusal",
    "RowChecksum",
    "Rows",
    "Snapshot",
    "StagedTree",
    "StagedWindow",
    "Tree",
    "TreeEvidence",
    "TreeReading",
    "Window",
    "WindowFile",
    "checksum_of_file",
    "cut_to_millisecond",
    "evidence_of_path",
    "frontier",
    "holes",
    "is_settled",
    "late_days",
    "make_private_folder",
    "quarantine_schema",
    "reading_that_counts",
    "watermark",
]
