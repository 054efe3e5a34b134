from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stdm_platform.catalog import Column, Dmo, arrow_schema, dmo
from stdm_platform.errors import IncompleteResultError
from stdm_platform.extraction.conform import Conformer, decode

NOON = datetime(2026, 1, 14, 12, tzinfo=UTC)
WIDE = Dmo(
    name="wide",
    label="",
    objects=("Wide__dlm",),
    key="id",
    clock="at",
    parent=None,
    description="One row per test.",
    columns=(
        Column("id", "id__c", "text", "", required=True),
        Column("at", "at__c", "timestamp", "", required=True),
        Column("size", "size__c", "number", ""),
        Column("flag", "flag__c", "boolean", ""),
        Column("lacking", "lacking__c", "number", ""),
    ),
)
ASKED = ("id", "at", "size", "flag")


def conformed(**columns: Any) -> tuple[list[dict[str, Any]], dict[str, list[bool]]]:
    served = pa.RecordBatch.from_pydict(
        {"id": ["a"], "at": ["2026-01-14T12:00:00Z"], "size": [1], "flag": [True], **columns}
    )
    result = Conformer(WIDE, ASKED).conform(served)
    assert result.batch.schema.equals(arrow_schema(WIDE))
    marks = {name: marked.to_pylist() for name, marked in result.undecodable.items()}
    return result.batch.to_pylist(), marks


def test_a_batch_comes_out_in_the_catalogs_schema() -> None:
    rows, marks = conformed()
    assert rows == [{"id": "a", "at": NOON, "size": 1.0, "flag": True, "lacking": None}]
    assert marks == {}


def test_result_names_match_without_case_and_in_any_order() -> None:
    served = pa.RecordBatch.from_pydict(
        {"FLAG": [False], "Size": [2.5], "AT": ["2026-01-14T12:00:00Z"], "ID": ["a"]}
    )
    row = Conformer(WIDE, ASKED).conform(served).batch.to_pylist()[0]
    assert row == {"id": "a", "at": NOON, "size": 2.5, "flag": False, "lacking": None}


def test_a_column_that_was_asked_for_and_not_served_is_an_error() -> None:
    served = pa.RecordBatch.from_pydict({"id": ["a"], "at": ["2026-01-14"], "size": [1]})
    with pytest.raises(IncompleteResultError, match="flag__c"):
        Conformer(WIDE, ASKED).conform(served)


@pytest.mark.parametrize(
    ("column", "value"),
    [("at", "next week"), ("size", "much"), ("flag", "maybe"), ("size", [1]), ("at", 1768392000)],
)
def test_a_value_that_cannot_be_read_becomes_null_and_is_marked(column: str, value: Any) -> None:
    rows, marks = conformed(**{column: [value]})
    assert rows[0][column] is None
    assert marks == {column: [True]}


@pytest.mark.parametrize("sentinel", ["", "NOT_SET", "None"])
def test_a_sentinel_stays_in_text_and_is_no_value_elsewhere(sentinel: str) -> None:
    rows, marks = conformed(id=[sentinel], at=[sentinel], size=[sentinel], flag=[sentinel])
    assert rows == [{"id": sentinel, "at": None, "size": None, "flag": None, "lacking": None}]
    assert marks == {}


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (pa.array([5]), "5"),
        (pa.array([True]), "true"),
        (pa.array(["x"], pa.large_string()), "x"),
        (pa.array(["x"], pa.string_view()), "x"),
        (pa.array(["x"]).dictionary_encode(), "x"),
        (pa.array([{"a": 1}]), None),
        (pa.array([None]), None),
    ],
)
def test_text_is_text_whatever_it_came_as(values: pa.Array, expected: str | None) -> None:
    decoded = decode(values, "text")
    assert (decoded.type, decoded.to_pylist()) == (pa.string(), [expected])


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (pa.array([5], pa.int32()), 5.0),
        (pa.array([Decimal("0.3")]), 0.3),
        (pa.array(["0.3"]), 0.3),
        (pa.array([0.3]), 0.3),
        (pa.array([True]), None),
    ],
)
def test_numbers_are_equal_on_both_transports(values: pa.Array, expected: float | None) -> None:
    assert decode(values, "number").to_pylist() == [expected]


@given(st.lists(st.decimals(-(10**9), 10**9, places=4), min_size=1))
def test_any_decimal_is_the_same_number_as_its_text(numbers: list[Decimal]) -> None:
    served = decode(pa.array(numbers, pa.decimal128(18, 4)), "number")
    assert served.equals(decode(pa.array([str(number) for number in numbers]), "number"))
    assert served.to_pylist() == [float(number) for number in numbers]


def test_booleans_are_read_from_text() -> None:
    served = pa.array(["true", "FALSE", "True", None])
    assert decode(served, "boolean").to_pylist() == [True, False, True, None]


def test_an_empty_batch_of_every_dmo_conforms() -> None:
    entry = dmo("steps")
    served = pa.schema([(name, pa.string()) for name in entry.column_names]).empty_table()
    batch = (
        Conformer(entry, entry.column_names)
        .conform(
            served.to_batches()[0]
            if served.to_batches()
            else pa.RecordBatch.from_pylist([], schema=served.schema)
        )
        .batch
    )
    assert batch.schema.equals(arrow_schema(entry))
