"""The Dagster instance of a data directory: its home, its `dagster.yaml`, its pool limits.

Belongs here: what a production user would keep in `dagster.yaml`. Does not: assets and jobs.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import dagster as dg

DAGSTER_YAML = """\
# Written once by stdm; edit it as you like, it is not written again.
telemetry:
  enabled: false
event_log_storage: # Dagster's own SQLite files, with their connections kept open
  module: stdm_platform.orchestration.event_log
  class: EventLog
  config:
    home:
      env: DAGSTER_HOME
concurrency:
  runs:
    max_concurrent_runs: 4
  pools:
    granularity: run
    default_limit: 1
run_monitoring:
  enabled: true
  start_timeout_seconds: 180
  max_runtime_seconds: 172800 # two days; the sensors end a run whose process is gone much sooner
run_retries:
  enabled: true
  max_retries: 0 # tags on a job or a launch may ask for more
retention:
  schedule:
    purge_after_days: 90
  sensor:
    purge_after_days:
      skipped: 7
      failure: 30
      success: 90
"""

WAREHOUSE_POOL = "stdm_warehouse"
SOURCE_POOL = "stdm_data360"
POOL_LIMITS = {WAREHOUSE_POOL: 1, SOURCE_POOL: 2}


def dagster_home(data_dir: Path) -> Path:
    """`DAGSTER_HOME` if it is set, else `<data_dir>/dagster`; made, with our `dagster.yaml`."""
    from stdm_platform.lake import make_private_folder

    given = os.environ.get("DAGSTER_HOME")
    make_private_folder(data_dir)
    home = Path(given).expanduser() if given else data_dir / "dagster"
    home = home.absolute()
    home.mkdir(parents=True, exist_ok=True, mode=0o700)
    config = home / "dagster.yaml"
    if not config.exists():
        config.write_text(DAGSTER_YAML)
    seen = home / ".nux" / "nux.yaml"  # the community dialog that would cover every page
    if not seen.exists():
        seen.parent.mkdir(exist_ok=True)
        seen.write_text("seen: 1\n")
    return home


def prepare_instance(data_dir: Path) -> Path:
    """Make the instance ready for work and give its home.

    Pool limits are set explicitly, because the default limit alone lets two first users through;
    days that are held already are made known.
    """
    from stdm_platform.lake import Lake
    from stdm_platform.marts import MartStore
    from stdm_platform.orchestration.held_days import report_held_days

    home = dagster_home(data_dir)
    with instance_at(home) as instance:
        for pool, limit in POOL_LIMITS.items():
            instance.event_log_storage.set_concurrency_slots(pool, limit)
        report_held_days(instance, Lake(data_dir), MartStore(data_dir))
    return home


@contextmanager
def instance_at(home: Path) -> Iterator[dg.DagsterInstance]:
    """The instance of a home, whatever `DAGSTER_HOME` says outside."""
    import dagster as dg

    before = os.environ.get("DAGSTER_HOME")
    os.environ["DAGSTER_HOME"] = str(home)
    try:
        with dg.DagsterInstance.from_config(str(home)) as instance:
            yield instance
    finally:
        if before is None:
            del os.environ["DAGSTER_HOME"]
        else:
            os.environ["DAGSTER_HOME"] = before
