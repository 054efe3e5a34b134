"""Rows come whole and in order, whatever pages and chunks the org makes of them."""

from __future__ import annotations

import threading

import httpx
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stdm_platform.data360 import connect
from stdm_platform.errors import IncompleteResultError, SourceError
from stdm_platform_tests.data360.fake_org import (
    ARROW,
    Call,
    FakeOrg,
    arrow_rows,
    instead,
    json_rows,
    read_all,
    values,
)


@settings(max_examples=40, deadline=None)
@given(rows=st.integers(0, 60), page=st.integers(1, 25), inline=st.integers(0, 60))
def test_connect_pages_of_any_size_give_every_row_once_in_order(
    rows: int, page: int, inline: int
) -> None:
    org = FakeOrg(rows=rows, page=page, inline=min(inline, rows))
    with org.client(transport="json") as client:
        assert read_all(client) == list(range(rows))


@settings(max_examples=30, deadline=None)
@given(data=st.data())
def test_ranges_read_side_by_side_stay_in_order_with_short_pages(data: st.DataObject) -> None:
    rows = data.draw(st.integers(1, 200))
    size = data.draw(st.integers(1, 40))
    shorts = data.draw(st.lists(st.integers(1, 9), min_size=1, max_size=8))
    org = FakeOrg(rows=rows, page=10_000)

    def short(call: Call, answer: httpx.Response) -> httpx.Response:
        start = int(call.params["offset"])
        body = answer.json()["data"][: shorts[start % len(shorts)]]
        return httpx.Response(200, json={"data": body, "returnedRows": str(len(body))})

    org.bend("connect.rows", short, when=100_000)
    with pytest.MonkeyPatch.context() as patch, org.client(transport="json") as client:
        patch.setattr(connect, "SMALLEST_RANGE", size)
        assert read_all(client) == list(range(rows))


@pytest.mark.parametrize("inline", [0, 1, 9, 10])
@pytest.mark.parametrize("transport", ["arrow", "json"])
def test_a_result_may_begin_in_the_submit_answer(transport: str, inline: int) -> None:
    org = FakeOrg(rows=10, inline=inline, chunks=[4, 6])
    with org.client(transport=transport) as client:
        assert read_all(client) == list(range(10))
    if inline == 10:
        assert org.count("v3.chunk") + org.count("connect.rows") == 0


def test_a_page_with_more_rows_than_asked_for_does_not_double_them() -> None:
    org = FakeOrg(rows=1200, page=10_000, inline=0)

    def all_rows(call: Call, answer: httpx.Response) -> httpx.Response:
        return httpx.Response(200, json={"data": json_rows(int(call.params["offset"]), 1200)})

    org.bend("connect.rows", all_rows, when=100)
    with org.client(transport="json") as client:
        assert read_all(client) == list(range(1200))


def test_the_schema_is_asked_for_once() -> None:
    org = FakeOrg(rows=10)
    with org.client(transport="json") as client:
        read_all(client)
    assert {call.params["omitSchema"] for call in org.of("connect.rows")} == {"true"}


@pytest.mark.parametrize("transport", ["arrow", "json"])
def test_an_empty_page_before_the_last_row_is_asked_again_then_an_error(transport: str) -> None:
    empty = {
        "json": instead(200, json={"data": [], "returnedRows": 0}),
        "arrow": instead(200, content=arrow_rows(0, 0), headers={"content-type": ARROW}),
    }[transport]
    operation = {"json": "connect.rows", "arrow": "v3.rows"}[transport]
    for times, ends_well in ((2, True), (1000, False)):
        org = FakeOrg(rows=10, chunks=[])
        org.bend(operation, empty, when=times)
        with org.client(transport=transport, requests_in_flight=1) as client:
            if ends_well:
                assert read_all(client) == list(range(10))
            else:
                with pytest.raises(IncompleteResultError):
                    read_all(client)
                assert org.count(operation) == 10


def test_an_offset_that_the_org_calls_out_of_range_is_an_error() -> None:
    org = FakeOrg(rows=10, row_count=12)
    with org.client(transport="json") as client, pytest.raises(IncompleteResultError):
        read_all(client)


@settings(max_examples=40, deadline=None)
@given(sizes=st.lists(st.integers(0, 15), max_size=20))
def test_chunks_of_any_size_give_every_row_once_in_order(sizes: list[int]) -> None:
    org = FakeOrg(rows=sum(sizes), chunks=sizes)
    with org.client(transport="arrow") as client:
        result = client.query("SELECT 1")
        assert values(list(result.batches())) == list(range(sum(sizes)))
        assert values(list(result.batches())) == list(range(sum(sizes)))  # and again
        assert [(c.name, c.type) for c in result.columns] == [
            ("id", "Varchar"),
            ("n", "BigInt"),
            ("at", "TimestampTZ"),
        ]


@settings(max_examples=25, deadline=None)
@given(sizes=st.lists(st.integers(0, 15), max_size=5), more=st.integers(1, 40))
def test_rows_beyond_the_chunks_are_read_by_offset(sizes: list[int], more: int) -> None:
    org = FakeOrg(rows=sum(sizes) + more, chunks=sizes)
    with org.client(transport="arrow") as client:
        assert read_all(client) == list(range(org.rows))


def test_a_short_chunk_in_the_middle_is_an_error_and_never_a_doubled_row() -> None:
    org = FakeOrg(rows=30, chunks=[10, 10, 10], page=100)

    def short(call: Call, answer: httpx.Response) -> httpx.Response:
        first = int(call.path.rsplit("/", 1)[1])
        if first != 1:
            return answer
        return httpx.Response(200, content=arrow_rows(10, 15), headers={"content-type": ARROW})

    org.bend("v3.chunk", short, when=100)
    with org.client(transport="arrow") as client, pytest.raises(IncompleteResultError):
        read_all(client)


@pytest.mark.parametrize("transport", ["arrow", "json"])
@pytest.mark.parametrize("promised", [9, 0])
def test_more_rows_than_promised_are_an_error(transport: str, promised: int) -> None:
    org = FakeOrg(rows=10, row_count=promised, chunks=[10], inline=10)
    if transport == "arrow":
        org.inline = 0
    with org.client(transport=transport) as client, pytest.raises(IncompleteResultError):
        read_all(client)


def test_chunks_with_different_columns_are_an_error() -> None:
    org = FakeOrg(rows=20, chunks=[10, 10])

    def other(call: Call, answer: httpx.Response) -> httpx.Response:
        table = pa.ipc.open_stream(answer.content).read_all().rename_columns(["id", "m", "at"])
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, table.schema) as writer:
            writer.write_table(table)
        content = sink.getvalue().to_pybytes()
        return httpx.Response(200, content=content, headers={"content-type": ARROW})

    org.bend("v3.chunk", other, when=lambda number: number == 1)
    with org.client(transport="arrow") as client, pytest.raises(SourceError):
        list(client.query("SELECT 1").batches())


def test_a_reader_that_is_slow_holds_back_the_chunks_ahead() -> None:
    org = FakeOrg(rows=400, chunks=[10] * 40)
    with org.client(transport="arrow", requests_in_flight=3) as client:
        batches = client.query("SELECT 1").batches()
        next(batches)
        threading.Event().wait(0.1)
        assert org.count("v3.chunk") <= 5
        batches.close()  # type: ignore[attr-defined]
        threading.Event().wait(0.05)
        assert org.count("v3.chunk") <= 5


def test_two_results_read_in_turn_by_one_thread_do_not_wait_for_each_other() -> None:
    org = FakeOrg(rows=200, chunks=[5] * 40)
    with org.client(transport="arrow", requests_in_flight=1) as client:
        first, second = client.query("SELECT 1").batches(), client.query("SELECT 2").batches()
        rows = [value for pair in zip(first, second, strict=True) for value in values(list(pair))]
    assert len(rows) == 400


@pytest.mark.parametrize("transport", ["arrow", "json"])
def test_a_query_of_no_rows_still_has_columns(transport: str) -> None:
    for names_columns in (True, False):
        org = FakeOrg(rows=0, chunks=[], names_columns=names_columns or transport == "json")
        with org.client(transport=transport) as client:
            result = client.query("SELECT 1 LIMIT 0")
            assert [column.name for column in result.columns] == ["id", "n", "at"]
            assert list(result.batches()) == []


def test_columns_come_from_the_first_chunk_when_nothing_else_names_them() -> None:
    org = FakeOrg(rows=6, chunks=[0, 6], names_columns=False)
    org.bend("v3.metadata", instead(404, json={"error": "NOT_FOUND"}), when=9)
    with org.client(transport="arrow") as client:
        result = client.query("SELECT 1")
    assert [column.type for column in result.columns] == ["Varchar", "BigInt", "TimestampTZ"]


def untyped(call: Call, answer: httpx.Response) -> httpx.Response:
    """The Arrow rows with a column `at` in which every row is null, and which has no type therefore."""
    with pa.ipc.open_stream(answer.content) as reader:
        table = reader.read_all()
    table = table.set_column(2, "at", pa.nulls(table.num_rows))
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return httpx.Response(
        200, content=sink.getvalue().to_pybytes(), headers={"content-type": ARROW}
    )


@pytest.mark.parametrize(("place", "nulls"), [(0, 4), (1, 6), (2, 4)])
def test_a_column_of_nulls_may_come_without_its_type_in_any_chunk(place: int, nulls: int) -> None:
    org = FakeOrg(rows=14, chunks=[4, 6, 2], page=3)
    org.bend("v3.chunk", untyped, when=lambda number: number == place)
    org.bend("v3.rows", untyped, when=99 if place == 2 else 0)  # the rows after the chunks
    with org.client(transport="arrow", requests_in_flight=1) as client:
        batches = list(client.query("SELECT 1").batches())
    assert values(batches) == list(range(14))
    assert sum(at is None for at in values(batches, "at")) == nulls


def test_an_empty_last_chunk_in_json_does_not_hide_one_that_came_short() -> None:
    org = FakeOrg(rows=10, chunks=[4, 6, 0], serves_arrow=False)
    shortened = instead(200, json={"data": json_rows(0, 3), "returnedRows": 3})
    org.bend("v3.chunk", shortened, when=lambda number: number == 2)  # the first two were refused
    with (
        org.client(transport="arrow", requests_in_flight=1) as client,
        pytest.raises(IncompleteResultError),
    ):
        read_all(client)
