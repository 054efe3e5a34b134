"""A reader holds `marts.duckdb` open while runs publish, and asks again."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from stdm_platform.catalog import dmo
from stdm_platform.sandbox import SandboxHandle
from stdm_platform_tests.changed_rows import changed_rows
from stdm_platform_tests.end_to_end.command import Stdm
from stdm_platform_tests.end_to_end.conftest import (
    DAYS,
    FIRST,
    NOW,
    SESSIONS_PER_DAY,
)
from stdm_platform_tests.end_to_end.facts import ask, tree_hash

TWO_DAYS = ("--since", str(FIRST), "--until", str(DAYS[2]), "--now", NOW)
QUESTIONS = [
    "select count(*), sum(turn_count)::int from session_summary",
    "select sum(transitions)::int from topic_routing where to_topic = '(end)'",
    "select sum(turn_count)::int from topic_summary",
]
READER = f"""
import duckdb, json, sys
marts = duckdb.connect(sys.argv[1], read_only=True)
for _ in sys.stdin:
    print(json.dumps([list(marts.execute(q).fetchone()) for q in {QUESTIONS!r}]), flush=True)
"""


class Reader:
    """A client of the marts in a process and a working directory of its own."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def ask(self) -> list[list[int]]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write("again\n")
        self._process.stdin.flush()
        answer: list[list[int]] = json.loads(self._process.stdout.readline())
        return answer


@contextmanager
def reader_of(data_dir: Path, cwd: Path) -> Iterator[Reader]:
    process = subprocess.Popen(
        [sys.executable, "-c", READER, str(data_dir / "marts.duckdb")],
        cwd=cwd,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        yield Reader(process)
    finally:
        process.communicate()


def new_reader(data_dir: Path) -> list[list[Any]]:
    return [list(ask(data_dir, question)[0]) for question in QUESTIONS]


def generations(data_dir: Path) -> list[str]:
    return sorted(path.name for path in (data_dir / "marts").glob("gen-*"))


def test_an_open_reader_keeps_old_agreeing_answers_and_a_new_one_sees_the_new_ones(
    stdm: Stdm, org: SandboxHandle, tmp_path: Path
) -> None:
    stdm("extract", *TWO_DAYS).succeeded()
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    data = stdm.data_dir
    (first,) = generations(data)
    published = tree_hash(data / "marts" / first)
    sessions = dmo("sessions")
    table, clock = sessions.objects[0], sessions[sessions.clock].source
    with reader_of(data, elsewhere) as reader:
        old = reader.ask()
        assert old[0][0] == old[1][0] == 2 * SESSIONS_PER_DAY
        assert old[0][1] == old[2][0]
        with changed_rows(org, "sessions"):
            gone = f"{clock}::date = date '{FIRST}' ORDER BY {clock} LIMIT 5"
            key = sessions[sessions.key].source
            org.execute(
                f'DELETE FROM "{table}" WHERE {key} IN (SELECT {key} FROM "{table}" WHERE {gone})'
            )
            stdm("extract", *TWO_DAYS).succeeded()
        assert reader.ask() == old
        new = new_reader(data)
        assert new[0][0] == new[1][0] == 2 * SESSIONS_PER_DAY - 5
        assert new[0][1] == new[2][0] < old[0][1]
    second = (data / "marts" / "current").readlink().name
    assert generations(data) == sorted([first, second])
    assert first != second
    kept = data / "marts" / first
    (mark,) = (path for path in kept.iterdir() if path.is_file())
    mark.unlink()
    assert tree_hash(kept) == published
