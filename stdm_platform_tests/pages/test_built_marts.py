"""Pages of marts that dbt built, made by the commands: what they ask is there, and they agree with SQL."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from stdm_platform.cli import main
from stdm_platform.insight import query, session_record
from stdm_platform.lake import Lake
from stdm_platform.marts import MartStore, build_marts, session_days_due
from stdm_platform.pages.turn_parts import CLASSES, parts_of, response_ms, segments_of
from stdm_platform.settings import Settings
from stdm_platform_tests.insight.example_lake import example_lake
from stdm_platform_tests.pages.page_reading import data_of, read_page
from stdm_platform_tests.parsed import lend_parse


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    data_dir = lend_parse(tmp_path_factory.mktemp("pages") / "stdm_data")
    lake, store = example_lake(data_dir), MartStore(data_dir)
    build_marts(lake, store, session_days_due(lake, store), Settings())
    return data_dir


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> object:
    def command(*words: str) -> int:
        monkeypatch.setattr(sys, "argv", ["stdm", *words])
        with pytest.raises(SystemExit) as ended:
            main()
        return int(ended.value.code or 0)

    return command


def test_every_figure_is_answered_by_the_marts_of_this_version(
    built: Path, tmp_path: Path, run: object, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "report.html"
    assert run("report", "--data-dir", str(built), "--out", str(out)) == 0  # type: ignore[operator]
    said = capsys.readouterr()
    assert said.out == ""
    assert "report.html" in said.err
    read = read_page(out.read_text(encoding="utf-8"))
    refused = {
        key: notes for key, notes in read.notes.items() if "cannot answer" in " ".join(notes)
    }
    assert refused == {}
    assert "unknown figure" not in read.text
    store = MartStore(built)
    for figure in ("latency", "completeness", "outcomes-by-day"):
        assert len(read.tables[figure][0]) == min(100, query(store, read.source[figure]).height)
    assert [path.name for path in tmp_path.iterdir()] == ["report.html"]


def test_a_turn_is_divided_as_turn_latency_divides_it(built: Path) -> None:
    store = MartStore(built)
    wanted = query(store, "from turn_latency order by session_id, turn_number").to_dicts()
    assert wanted
    for row in wanted:
        record = session_record(Lake(built), store, row["session_id"])
        (turn,) = [each for each in record.turns if each.interaction_id == row["interaction_id"]]
        assert response_ms(turn) == row["response_ms"]
        if row["llm_ms"] is None:
            continue
        parts = parts_of(segments_of(turn))
        for name in (*CLASSES, "unexplained"):
            assert parts[name] == row[f"{name}_ms"], (row["session_id"], row["turn_number"], name)


def test_the_page_of_a_session_has_its_rows(built: Path, tmp_path: Path, run: object, capsys: pytest.CaptureFixture[str]) -> None:  # fmt: skip
    store, out = MartStore(built), tmp_path / "session.html"
    (session_id, turns) = query(store, "select session_id, turn_count from session_summary order by turn_count desc limit 1").row(0)  # fmt: skip
    assert run("debug-session", "--session-id", session_id, "--data-dir", str(built), "--html", str(out)) == 0  # type: ignore[operator]  # fmt: skip
    assert capsys.readouterr().out == ""
    page = out.read_text(encoding="utf-8")
    made = data_of(page)["turns"]
    assert sum(turn["number"] is not None for turn in made) == turns  # type: ignore[attr-defined]
    assert session_id in page


def test_exit_codes_say_why_there_is_no_page(built: Path, tmp_path: Path, run: object) -> None:
    out = tmp_path / "x.html"
    nothing, nowhere = ["--data-dir", str(tmp_path / "none")], str(tmp_path / "no" / "x.html")
    assert run("report", *nothing, "--out", str(out)) == 3  # type: ignore[operator]
    assert run("report", "--data-dir", str(built), "--out", nowhere) == 4  # type: ignore[operator]
    assert run("report", "--data-dir", str(built), "--since", "2026-02-30", "--out", str(out)) == 4  # type: ignore[operator]  # fmt: skip
    assert not out.exists()
    empty = ["--since", "2020-01-01", "--until", "2020-01-02", "--out", str(out)]
    assert run("report", "--data-dir", str(built), *empty) == 0  # type: ignore[operator]
    assert "No session started on these days" in out.read_text()


def test_the_page_and_its_note_tell_age_from_the_clock_that_was_given(
    built: Path, run: object, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = (
        "--data-dir",
        str(built),
        "--out",
        str(tmp_path / "later.html"),
        "--now",
        "2126-01-01T00:00:00Z",
    )
    assert run("report", *words) == 0  # type: ignore[operator]
    days_ago = int(capsys.readouterr().err.rpartition("UTC (")[2].split(" days ago")[0])
    assert days_ago > 99 * 365
    assert "2126-01-01 00:00" in (tmp_path / "later.html").read_text()
