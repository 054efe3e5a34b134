"""Lists in a terminal: as long as asked for, and their totals of all."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from stdm_platform.cli import run
from stdm_platform_tests.insight.mart_tables import marts_with, session


@pytest.mark.parametrize(("flags", "shown"), [([], 100), (["--limit", "2"], 2)])
def test_moments_end_at_the_limit_and_the_total_is_of_all(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], flags: list[str], shown: int
) -> None:
    moments = [
        {"moment_id": f"m{number}", "session_id": "s", "started_at": "2026-01-14 10:00:00+00"}
        for number in range(101)
    ]
    marts_with(tmp_path, session_summary=[session("s")], moment_links=moments)
    arguments = ["moment-urls", *flags, "--data-dir", str(tmp_path), "--format", "json"]
    assert run(arguments) == 0
    out, err = capsys.readouterr()
    assert len(json.loads(out)) == shown
    assert f"101 moments of 1 sessions, {shown} shown" in err
