"""The benchmark command at a tiny size: its parts work and its table adds up. Nothing is timed."""

from __future__ import annotations

import io
import json
import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest
from rich.console import Console

from stdm_platform.catalog import dmo
from stdm_platform_tests.benchmarks import __main__ as command
from stdm_platform_tests.benchmarks.measured import MIB, CommandFailedError, Measure, run
from stdm_platform_tests.benchmarks.report import Line, Report
from stdm_platform_tests.benchmarks.volume_org import DAY, volume_file
from stdm_platform_tests.benchmarks.volume_texts import STEP_CHARACTERS, gzip_ratio, step_texts
from stdm_platform_tests.session_objects import SESSION_DMOS

RECORDS = 3_000


@pytest.fixture(scope="module")
def orgs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("orgs")


@pytest.fixture(scope="module")
def rows(orgs: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    path, _ = volume_file(orgs, records=RECORDS)
    copy = shutil.copy(path, orgs / "copy.duckdb")  # an org that serves wants its file to itself
    with duckdb.connect(str(copy), read_only=True) as con:
        con.execute("SET TimeZone = 'UTC'")
        yield con


def _one(con: duckdb.DuckDBPyConnection, sql: str) -> tuple[object, ...]:
    return tuple(con.execute(sql).fetchall()[0])


def test_the_volume_org_has_as_many_records_of_one_day_as_asked_for(
    orgs: Path, rows: duckdb.DuckDBPyConnection
) -> None:
    _, counts = volume_file(orgs, records=RECORDS)
    assert RECORDS <= sum(counts.values()) < RECORDS + 200
    assert counts["steps"] >= 0.6 * RECORDS
    for each in SESSION_DMOS:
        key, clock = each[each.key].source, each[each.clock].source
        found = _one(
            rows,
            f'SELECT count(*), count(DISTINCT "{key}"), min("{clock}")::DATE, max("{clock}")::DATE '
            f'FROM "{each.objects[0]}"',
        )
        assert found == (counts[each.name], counts[each.name], DAY, DAY), each.name


def test_the_volume_orgs_references_lead_somewhere(rows: duckdb.DuckDBPyConnection) -> None:
    for each in SESSION_DMOS:
        if each.parent is None:
            continue
        own = each[each.parent]
        parent = dmo(own.references or "")
        lost = _one(
            rows,
            f'SELECT count(*) FROM "{each.objects[0]}" c WHERE "{own.source}" NOT IN '
            f'(SELECT "{parent[parent.key].source}" FROM "{parent.objects[0]}")',
        )
        assert lost == (0,), each.name


def test_each_step_of_the_volume_org_holds_its_text_which_is_not_all_alike(
    rows: duckdb.DuckDBPyConnection,
) -> None:
    steps = dmo("steps")
    given, said = steps["input_value_text"].source, steps["output_value_text"].source
    least = _one(
        rows, f'SELECT min(length("{given}") + length("{said}")) FROM "{steps.objects[0]}"'
    )
    assert least == (STEP_CHARACTERS,)
    assert 6 < gzip_ratio(step_texts(rows, steps)) < 14


def test_the_command_shows_as_many_rows_for_ours_as_for_the_floor(
    orgs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    output = tmp_path / "found.json"
    words = ["--records", str(RECORDS), "--orgs", str(orgs), "--folder", str(tmp_path)]
    words += [
        "--only",
        "arrow",
        "--times",
        "1",
        "--start-ups",
        "0",
        "--real",
        "none",
        "--output",
        str(output),
    ]
    monkeypatch.setattr(sys, "argv", ["benchmarks", *words])
    code = command.main()
    found = json.loads(output.read_text())
    ours, floor = found["runs"]
    assert (ours["way"], floor["way"]) == ("ours", "floor")
    assert ours["rows"] == floor["rows"] == found["rows"]["steps"]
    for each in (ours, floor):
        assert each["bytes_in"] > each["rows"] * STEP_CHARACTERS > each["bytes_out"] > 0
        assert each["peak"] > 50 * MIB
        assert each["cpu_seconds"] > 0
    assert code == int(any(line["held"] is False for line in found["lines"]))
    shown = capsys.readouterr().out
    assert shown.count(f"{ours['rows']:,}") >= 2
    assert "ours over the floor at most 1.4" in " ".join(shown.split())


def test_a_promise_that_does_not_hold_ends_the_command_with_one() -> None:
    report = Report("small")
    report.lines.append(Line("reported", "12", None))
    report.lines.append(Line("kept", "1.3", held=True))
    assert report.exit_code == 0
    report.lines.append(Line("broken", "1.5", held=False))
    assert report.exit_code == 1
    console = Console(record=True, width=120, file=io.StringIO())
    report.show(console)
    assert "NOT HELD" in console.export_text()


def test_a_run_that_fails_ends_the_command_with_one_and_its_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fails(*_: object) -> None:
        raise CommandFailedError("stdm extract …: the org is gone")

    monkeypatch.setattr(command, "volume", fails)
    words = ["--folder", str(tmp_path), "--output", str(tmp_path / "found.json")]
    monkeypatch.setattr(sys, "argv", ["benchmarks", *words])
    assert command.main() == 1
    assert "the org is gone" in " ".join(capsys.readouterr().out.split())


def test_a_measure_tells_the_memory_of_the_process_and_not_of_its_parent(tmp_path: Path) -> None:
    held = bytearray(300 * MIB)
    words = [sys.executable, "-S", "-c", "print(len(bytearray(90 * 2**20)))"]
    measure = run(words, dict(os.environ), tmp_path / "said.log")
    assert measure.said == f"{90 * MIB}\n"
    assert 90 * MIB < measure.peak < len(held)


def test_a_measure_counts_processes_that_the_command_starts(tmp_path: Path) -> None:
    inner = "import time; held = bytearray(120 * 2**20); time.sleep(0.4)"
    outer = f"import subprocess, sys; subprocess.run([sys.executable, '-S', '-c', {inner!r}])"
    measure = run([sys.executable, "-S", "-c", outer], dict(os.environ), tmp_path / "said.log")
    assert measure.peak > 120 * MIB


def test_a_command_that_fails_is_no_measure(tmp_path: Path) -> None:
    with pytest.raises(CommandFailedError, match="no such thing"):
        run(
            [sys.executable, "-c", "raise SystemExit('no such thing')"],
            dict(os.environ),
            tmp_path / "said.log",
        )


def test_the_same_seed_gives_the_same_rows(orgs: Path, rows: duckdb.DuckDBPyConnection) -> None:
    again = orgs / "again"
    path, _ = volume_file(again, records=RECORDS)
    with duckdb.connect(str(path), read_only=True) as other:
        for each in SESSION_DMOS:
            sql = f'SELECT bit_xor(hash(t)) FROM "{each.objects[0]}" t'
            assert _one(rows, sql) == _one(other, sql), each.name


def test_figures_hold_the_largest_peak_and_not_what_was_said() -> None:
    measure = Measure(1.0, 2.0, kernel_peak=5, peaks={"stdm": 7, "dbt": 3}, said="text")
    assert measure.figures()["peak"] == 7
    assert "said" not in measure.figures()
