"""Materializations of marts say what their day holds, as SQL says it."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import dagster as dg
import duckdb
import pytest

from stdm_platform.insight import query
from stdm_platform.marts import MartStore
from stdm_platform.orchestration.day_tables import MOST_ROWS, TABLES, told_of_days
from stdm_platform_tests.pages.written_marts import FIRST_DAY, write_marts

DAYS = [FIRST_DAY, FIRST_DAY + timedelta(days=1)]


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> MartStore:
    return write_marts(tmp_path_factory.mktemp("day_tables"))


@pytest.mark.parametrize("mart", TABLES)
def test_each_day_has_its_rows_and_its_table(store: MartStore, mart: str) -> None:
    told = told_of_days(store, mart, DAYS)
    assert list(told) == DAYS
    for day, metadata in told.items():
        counted = query(store, f"select count(*) as n from {mart} where session_date = '{day}'")
        assert metadata["dagster/row_count"].value == counted["n"][0]
        table = metadata[TABLES[mart][0]]
        assert isinstance(table, dg.TableMetadataValue)
        assert 0 < len(table.records) <= MOST_ROWS


def test_the_routing_of_the_day_is_that_of_sql(store: MartStore) -> None:
    table = told_of_days(store, "topic_routing", DAYS)[DAYS[0]]["routing"]
    assert isinstance(table, dg.TableMetadataValue)
    first = table.records[0].data
    assert (first["from_topic"], first["to_topic"], first["transitions"]) == (
        "(start)",
        "Orders",
        30,
    )
    counts = [each.data["transitions"] for each in table.records]
    assert counts == sorted(counts, reverse=True)  # type: ignore[type-var]


def test_a_day_without_rows_is_a_zero_of_a_published_mart(store: MartStore) -> None:
    day = date(2020, 1, 1)
    told = told_of_days(store, "topic_routing", [day])[day]
    assert {name: value.value for name, value in told.items()} == {"dagster/row_count": 0}


def test_an_unknown_number_is_said_and_no_zero(store: MartStore) -> None:
    table = told_of_days(store, "quality_daily", DAYS)[DAYS[0]]["signals"]
    assert isinstance(table, dg.TableMetadataValue)
    assert {each.data["checks"] for each in table.records if each.data["signal"] == "pii"} == {
        "not known"
    }


def test_marts_that_are_not_there_cost_the_table_and_not_the_run(tmp_path: Path) -> None:
    assert told_of_days(MartStore(tmp_path), "topic_routing", DAYS) == {}
    store = write_marts(tmp_path / "some")
    with duckdb.connect(str(store.marts_db)) as connection:
        connection.execute("drop view topic_routing")
    assert told_of_days(store, "topic_routing", DAYS) == {}
