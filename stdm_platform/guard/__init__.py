"""Contracts derived from the catalog: types, nulls, unique key, clock, decodability, vocabulary.

Belongs here: whether the rows of one window may become visible, and the words in which a refusal
is told; what drifted at the source (`drift.py`, `schema_drift.py`). Does not: decoding what an org
serves (`extraction`), moving a refused file (`lake`), showing a verdict (`orchestration`, `cli`).
"""

from stdm_platform.guard.contract import Contract
from stdm_platform.guard.drift import Drift, Severity
from stdm_platform.guard.figure_drift import profile_findings
from stdm_platform.guard.findings import Finding, judged_days
from stdm_platform.guard.gate import Gate
from stdm_platform.guard.kinds import is_accepted
from stdm_platform.guard.schema import pandera_schema
from stdm_platform.guard.schema_drift import mixed_families, schema_drifts
from stdm_platform.guard.schema_snapshot import SchemaSnapshot, SeenColumn
from stdm_platform.guard.verdict import Failure, Verdict

__all__ = [
    "Contract",
    "Drift",
    "Failure",
    "Finding",
    "Gate",
    "SchemaSnapshot",
    "SeenColumn",
    "Severity",
    "Verdict",
    "is_accepted",
    "judged_days",
    "mixed_families",
    "pandera_schema",
    "profile_findings",
    "schema_drifts",
]
