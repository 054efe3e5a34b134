"""An org of rows that somebody else has written, and a result's files."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest

from stdm_platform.catalog import DMOS, dmo
from stdm_platform.errors import ArgumentError
from stdm_platform.sandbox import SandboxOptions
from stdm_platform.sandbox.arguments import options_from_arguments
from stdm_platform.sandbox.org import Org
from stdm_platform.sandbox.refusals import Refusal
from stdm_platform.sandbox.stored import Result

SESSIONS = dmo("sessions").objects[0]
KEY = dmo("sessions")["session_id"].source


@pytest.fixture
def rows(tmp_path: Path) -> Path:
    path = tmp_path / "mine.duckdb"
    with duckdb.connect(str(path)) as con:
        con.execute(f'CREATE TABLE "{SESSIONS}" AS SELECT \'mine\' AS "{KEY}"')
    return path


def _options(tmp_path: Path, rows: Path, **given: str) -> SandboxOptions:
    return SandboxOptions(tmp_path / "org", rows=rows, **given).checked()  # type: ignore[arg-type]


def test_an_org_serves_the_rows_of_a_file_and_makes_none(tmp_path: Path, rows: Path) -> None:
    org = Org(_options(tmp_path, rows))
    try:
        assert org.execute(f'SELECT "{KEY}" FROM "{SESSIONS}"')[1] == [("mine",)]
        assert org.objects[SESSIONS.lower()].columns == (KEY,)
        assert len(org.objects) == len(DMOS)
    finally:
        org.close()
    with duckdb.connect(str(rows), read_only=True) as con:
        assert con.execute(f'SELECT count(*) FROM "{SESSIONS}"').fetchall() == [(1,)]


def test_a_file_of_rows_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ArgumentError, match=r"--rows .* is no file"):
        _options(tmp_path, tmp_path / "none.duckdb")


def test_memory_that_cannot_be_meant_is_refused(tmp_path: Path, rows: Path) -> None:
    with pytest.raises(ArgumentError, match="--memory 'much'"):
        Org(_options(tmp_path, rows, memory="much"))


def test_rows_and_memory_survive_the_command_line(tmp_path: Path, rows: Path) -> None:
    options = _options(tmp_path, rows, memory="700MB")
    assert options_from_arguments(options.arguments()) == options


@pytest.fixture
def result(tmp_path: Path) -> Result:
    schema = pa.schema([("n", pa.int64()), ("text", pa.string())])
    made = Result("id", tmp_path / "result", schema, datetime.now(UTC))
    made.folder.mkdir()
    for start in (0, 300):
        numbers = list(range(start, start + 300))
        made.add(pa.table([numbers, ["a word that comes again"] * 300], schema=schema))
    return made


def test_a_result_is_smaller_on_the_disk_than_on_the_wire_and_reads_the_same(
    result: Result,
) -> None:
    sent = [result.chunk_stream(number) for number in range(2)]
    assert result.size == sum(path.stat().st_size for path in result.folder.iterdir())
    assert result.size < sum(each.size for each in sent) / 2
    assert pa.ipc.open_stream(sent[1]).read_all()["n"].to_pylist() == list(range(300, 600))
    assert result.rows(290, 20)["n"].to_pylist() == list(range(290, 310))


def test_a_result_that_was_dropped_is_not_read_from_memory(result: Result) -> None:
    assert result.rows(0, 1).num_rows == 1
    result.drop()
    with pytest.raises(Refusal):
        result.chunk_stream(0)
    with pytest.raises(Refusal):
        result.rows(0, 1)
