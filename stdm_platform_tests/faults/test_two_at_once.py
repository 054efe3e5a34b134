"""Two commands that extract the same days at once end as one does."""

from __future__ import annotations

import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from stdm_platform.lake import Lake
from stdm_platform.marts import MartStore, session_days_due
from stdm_platform.sandbox import SandboxHandle
from stdm_platform_tests.faults.world import (
    SINCE,
    STDM,
    UNTIL,
    Rows,
    client,
    environment,
    extract,
    lake_rows,
    leftovers,
    mart_tables,
)

EXTRACT = ("extract", "--since", SINCE, "--until", UNTIL)


def test_two_commands_on_the_same_days_give_the_rows_and_marts_of_one(
    org: SandboxHandle, tmp_path: Path, undisturbed: Rows
) -> None:
    variables = environment(org, tmp_path / "two")
    both = [
        subprocess.Popen(
            [STDM, *EXTRACT],
            env=variables,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    ends = [(process.communicate(timeout=120)[1], process.returncode) for process in both]
    assert [code for _, code in ends] == [0, 0], ends
    assert lake_rows(tmp_path / "two") == undisturbed
    assert leftovers(tmp_path / "two") == []
    assert mart_tables(tmp_path / "two")["session_summary"][0] == 60
    assert session_days_due(Lake(tmp_path / "two"), MartStore(tmp_path / "two")) == []


def test_two_readings_of_the_same_days_at_once_leave_one_window_a_day(
    org: SandboxHandle, tmp_path: Path, undisturbed: Rows
) -> None:
    def read(_: int) -> set[str]:
        with client(org) as asked:
            return {outcome.status for outcome in extract(asked, tmp_path)}

    with ThreadPoolExecutor(3) as pool:
        for statuses in pool.map(read, range(3)):
            assert statuses <= {"published", "kept"}
    assert lake_rows(tmp_path) == undisturbed
    assert leftovers(tmp_path) == []
