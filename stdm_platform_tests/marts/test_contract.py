"""What is published changes only together with `dbt_models/mart_columns.csv`."""

from __future__ import annotations

from dataclasses import replace

from stdm_platform.lake import Lake
from stdm_platform.marts import MartStore, mart_columns, mart_names
from stdm_platform.marts.contract import CONTRACT_FILE, contract_text, enforced_columns
from stdm_platform_tests.marts.lakes import DAY, at, hold
from stdm_platform_tests.marts.standins import publish_quickly

WRITE = "If the change is meant: uv run python -m stdm_platform.marts, and commit the file."


def test_what_dbt_enforces_is_the_contract_file() -> None:
    assert contract_text(enforced_columns()) == CONTRACT_FILE.read_text(), WRITE
    assert {column.mart for column in mart_columns()} == set(mart_names())


def test_another_type_name_order_or_null_rule_is_another_contract() -> None:
    columns = enforced_columns()
    first = columns[0]
    others = [
        replace(first, data_type="blob"),
        replace(first, column_name="renamed"),
        replace(first, is_nullable=not first.is_nullable),
    ]
    texts = {contract_text([other, *columns[1:]]) for other in others}
    texts |= {contract_text([*columns[1:], first]), contract_text(columns[1:])}
    assert len(texts - {CONTRACT_FILE.read_text()}) == 5


def test_the_contract_can_be_asked_beside_the_marts(lake: Lake, store: MartStore) -> None:
    hold(lake, "sessions", [{"session_id": "s", "started_at": at("10:00")}])
    publish_quickly(lake, store, [DAY])
    with store.connect() as marts:
        rows = marts.execute("select mart, column_name from mart_columns").fetchall()
    assert rows == [(column.mart, column.column_name) for column in mart_columns()]
