"""Build the marts with dbt and publish them, without Dagster.

Belongs here: which mart days are due or disagree with the lake, what dbt needs before it starts,
running it, generations of published marts and the views on them. Does not: SQL of models
(`dbt_models`), questions to the
marts (`insight`), extraction.

    store = MartStore(data_dir)
    build_marts(lake, store, session_days_due(lake, store), settings)
    with store.connect() as marts:
        marts.sql("from session_summary")
"""

from stdm_platform.marts.agreement import MartDays, mart_days, older_marts, verify_mart_day
from stdm_platform.marts.build import BuildContext, build_marts, prepared_build
from stdm_platform.marts.contract import MartColumn, mart_columns
from stdm_platform.marts.dbt_command import (
    DbtOutcome,
    NodeResult,
    dbt_arguments,
    dbt_environment,
    ensure_manifest,
)
from stdm_platform.marts.digests import (
    CHILD_HORIZON,
    mart_names,
    session_days_after,
    session_days_due,
    session_days_to_build,
    touched_session_days,
)
from stdm_platform.marts.publication import mend
from stdm_platform.marts.store import DBT_PROJECT, Generation, MartStore

__all__ = [
    "CHILD_HORIZON",
    "DBT_PROJECT",
    "BuildContext",
    "DbtOutcome",
    "Generation",
    "MartColumn",
    "MartDays",
    "MartStore",
    "NodeResult",
    "build_marts",
    "dbt_arguments",
    "dbt_environment",
    "ensure_manifest",
    "mart_columns",
    "mart_days",
    "mart_names",
    "mend",
    "older_marts",
    "prepared_build",
    "session_days_after",
    "session_days_due",
    "session_days_to_build",
    "touched_session_days",
    "verify_mart_day",
]
