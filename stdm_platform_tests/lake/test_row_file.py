"""Row groups are written by a thread of the file: their order, their errors, their end."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from stdm_platform.catalog import dmo
from stdm_platform.errors import LakeError
from stdm_platform.lake import RowChecksum, checksum_of_file
from stdm_platform.lake import row_file as module
from stdm_platform.lake.row_file import RowFile
from stdm_platform_tests.lake.days import rows

SESSIONS = dmo("sessions")


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RowFile:
    monkeypatch.setattr(module, "ROW_GROUP_ROWS", 2)
    return RowFile(SESSIONS, tmp_path / "rows.parquet", "sessions of a day")


def _writers() -> int:
    return sum(thread.name.startswith("write") for thread in threading.enumerate())


def test_groups_keep_the_order_of_the_rows_and_their_checksum(file: RowFile) -> None:
    batches = [rows(3, mark) for mark in "qwertyuiop"]
    expected = RowChecksum()
    for batch in batches:
        file.write(batch)
        expected.add(batch)
    file.end({})
    keys = [key for batch in batches for key in batch.column(SESSIONS.key).to_pylist()]
    assert pq.read_table(file.path).column(SESSIONS.key).to_pylist() == keys
    assert file.checksum == expected.text == checksum_of_file(file.path)
    assert _writers() == 0


def test_a_group_that_the_disk_refused_is_told_and_never_ended(
    file: RowFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = file._write_group

    def refuse_the_second(writer: Any, group: Any) -> None:
        monkeypatch.setattr(file, "_write_group", full)
        real(writer, group)

    def full(writer: Any, group: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(file, "_write_group", refuse_the_second)
    file.write(rows(2, "q"))
    file.write(rows(2, "w"))
    with pytest.raises(LakeError, match="No space left") as told:
        file.write(rows(2, "e"))
    assert "sessions of a day" in str(told.value)
    file.abort()
    assert not file.is_open
    assert _writers() == 0


def test_the_error_of_the_last_group_is_told_at_the_flush(
    file: RowFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(writer: Any, group: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(file, "_write_group", full)
    file.write(rows(2, "q"))
    with pytest.raises(OSError, match="No space left"):
        file.flush()
    file.abort()
