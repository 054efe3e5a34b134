"""Output: what programs read can be parsed at any width, what people read is not markup."""

from __future__ import annotations

import csv
import io
import json
from datetime import UTC, date, datetime
from decimal import Decimal

import polars as pl
import pytest

from stdm_platform.cli.output import Format, show
from stdm_platform.errors import ArgumentError

FRAME = pl.DataFrame(
    {
        "name": ["[bold]x[/bold]", 'quote " and \n newline', None],
        "started_at": [datetime(2026, 1, 14, 10, 0, 0, 123000, tzinfo=UTC)] * 3,
        "session_date": [date(2026, 1, 14)] * 3,
        "sessions": [1, 2_000_000, None],
        "share": [0.25, None, 1.0],
        "is_preview": [True, False, None],
    }
)


def shown(capsys: pytest.CaptureFixture[str], frame: pl.DataFrame, form: Format) -> str:
    show(frame, form)
    return capsys.readouterr().out


def test_json_is_one_array_of_objects_with_numbers_and_utc_instants(
    capsys: pytest.CaptureFixture[str],
) -> None:
    rows = json.loads(shown(capsys, FRAME, Format.json))
    assert rows[0] == {
        "name": "[bold]x[/bold]",
        "started_at": "2026-01-14T10:00:00.123Z",
        "session_date": "2026-01-14",
        "sessions": 1,
        "share": 0.25,
        "is_preview": True,
    }
    assert rows[2]["sessions"] is None


def test_sums_of_whole_numbers_are_numbers_in_json(capsys: pytest.CaptureFixture[str]) -> None:
    frame = pl.DataFrame({"total": [Decimal(12)], "mean": [Decimal("1.5")]})
    assert json.loads(shown(capsys, frame, Format.json)) == [{"total": 12, "mean": 1.5}]


def test_an_empty_frame_is_an_empty_array(capsys: pytest.CaptureFixture[str]) -> None:
    assert json.loads(shown(capsys, FRAME.clear(), Format.json)) == []


@pytest.mark.parametrize("columns", ["20", "200"])
def test_csv_is_whole_in_a_terminal_of_any_width(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, columns: str
) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    rows = list(csv.DictReader(io.StringIO(shown(capsys, FRAME, Format.csv))))
    assert [row["name"] for row in rows] == ["[bold]x[/bold]", 'quote " and \n newline', ""]
    assert rows[0]["started_at"] == "2026-01-14T10:00:00.123Z"


def test_a_table_shows_markup_as_text_and_wraps_nothing_in_a_pipe(
    capsys: pytest.CaptureFixture[str],
) -> None:
    frame = pl.DataFrame({"name": ["[red]" + "x" * 300], "rows": [1_234_567]})
    text = shown(capsys, frame, Format.table)
    assert "[red]" + "x" * 300 in text
    assert "1,234,567" in text


def test_nested_and_binary_values_are_shown_as_text(capsys: pytest.CaptureFixture[str]) -> None:
    frame = pl.DataFrame({"list": [[1, 2]], "bytes": [b"x"]})
    assert json.loads(shown(capsys, frame, Format.json))[0]["list"] == "[1, 2]"


def test_a_nested_value_is_json_in_json(capsys: pytest.CaptureFixture[str]) -> None:
    frame = pl.DataFrame({"held": [{"a": 1, "b": "x'y", "at": date(2026, 1, 14)}]})
    text = json.loads(shown(capsys, frame, Format.json))[0]["held"]
    assert json.loads(text) == {"a": 1, "b": "x'y", "at": "2026-01-14"}


def test_codes_of_emoji_are_shown_as_they_are_served(capsys: pytest.CaptureFixture[str]) -> None:
    text = shown(capsys, pl.DataFrame({":smile:": ["postgres:x:101"]}), Format.table)
    assert "postgres:x:101" in text
    assert ":smile:" in text


@pytest.mark.parametrize("form", [Format.table, Format.json, Format.csv])
def test_whole_numbers_beyond_64_bits_are_shown_whole(
    capsys: pytest.CaptureFixture[str], form: Format
) -> None:
    huge = pl.Series("n", [Decimal(10**20 - 1), None, Decimal(7)], dtype=pl.Decimal(38, 0))
    assert str(10**20 - 1) in shown(capsys, pl.DataFrame([huge]), form)


def test_parquet_is_not_poured_into_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    with pytest.raises(ArgumentError, match="Redirect it"):
        show(FRAME, Format.parquet)
