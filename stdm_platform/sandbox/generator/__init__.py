"""The rows of the sandbox org, made set-wise in SQL and deterministic in their seed.

Belongs here: what an org's tables hold. Does not: serving them (the modules beside this package),
rows of real conversations (`..transcripts`).
"""

from stdm_platform.sandbox.generator.org import build_org
from stdm_platform.sandbox.generator.planted import Planted, planted
from stdm_platform.sandbox.generator.tables import ORG_ID, create_tables
from stdm_platform.sandbox.generator.truths import Truths, truths

__all__ = [
    "ORG_ID",
    "Planted",
    "Truths",
    "build_org",
    "create_tables",
    "planted",
    "truths",
]
