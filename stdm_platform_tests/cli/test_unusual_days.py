"""What `stdm extract` says on stderr of days whose figures are beyond what is usual."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import pytest

from stdm_platform.catalog import dmo
from stdm_platform.cli.extracting import say_what_is_unusual
from stdm_platform.extraction import DayOutcome
from stdm_platform.lake import Lake, Reading, Window
from stdm_platform_tests.guard.held_figures import put

SESSIONS, DAY = dmo("sessions"), date(2026, 1, 14)


def lake_with(tmp_path: Path, rows: int) -> Lake:
    """Forty days of 500 rows, and a last one."""
    lake = Lake(tmp_path)
    for back in range(41):
        window = Window.of_day(DAY - timedelta(days=back))
        held = 500 if back else rows
        read = Reading(window.end + timedelta(days=8), "q", "0", 0, "json", held, window)
        put(lake, SESSIONS, window.day, [read])
    return lake


@pytest.mark.parametrize(("rows", "lines"), [(100, 1), (480, 0)])
def test_an_unusual_day_is_one_line_on_stderr_and_a_usual_one_is_none(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], rows: int, lines: int
) -> None:
    say_what_is_unusual(lake_with(tmp_path, rows), [DayOutcome(SESSIONS, DAY, "published")])
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("warning:") == lines
    words = " ".join(err.split())
    assert lines == ("100 rows; the last 5 Wednesdays held 500 to 500" in words)


def test_a_day_that_was_not_read_now_is_not_told_again(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    say_what_is_unusual(lake_with(tmp_path, 100), [DayOutcome(SESSIONS, DAY, "kept")])
    assert capsys.readouterr().err == ""
