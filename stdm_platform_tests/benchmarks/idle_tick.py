"""What a tick of the watermark sensor costs when nothing is due, with a long history.

`python -m stdm_platform_tests.benchmarks.idle_tick [--days 400] [--objects 10] [--ticks 10]` writes a lake of
settled days by formula, pretends that all marts are published, evaluates the sensor again and again, prints
processor seconds of the first tick (which reads the footers) and of the others, and ends with 1 when the
cheapest of them takes a second or more (issue 3).
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import dagster as dg

from stdm_platform.catalog import DMOS, Dmo
from stdm_platform.lake import Lake
from stdm_platform.marts import MartStore, digests, mart_names
from stdm_platform.orchestration.jobs import DAILY_JOB
from stdm_platform.orchestration.resources import Platform
from stdm_platform.orchestration.watermark import watermark_sensor
from stdm_platform_tests.extraction.history import write_history

NOW = datetime(2026, 11, 20, 10, 20, tzinfo=UTC)
MOST_SECONDS = 1.0


class AtNow(Platform):
    """The platform at the benchmark's instant."""

    def now(self) -> datetime:
        """The instant at which nothing is due."""
        return NOW


def main() -> int:
    """Write, tick, print; 0 if an idle tick takes less than a second of a processor."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--days", type=int, default=400)
    parser.add_argument("--objects", type=int, default=10)
    parser.add_argument("--ticks", type=int, default=10)
    given = parser.parse_args()
    dmos = [dmo for dmo in DMOS if not dmo.is_catalogue][: given.objects]
    with tempfile.TemporaryDirectory(prefix="stdm-idle-tick-") as name:
        write_idle_platform(Path(name), dmos, given.days)
        first, *others = [_tick() for _ in range(1 + given.ticks)]
    print(
        f"{given.days} days of {len(dmos)} objects: first tick of a process {first:.2f} CPU s, "
        f"later ones {min(others):.2f} to {max(others):.2f} CPU s"
    )
    return int(min(others) >= MOST_SECONDS)


def write_idle_platform(data_dir: Path, dmos: Sequence[Dmo], days: int) -> Lake:
    """A data directory in which nothing is due at `NOW`, named by the environment."""
    os.environ |= {
        "STDM_DATA_DIR": str(data_dir),
        "STDM_TABLES": ",".join(dmo.name for dmo in dmos),
        "STDM_START_DATE": str(NOW.date() - timedelta(days=days - 1)),
    }
    lake = write_history(data_dir, dmos, NOW.date(), days, read_at=NOW)
    pretend_published(lake)
    return lake


def pretend_published(lake: Lake) -> None:
    """Marts of all held days, as names only."""
    store, found = MartStore(lake.data_dir), digests.lake_digests(lake)
    generation = store.folder / "gen-1"
    for day in lake.days("sessions"):
        name = f"{found.of(day)}-{digests.models_digest()}.parquet"
        for mart in mart_names():
            folder = generation / mart / f"session_date={day}"
            folder.mkdir(parents=True)
            (folder / name).touch()
    store.current_link.symlink_to(generation.name)
    lake.footers.save()


def _tick() -> float:
    """Processor seconds of one evaluation; what it says is checked."""
    sensor = watermark_sensor(date(2025, 1, 1), [])
    definitions = dg.Definitions(
        sensors=[sensor], jobs=[DAILY_JOB], resources={"platform": AtNow()}
    )
    with (
        dg.DagsterInstance.ephemeral() as instance,
        dg.build_sensor_context(
            instance=instance, definitions=definitions, resources={"platform": AtNow()}
        ) as context,
    ):
        begun = time.process_time()
        said = sensor.evaluate_tick(context)
        spent = time.process_time() - begun
    if said.run_requests or "Nothing is due" not in str(said.skip_message):
        raise AssertionError(f"the tick is not idle: {said.run_requests} {said.skip_message}")
    return spent


if __name__ == "__main__":
    sys.exit(main())
