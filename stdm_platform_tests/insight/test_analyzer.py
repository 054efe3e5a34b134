"""`Analyzer`: its examples run, it equals the commands, and it costs no more than it has to."""

from __future__ import annotations

import doctest
import importlib
import inspect
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from stdm_platform import Analyzer
from stdm_platform.cli import run
from stdm_platform.errors import ArgumentError, NotExtractedError
from stdm_platform.insight import analyzer_figures, analyzer_lists
from stdm_platform.insight.session_record import SessionRecord

PARTS = ("analyzer", "analyzer_frames", "analyzer_figures", "analyzer_lists", "analyzer_sessions")
WITHOUT_DATA = ("links", "served_values", "session_record")
FLAGS = doctest.ELLIPSIS
COMMANDS: dict[str, tuple[str, Callable[[Analyzer], pl.DataFrame]]] = {
    "session_summary": ("analyze", Analyzer.session_summary),
    "outcomes": ("analyze --by outcome", Analyzer.outcomes),
    "end_type_distribution": ("analyze --by end-type", Analyzer.end_type_distribution),
    "sessions_by_date": ("analyze --by day", Analyzer.sessions_by_date),
    "step_distribution": ("actions --steps", Analyzer.step_distribution),
    "topic_analysis": ("topics", Analyzer.topic_analysis),
    "topic_routing": ("topics --routing", Analyzer.topic_routing),
    "action_distribution": ("actions", Analyzer.action_distribution),
    "quality_report": ("quality-report", Analyzer.quality_report),
    "by_agent": ("quality-report --by-agent", lambda a: a.quality_report(by_agent=True)),
    "find_failed_sessions": ("find-failed", Analyzer.find_failed_sessions),
    "find_hallucinations": ("find-hallucinations", Analyzer.find_hallucinations),
    "find_toxic_responses": ("find-toxic", Analyzer.find_toxic_responses),
    "find_low_instruction_adherence": (
        "find-low-adherence",
        Analyzer.find_low_instruction_adherence,
    ),
    "find_unresolved_tasks": ("find-unresolved", Analyzer.find_unresolved_tasks),
    "find": ("find --topic orders --limit 2", lambda a: a.find(topic="orders", limit=2)),
    "get_moment_urls": ("moment-urls", Analyzer.get_moment_urls),
    "session_timeline_optimized": (
        "debug-session --session-id s1",
        lambda a: a.session_timeline_optimized("s1"),
    ),
    "sql": ("sql 'from turn_latency order by all'", lambda a: a.sql("from turn_latency order by all")),
}  # fmt: skip
SEED_METHODS = [
    "load_sessions",
    "load_interactions",
    "load_steps",
    "load_messages",
    "load_generations",
    "load_content_quality",
    "load_content_categories",
    "session_summary",
    "step_distribution",
    "action_distribution",
    "topic_analysis",
    "message_timeline",
    "session_timeline_optimized",
    "end_type_distribution",
    "sessions_by_date",
    "find_failed_sessions",
    "find_hallucinations",
    "hallucination_summary",
    "find_toxic_responses",
    "find_low_instruction_adherence",
    "find_unresolved_tasks",
    "quality_report",
    "generate_moment_url",
    "get_moment_urls",
    "print_summary",
    "print_session_debug",
    "print_quality_report",
]  # section 7.7 of the Data 360 page


@pytest.fixture
def there(example: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """In the directory in which the examples are written."""
    monkeypatch.chdir(example)
    return example


def run_examples(module: str) -> int:
    loaded = importlib.import_module(f"stdm_platform.insight.{module}")
    runner = doctest.DocTestRunner(optionflags=FLAGS)
    for case in doctest.DocTestFinder().find(loaded, extraglobs={"Analyzer": Analyzer}):
        runner.run(case)
    failed, attempted = runner.summarize(verbose=False)
    assert failed == 0
    return attempted


@pytest.mark.parametrize("module", PARTS)
def test_the_examples_of_the_docstrings_hold(there: Path, module: str) -> None:
    assert run_examples(module) > 0


@pytest.mark.parametrize("module", WITHOUT_DATA)
def test_the_examples_of_what_needs_no_data_hold(module: str) -> None:
    assert run_examples(module) > 0


def test_the_walkthrough_runs_as_it_is_written(there: Path) -> None:
    failed, attempted = doctest.testfile(
        "walkthrough.md", package="stdm_platform.insight", optionflags=FLAGS, encoding="utf-8"
    )
    assert (failed, attempted > 20) == (0, True)


def test_every_method_of_the_seed_is_there_and_every_method_has_an_example() -> None:
    public = {name: method for name, method in inspect.getmembers(Analyzer, inspect.isfunction)
              if not name.startswith("_")}  # fmt: skip
    assert set(SEED_METHODS) <= set(public)
    for name, method in public.items():
        text = inspect.getdoc(method) or ""
        assert name == "close" or ">>> " in text, f"{name} has no example"


@pytest.mark.parametrize("name", COMMANDS)
def test_a_method_equals_its_command(
    there: Path, capfdbinary: pytest.CaptureFixture[bytes], name: str
) -> None:
    words, method = COMMANDS[name]
    arguments = [part.strip("'") for part in words.split(maxsplit=1 if name == "sql" else -1)]
    capfdbinary.readouterr()
    assert run([*arguments, "--data-dir", "stdm_data", "--format", "parquet"]) == 0
    expected = pl.read_parquet(capfdbinary.readouterr().out)
    with Analyzer("stdm_data") as analyzer:
        found = method(analyzer)
    assert found.height > 0
    assert found.equals(expected)


def test_the_agent_of_a_method_stands_over_the_analyzers_own(there: Path) -> None:
    analyzer = Analyzer("stdm_data", agent="Nobody")
    assert analyzer.session_summary().is_empty()
    assert analyzer.session_summary("Orders_Bot").height == 1
    methods: list[Any] = [
        *inspect.getmembers(analyzer_figures.Figures, inspect.isfunction),
        *inspect.getmembers(analyzer_lists.Lists, inspect.isfunction),
    ]
    for name, method in methods:
        asks = name.startswith(("find", "get_", "session_summary")) or name.endswith("distribution")
        assert not asks or "agent" in inspect.signature(method).parameters, name


def test_figures_of_previews_are_counted_on_demand(there: Path) -> None:
    assert Analyzer("stdm_data", previews=True).session_summary()["sessions"].sum() == 4


def test_tables_and_marts_are_lazy_and_bounded_by_the_range(there: Path) -> None:
    analyzer = Analyzer("stdm_data", since="2026-01-15")
    assert isinstance(analyzer.table("steps"), pl.LazyFrame)
    assert isinstance(analyzer.mart("session_summary"), pl.LazyFrame)
    assert analyzer.load_sessions().collect()["session_id"].to_list() == ["s4"]
    assert analyzer.mart("session_summary").collect()["session_id"].to_list() == ["s4"]
    assert Analyzer("stdm_data", since="2030-01-01").mart("session_summary").collect().is_empty()


def test_a_summary_of_nothing_says_so_in_words(
    there: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Analyzer("stdm_data", since="2030-01-01", until="2030-01-02").print_summary()
    said = "No session is held for session days from 2030-01-01 until 2030-01-02.\n"
    assert capsys.readouterr().out == said


def test_every_mart_can_be_read_and_has_the_columns_of_its_contract(there: Path) -> None:
    analyzer = Analyzer("stdm_data")
    contract = analyzer.sql(
        "select mart, list(column_name order by column_name) from mart_columns group by all"
    )
    for mart, columns in contract.rows():
        assert sorted(analyzer.mart(mart).collect().columns) == columns, mart


def test_what_is_not_there_is_named(there: Path, tmp_path: Path) -> None:
    analyzer = Analyzer("stdm_data")
    with pytest.raises(ArgumentError, match="'stepz' is no table"):
        analyzer.table("stepz")
    with pytest.raises(ArgumentError, match="nothing"):
        analyzer.mart("nothing")
    with pytest.raises(ArgumentError, match="2026-13-01"):
        Analyzer("stdm_data", since="2026-13-01")
    with pytest.raises(NotExtractedError, match="No held day has the session"):
        analyzer.session("nobody")
    with pytest.raises(NotExtractedError):
        Analyzer(tmp_path).session_summary()
    with pytest.raises(NotExtractedError):
        Analyzer(tmp_path).load_sessions()


def test_a_frame_can_be_collected_after_its_analyzer_is_gone_but_not_after_closing(
    there: Path,
) -> None:
    assert Analyzer("stdm_data").load_sessions().collect().height == 4
    with Analyzer("stdm_data") as analyzer:
        frame = analyzer.load_sessions()
    with pytest.raises(Exception, match="No such file"):
        frame.collect()


def test_a_record_is_the_same_as_the_mart_of_timelines(there: Path) -> None:
    """SQL readers and those who look at one session see the same events."""
    analyzer = Analyzer("stdm_data")
    mart = analyzer.mart("session_timeline").sort("session_id", "event_number").collect()
    columns = ["event_number", "event_at", "ended_at", "duration_ms", "event_kind", "event_id", "parent_kind",
               "parent_id", "interaction_id", "turn_number", "step_id", "name", "topic", "previous_topic",
               "is_error", "error_text", "text"]  # fmt: skip
    for key in ("s1", "s2", "s3"):
        events = analyzer.session_timeline_optimized(key)
        assert events.select(columns).equals(mart.filter(session_id=key).select(columns)), key
        assert isinstance(analyzer.session(key), SessionRecord)


def test_importing_it_loads_neither_dagster_nor_dbt() -> None:
    code = "import sys; from stdm_platform import Analyzer; print(' '.join(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = {name.split(".")[0] for name in done.stdout.split()}
    assert "polars" in loaded
    assert not loaded & {
        "dagster",
        "dagster_dbt",
        "dagster_duckdb",
        "dbt",
        "dbt_common",
        "httpx_sse",
    }


def test_importing_the_package_alone_loads_no_room() -> None:
    code = "import sys, stdm_platform; print(' '.join(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "polars" not in done.stdout.split()


def test_json_of_every_command_is_valid_at_twenty_columns(
    there: Path, monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    monkeypatch.setenv("COLUMNS", "20")
    for name, (words, _) in COMMANDS.items():
        if name == "sql":
            continue
        assert run([*words.split(), "--data-dir", "stdm_data", "--format", "json"]) == 0, words
        assert isinstance(json.loads(capfdbinary.readouterr().out), list), words


def test_a_file_is_no_data_directory(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ArgumentError, match="is a file"):
        Analyzer(tmp_path / "file")
