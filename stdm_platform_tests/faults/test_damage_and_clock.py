"""Files that rot, clocks that jump, an org that hangs: nothing is lost, nothing settles wrongly."""

from __future__ import annotations

import logging
import subprocess
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from stdm_platform.errors import ArgumentError
from stdm_platform.extraction import extract_plan, plan_now
from stdm_platform.lake import Lake
from stdm_platform.sandbox import SandboxHandle, running
from stdm_platform_tests.extraction.world import DAY, NOW, SESSIONS, extract, held
from stdm_platform_tests.faults.actions import in_two_parts, org_of, part_of_day
from stdm_platform_tests.faults.requests import (
    client_of_socket,
    days_of,
    in_memory,
    org_options,
    read_day,
)

HOUR, ONE_DAY, MONTH = timedelta(hours=1), timedelta(days=1), timedelta(days=31)
DAMAGES: dict[str, Callable[[bytes], bytes]] = {
    "empty": lambda content: b"",
    "cut in the middle": lambda content: content[: len(content) // 2],
    "cut by one byte": lambda content: content[:-1],
    "its last bytes flipped": lambda content: content[:-4] + bytes(255 - b for b in content[-4:]),
    "its footer's length flipped": lambda content: content[:-8] + b"\xff" * 4 + content[-4:],
    "its footer zeroed": lambda content: content[:-400] + bytes(392) + content[-8:],
    "other content": lambda content: b"PAR1 is only how it begins",
    "text": lambda content: b"not a file of ours",
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_file_is_named_kept_aside_and_read_again(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, damage: str
) -> None:
    data_dir = tmp_path / "data"
    in_two_parts(data_dir)
    whole = held(Lake(data_dir), SESSIONS)
    first = Lake(data_dir).windows("sessions", DAY)[0].path
    content = DAMAGES[damage](first.read_bytes())
    first.write_bytes(content)
    lake = Lake(data_dir)
    with caplog.at_level(logging.WARNING):
        plan = plan_now(lake, start=DAY, now=NOW, dmos=[SESSIONS])
    assert "sessions of 2026-01-14" in caplog.text
    assert "Its window is missing" in caplog.text
    (aside,) = lake.folders.refused_day("sessions", DAY).glob("*.parquet")
    assert aside.read_bytes() == content
    assert any(window.overlaps(part_of_day(0, 6)) for window in plan.windows("sessions", DAY))
    extract_plan(org_of("old", 3), lake, plan, dmos=[SESSIONS], workers=1)
    assert held(Lake(data_dir), SESSIONS) == whole


@pytest.mark.parametrize("back", [HOUR, ONE_DAY, MONTH])
def test_a_clock_that_goes_back_loses_nothing_and_says_what_it_cannot_read(
    tmp_path: Path, back: timedelta
) -> None:
    lake, noon = Lake(tmp_path), NOW.replace(day=DAY.day, hour=13, minute=0)
    org = org_of("old", 3)
    extract(org, lake, SESSIONS, days=[DAY], now=noon, workers=1)
    before = held(lake, SESSIONS)
    earlier = noon - back
    plan = plan_now(lake, start=DAY - 2 * MONTH, now=earlier, dmos=[SESSIONS])
    assert all(each.window.end <= earlier for each in plan.due)
    if back == HOUR:
        with pytest.raises(ArgumentError, match="ends after the clock"):
            extract(org, lake, SESSIONS, days=[DAY], now=earlier, workers=1, again=True)
    assert held(lake, SESSIONS) == before
    assert not any(file.settled for file in lake.windows("sessions", DAY))
    # The clock is right again: the day is read to its end and settles in its time.
    for now in (NOW, NOW + 8 * ONE_DAY):
        plan = plan_now(lake, start=DAY, now=now, dmos=[SESSIONS])
        extract_plan(org_of("new", 5), lake, plan, dmos=[SESSIONS], workers=1)
    assert len(held(lake, SESSIONS)) == 5
    assert all(file.settled for file in lake.windows("sessions", DAY))


def test_a_clock_that_jumped_ahead_never_reads_past_the_evidence(tmp_path: Path) -> None:
    """What was read with a clock a month ahead says so; the days after it are read when they come."""
    lake = Lake(tmp_path)
    ahead = NOW + MONTH
    plan = plan_now(lake, start=DAY, now=ahead, dmos=[SESSIONS])
    extract_plan(org_of("old", 3), lake, plan, dmos=[SESSIONS], workers=1)
    read_at = {said.read_at for _, said in lake.evidence_of_day("sessions", DAY)}
    assert read_at == {_cut(ahead)}
    # Back at the right time, what it called final is read again, and days to come in their time.
    plan = plan_now(lake, start=DAY, now=NOW, dmos=[SESSIONS])
    assert DAY in plan.days()
    assert max(plan.days()) < NOW.date()
    extract_plan(org_of("new", 5), lake, plan, dmos=[SESSIONS], workers=1)
    assert len(held(lake, SESSIONS, DAY)) == 5


def _cut(instant: datetime) -> datetime:
    return instant.replace(microsecond=0)


@pytest.fixture(scope="module")
def org() -> Iterator[SandboxHandle]:
    with in_memory() as folder, running(org_options(folder / "org")) as handle:
        yield handle


@pytest.mark.parametrize("transport", ["arrow", "json"])
def test_a_real_silence_of_the_server_is_outlived(
    org: SandboxHandle, tmp_path: Path, transport: str
) -> None:
    with client_of_socket(org, transport) as asked:
        read_day(asked, tmp_path / "undisturbed", [SESSIONS])
    org.set_faults([{"kind": "hang", "seconds": 1.5, "on": "*.submit", "at": [1, 2]}])
    with client_of_socket(org, transport) as asked:
        read_day(asked, tmp_path / "disturbed", [SESSIONS])
    assert org.served() == {"hang": 2}
    org.clear_faults()
    assert days_of(tmp_path / "disturbed") == days_of(tmp_path / "undisturbed")


def test_a_disk_that_is_really_full_is_told(tmp_path: Path) -> None:
    small = tmp_path / "small"
    small.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=8k", "tmpfs", str(small)],
        capture_output=True,
        check=False,
    )
    if mounted.returncode:
        pytest.skip("no file system may be mounted here")
    try:
        (outcome,) = extract(org_of("x" * 40, 2000), Lake(small / "data"), SESSIONS, workers=1)
        assert outcome.error is not None
        assert str(outcome.error).startswith("sessions of 2026-01-14: The disk refused")
        assert "No space left" in str(outcome.error)
        assert held(Lake(small / "data"), SESSIONS) == []
    finally:
        subprocess.run(["umount", "-l", str(small)], check=True)
