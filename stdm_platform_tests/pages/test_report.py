"""The report: its numbers are those of SQL, and what is not known is said and never zero."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

import duckdb
import polars as pl
import pytest

from stdm_platform.errors import NotExtractedError
from stdm_platform.insight import Scope, quality_report, query, topic_routing
from stdm_platform.marts import MartStore
from stdm_platform.pages import report_page
from stdm_platform.pages.figures import cell_of
from stdm_platform.pages.ground import Held
from stdm_platform.pages.routing import MOST_TOPICS, sankey_of
from stdm_platform_tests.pages.page_reading import Read, data_of, read_page
from stdm_platform_tests.pages.written_marts import FIRST_DAY, write_marts

NOW = datetime(2026, 1, 9, 12, tzinfo=UTC)
WITH_COMMANDS = {"routing", "topics", "actions", "action-errors", "quality", "objects"}
HOSTILE = "<script>alert(1)</script>\u202eevil{b|c}\U0001f600" + "x" * 300


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> MartStore:
    return write_marts(tmp_path_factory.mktemp("report"))


@pytest.fixture(autouse=True)
def everything_is_held(monkeypatch: pytest.MonkeyPatch) -> None:
    """The marts are written without a lake under them."""
    monkeypatch.setattr("stdm_platform.insight.actions.require", lambda *_: None)


@pytest.fixture(scope="module")
def whole(store: MartStore) -> Read:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("stdm_platform.insight.actions.require", lambda *_: None)
        return read_page(report_page(store, Scope(), NOW))


def raw(frame: pl.DataFrame) -> list[list[str]]:
    return [
        [cell_of(name, value).raw for name, value in zip(frame.columns, row, strict=True)]
        for row in frame.head(100).iter_rows()
    ]


@pytest.mark.parametrize(
    "scope",
    [
        Scope(),
        Scope(date(2026, 1, 6), date(2026, 1, 7), "Refund_Bot"),
        Scope(since=date(2026, 1, 6), previews=True),
    ],
    ids=("all", "agent", "previews"),
)
def test_all_sql_on_the_page_gives_exactly_the_numbers_of_its_table(
    store: MartStore, scope: Scope
) -> None:
    page = report_page(store, scope, NOW)
    read = read_page(page)
    shown = 0
    for figure, tables in read.tables.items():
        said = read.sources[figure]
        if said[0].startswith("stdm "):
            assert figure in WITH_COMMANDS
            continue
        assert len(said) == len(tables), figure
        for sql, table in zip(said, tables, strict=True):
            found = query(store, sql)
            assert table == raw(found), figure
            assert found.height > 0, figure
            shown += 1
    assert shown == 12
    assert "{where}" not in page


def test_a_scope_stands_in_the_sql_and_in_the_numbers(store: MartStore, whole: Read) -> None:
    scope = Scope(date(2026, 1, 6), date(2026, 1, 7), "Refund_Bot")
    page = read_page(report_page(store, scope, NOW))
    said = query(store, page.source["latency"])
    assert page.tables["latency"][0] == raw(said)
    assert said["turns"].to_list() != query(store, whole.source["latency"])["turns"].to_list()
    assert "agent_name = 'Refund_Bot'" in page.source["latency"]


def test_tables_of_commands_are_those_that_the_commands_show(store: MartStore, whole: Read) -> None:
    assert whole.tables["routing"][0] == raw(topic_routing(store, Scope()))
    signals = quality_report(store, Scope())
    assert [row[0] for row in whole.tables["quality"][0]] == signals["signal"].to_list()
    assert whole.source["routing"] == "stdm topics --routing"


def test_the_widths_of_the_sankey_are_the_rows_of_the_table(store: MartStore) -> None:
    moves = topic_routing(store, Scope())
    chart = sankey_of(moves)
    assert chart is not None
    everyone, *each = chart["variants"]
    assert sum(link[2] for link in everyone["links"]) == moves["transitions"].sum()
    assert sum(link[2] for one in each for link in one["links"]) == moves["transitions"].sum()


def test_the_rarest_of_many_topics_are_drawn_as_one_and_none_is_lost() -> None:
    count = MOST_TOPICS + 6
    rows = pl.DataFrame(
        [("Bot", "(start)", f"Topic_{number}", 100 - number) for number in range(count)],
        schema=["agent_name", "from_topic", "to_topic", "transitions"], orient="row",
    )  # fmt: skip
    (flow,) = sankey_of(rows)["variants"]  # type: ignore[index]
    assert ["(all others)", 1] in flow["nodes"]
    assert sum(link[2] for link in flow["links"]) == rows["transitions"].sum()


def test_every_figure_says_its_definition_its_denominator_and_how_old_it_is(
    store: MartStore,
) -> None:
    page = report_page(store, Scope(), NOW)
    figures = page.count('<article class="figure"')
    assert figures == 16
    for word in ("Definition", "Denominator", "Data"):
        assert page.count(f"<dt>{word}</dt>") == figures


def test_an_empty_range_says_so_and_shows_no_number(store: MartStore) -> None:
    page = report_page(store, Scope(date(2020, 1, 1), date(2020, 2, 1)), NOW)
    read = read_page(page)
    assert "No session started on these days." in read.text
    assert f"Sessions are held from {FIRST_DAY} to 2026-01-07." in read.text
    assert read.tables == {}
    assert "<script" not in page


def test_marts_without_any_session_say_that(tmp_path: Path) -> None:
    read = read_page(report_page(write_marts(tmp_path, sessions=0), Scope(), NOW))
    assert "No session is held at all" in read.text
    assert read.tables == {}


def test_where_nothing_was_ever_extracted_there_is_no_page(tmp_path: Path) -> None:
    with pytest.raises(NotExtractedError):
        report_page(MartStore(tmp_path), Scope(), NOW)


def test_a_missing_mart_is_said_in_its_place_and_the_rest_stands(tmp_path: Path) -> None:
    store = write_marts(tmp_path)
    with duckdb.connect(str(store.marts_db)) as connection:
        connection.execute("drop view llm_usage")
        connection.execute("drop view turn_latency")
    read = read_page(report_page(store, Scope(), NOW))
    for figure in ("llm-usage", "latency", "where-time-goes"):
        assert "cannot answer" in read.notes[figure][0], figure
        assert figure not in read.tables
    assert len(read.tables["actions"][0]) == 6


def test_what_was_not_extracted_is_unknown_and_no_zero(store: MartStore, whole: Read) -> None:
    row = next(row for row in whole.tables["quality"][0] if row[0] == "pii")
    assert row[1] == "not_extracted"
    assert set(row[2:7]) == {""}
    checked = next(row for row in whole.tables["quality"][0] if row[0] == "toxicity")
    assert checked[1:4] == ["never_checked", "0", "0"]


def test_a_gap_of_an_object_stands_beside_the_figures_that_need_it(
    store: MartStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    from stdm_platform.pages import report
    from stdm_platform.pages.ground import Ground, ground_of

    def with_gap(store: MartStore, scope: Scope, made_at: datetime) -> Ground:
        ground = ground_of(store, scope, made_at)
        held = {"interactions": Held(ground.session_days, NOW), "steps": Held(1, NOW)}
        return Ground(scope, made_at, ground.facts, ground.session_days, held, ground.all_days)

    monkeypatch.setattr(report, "ground_of", with_gap)
    read = read_page(report_page(store, Scope(), NOW))
    said = "steps are held on 1 of 3 session days; the rest is unknown and not counted as nothing."
    assert said in read.notes["actions"]
    assert said not in read.notes.get("llm-usage", [])


def test_marts_without_their_lake_say_that_coverage_cannot_be_told(whole: Read) -> None:
    assert "without their lake" in whole.notes["objects"][0]
    assert "never extracted" not in whole.text


def test_hostile_names_are_text_in_tables_and_data(tmp_path: Path) -> None:
    store = write_marts(tmp_path)
    with duckdb.connect(str(store.marts_db)) as connection:
        connection.execute("create table t as from topic_routing")
        connection.execute("drop view topic_routing")
        connection.execute("alter table t rename to topic_routing")
        connection.execute("update topic_routing set to_topic = ? where to_topic = 'Returns'", [HOSTILE])  # fmt: skip
    page = report_page(store, Scope(agent=HOSTILE.replace("x", "")), NOW)
    page.encode()
    page = report_page(store, Scope(), NOW)
    assert "<script>alert" not in page
    topics = {row[2] for row in read_page(page).tables["routing"][0]}
    assert any(topic.startswith("<script>alert(1)</script><U+202E>evil{b|c}") for topic in topics)
    charts = data_of(page)["charts"]
    assert isinstance(charts, dict)
    nodes = [name for name, _ in charts["routing"]["variants"][0]["nodes"]]
    assert any(name.startswith("<script>") and len(name) <= 60 for name in nodes)


def test_the_page_is_small(store: MartStore) -> None:
    assert len(report_page(store, Scope(), NOW).encode()) < 2_000_000
