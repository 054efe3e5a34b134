"""What cannot be answered ends with one line, its exit code, and never with words of a conversation."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import duckdb
import pytest

from stdm_platform.cli import run
from stdm_platform_tests.insight.mart_tables import marts_with, session

SAID = "Hi, it's Billy from 12 Main Street"


@pytest.fixture
def held(tmp_path: Path) -> Path:
    """A data directory with one session of which a text is held."""
    event = {"session_id": "s", "event_number": 1, "event_kind": "message", "text": SAID}
    marts_with(tmp_path, session_summary=[session("s")], session_timeline=[event])
    return tmp_path


def refused(capsys: pytest.CaptureFixture[str], held: Path, *words: str) -> tuple[int, str]:
    code = run([*words, "--data-dir", str(held)])
    out, err = capsys.readouterr()
    assert out == ""
    assert len(err.strip().splitlines()) == 1, err
    assert "Traceback" not in err
    return code, err


def test_words_of_a_conversation_stay_out_of_the_error(
    held: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, said = refused(capsys, held, "sql", "select text::int from session_timeline")
    assert code == 4
    assert "Could not convert string '…'" in said
    assert "Billy" not in said
    assert "nobody" in refused(capsys, held, "sql", "select nobody from session_summary")[1]


@pytest.mark.parametrize("sql", ["", " \n;", ";"])
def test_no_sql_is_refused(held: Path, capsys: pytest.CaptureFixture[str], sql: str) -> None:
    assert refused(capsys, held, "sql", sql) == (
        4,
        'stdm: There is no SQL to run. Try `stdm sql "show tables"`.\n',
    )


@pytest.mark.parametrize("is_damaged", [True, False])
def test_a_lost_mart_file_is_no_fault_of_the_sql(
    held: Path, capsys: pytest.CaptureFixture[str], *, is_damaged: bool
) -> None:
    file = held / "marts" / "gen-1" / "held" / "one.parquet"
    file.parent.mkdir(parents=True)
    with duckdb.connect(str(held / "marts.duckdb")) as marts:
        marts.execute(f"copy (select 1 as n) to '{file}'")
        marts.execute(f"create view held as from read_parquet('{file}')")
    assert run(["sql", "from held", "--data-dir", str(held)]) == 0
    capsys.readouterr()
    if is_damaged:
        file.write_bytes(b"PAR1 cut off PAR1")
    else:
        file.unlink()
    code, said = refused(capsys, held, "sql", "from held")
    assert code == 1
    assert "missing, damaged or may not be read" in said
    assert "stdm extract-incremental" in said


def test_a_damaged_view_file_names_doctor(held: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (held / "marts.duckdb").write_bytes(b"no database")
    code, said = refused(capsys, held, "sql", "show tables")
    assert code == 1
    assert "stdm doctor" in said


def test_a_view_file_that_may_not_be_read_is_not_called_damaged(
    held: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (held / "marts.duckdb").write_bytes(b"no database")
    monkeypatch.setattr("os.access", lambda path, _: Path(path).name != "marts.duckdb")
    code, said = refused(capsys, held, "sql", "show tables")
    assert code == 1
    assert "may not be read by this user. Mend its rights." in said


@pytest.mark.parametrize(
    "words",
    [
        ["find", "--limit", "9223372036854775808"],
        ["find", "--definition", "judge"],
        ["analyze", "--since", "2026-01-15", "--until", "2026-01-14"],
        ["find", "--min-seconds", "5", "--max-seconds", "2"],
        ["find", "--max-seconds", "nan"],
    ],
    ids=" ".join,
)
def test_bad_arguments_end_with_4(
    held: Path, capsys: pytest.CaptureFixture[str], words: Sequence[str]
) -> None:
    assert refused(capsys, held, *words)[0] == 4


@pytest.mark.parametrize("words", [["status"], ["find"], ["extract", "--days", "1"]], ids=" ".join)
def test_an_empty_data_directory_is_not_the_working_directory(
    capsys: pytest.CaptureFixture[str], words: Sequence[str]
) -> None:
    assert run([*words, "--data-dir", ""]) == 4
    assert capsys.readouterr().err.startswith("stdm: --data-dir is empty.")


def test_the_bare_command_prints_its_help_and_nothing_else(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run([]) == 4
    out, err = capsys.readouterr()
    assert "Start without an org" in out + err
    assert "stdm:" not in out + err


def test_the_status_of_nothing_says_what_to_do(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["status", "--data-dir", str(tmp_path / "none"), "--format", "csv"]) == 0
    out, err = capsys.readouterr()
    assert out.startswith("table,")
    assert err == "Nothing was extracted here yet. Run stdm extract --days 7, or stdm demo.\n"
    assert not (tmp_path / "none").exists()


def test_what_the_system_refuses_is_one_line(
    held: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied", "/somewhere/locks/_staging.lock")

    monkeypatch.setattr("stdm_platform.cli.marts.show", refuse)
    code, said = refused(capsys, held, "sql", "show tables")
    assert code == 1
    assert "/somewhere/locks/_staging.lock: Permission denied" in said


def test_an_interruption_is_told_and_ends_with_130(
    held: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("stdm_platform.cli.marts.show", interrupt)
    assert refused(capsys, held, "sql", "show tables") == (130, "stdm: stopped.\n")


@pytest.mark.parametrize("end", ["> /dev/full", ">&-"])
def test_a_full_or_closed_stdout_is_told(held: Path, end: str) -> None:
    command = f"exec {sys.executable} -m stdm_platform sql 'from session_summary' --data-dir '{held}' {end}"
    ended = subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=False)
    assert ended.returncode in (1, 4)
    assert len(ended.stderr.strip().splitlines()) == 1, ended.stderr


def test_a_reader_that_leaves_ends_parquet_quietly(held: Path) -> None:
    command = f"{sys.executable} -m stdm_platform sql 'from range(3000000)' --format parquet --data-dir '{held}' | head -c 4"
    ended = subprocess.run(["sh", "-c", command], capture_output=True, check=False)
    assert (ended.stdout, ended.stderr) == (b"PAR1", b"")
