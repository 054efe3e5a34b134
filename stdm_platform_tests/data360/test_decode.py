"""Values keep their meaning on the way from JSON or Arrow to a batch."""

from __future__ import annotations

import httpx
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stdm_platform.data360 import ResultColumn, answers, decode
from stdm_platform.data360.answers import Answer, Body
from stdm_platform.data360.columns import arrow_type_name, columns_of, type_name
from stdm_platform.data360.decode import ArrowChunk, batch_of_rows
from stdm_platform.data360.faults import TransientFault
from stdm_platform.errors import SourceError
from stdm_platform_tests.data360.fake_org import FakeOrg, arrow_rows, read_all


def decoded(kind: str, given: list[object], scale: int | None = None) -> pa.Array:
    column = ResultColumn("c", type_name(kind), scale)
    return batch_of_rows([[value] for value in given], [column]).column(0)


@pytest.mark.parametrize(
    ("kind", "given", "expected", "arrow"),
    [
        ("bigint", [1, "2", None, 3.0, "4.00", 2**62], [1, 2, None, 3, 4, 2**62], pa.int64()),
        ("INTEGER", [1, None], [1, None], pa.int64()),
        ("Double", [1, "2.5", None], [1.0, 2.5, None], pa.float64()),
        ("numeric", ["1.25", 3], [1.25, 3.0], pa.float64()),
        ("Boolean", [True, "false", "TRUE", None], [True, False, True, None], pa.bool_()),
        ("Varchar", ["a", None, 5, 1.5, True, {"a": 1}], ["a", None, "5", "1.5", "true", '{"a":1}'],
         pa.string()),
        ("TimestampTZ", ["2026-01-14T00:00:00.123Z"], ["2026-01-14T00:00:00.123Z"], pa.string()),
        ("Date", ["2026-01-14"], ["2026-01-14"], pa.string()),
        ("Geography", ["x", 1], ["x", "1"], pa.string()),
    ],
)  # fmt: skip
def test_json_values_follow_their_declared_type(
    kind: str, given: list[object], expected: list[object], arrow: pa.DataType
) -> None:
    array = decoded(kind, given)
    assert array.type == arrow
    assert array.to_pylist() == expected


def test_a_numeric_without_decimals_is_an_integer() -> None:
    assert decoded("Numeric", [2**60 + 1], scale=0).to_pylist() == [2**60 + 1]


@pytest.mark.parametrize(
    ("kind", "value"), [("bigint", "planted"), ("bigint", 1.5), ("double", "x"), ("boolean", "x")]
)
def test_a_value_that_does_not_fit_its_type_names_the_column_and_not_the_value(
    kind: str, value: object
) -> None:
    with pytest.raises(SourceError) as caught:
        decoded(kind, [value])
    assert "Column c" in str(caught.value)
    assert "planted" not in str(caught.value)


@pytest.mark.parametrize("rows", [[[1, 2], [3]], [[1, 2, 3]], [1, 2], [[]]])
def test_rows_that_do_not_fit_the_columns_are_read_again(rows: list[object]) -> None:
    columns = [ResultColumn("a", "BigInt"), ResultColumn("b", "BigInt")]
    with pytest.raises(TransientFault):
        batch_of_rows(rows, columns)  # type: ignore[arg-type]


@given(st.lists(st.tuples(st.text(), st.one_of(st.none(), st.integers(-(2**63), 2**63 - 1)))))
def test_text_and_integers_survive_as_they_are(rows: list[tuple[str, int | None]]) -> None:
    columns = [ResultColumn("t", "Varchar"), ResultColumn("n", "BigInt")]
    rows = [(text.encode("utf-8", "replace").decode(), number) for text, number in rows]
    batch = batch_of_rows(rows, columns)
    assert list(zip(*(c.to_pylist() for c in batch.columns), strict=True)) == rows


@pytest.mark.parametrize(
    ("arrow", "name"),
    [
        (pa.string(), "Varchar"),
        (pa.large_string(), "Varchar"),
        (pa.string_view(), "Varchar"),
        (pa.dictionary(pa.int32(), pa.string()), "Varchar"),
        (pa.timestamp("us", "UTC"), "TimestampTZ"),
        (pa.timestamp("ms"), "Timestamp"),
        (pa.date32(), "Date"),
        (pa.decimal128(18, 2), "Numeric"),
        (pa.int16(), "SmallInt"),
        (pa.int32(), "Integer"),
        (pa.int64(), "BigInt"),
        (pa.float32(), "Float"),
        (pa.float64(), "Double"),
        (pa.bool_(), "Boolean"),
        (pa.binary(), "binary"),
        (pa.list_(pa.int8()), "list<item: int8>"),
    ],
)
def test_arrow_types_have_the_names_that_the_org_uses(arrow: pa.DataType, name: str) -> None:
    assert arrow_type_name(arrow) == name


def test_type_names_are_compared_without_case_and_unknown_ones_kept() -> None:
    assert type_name("TIMESTAMPTZ") == "TimestampTZ"
    assert type_name("timestamp with time zone") == "TimestampTZ"
    assert type_name("varchar(255)") == "Varchar"
    assert type_name("GeoPoint") == "GeoPoint"
    assert type_name(None) == ""


def test_columns_are_found_in_every_form_of_metadata() -> None:
    listed = [{"name": "a", "type": "varchar"}, {"name": "n", "type": "NUMERIC", "scale": "2"}]
    wanted = (ResultColumn("a", "Varchar"), ResultColumn("n", "Numeric", 2))
    assert columns_of(listed) == wanted
    assert columns_of({"columns": listed}) == wanted
    assert columns_of({"metadata": {"columns": listed}}) == wanted
    assert columns_of(None) == columns_of({}) == ()


def answer(content: bytes, **headers: str) -> Answer:
    return Answer(200, httpx.Headers(headers), Body([content]))


@pytest.mark.parametrize(
    "kind", [pa.large_string(), pa.string_view(), pa.dictionary(pa.int32(), pa.string())]
)
def test_every_form_of_arrow_text_becomes_plain_text(kind: pa.DataType) -> None:
    array = pa.array(["a", None, "a"], pa.string()).cast(kind)
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, pa.schema([("t", kind)])) as writer:
        writer.write_batch(pa.RecordBatch.from_arrays([array], names=["t"]))
    chunk = ArrowChunk(answer(sink.getvalue().to_pybytes()))
    (batch,) = chunk.batches()
    assert batch.schema == chunk.schema == pa.schema([("t", pa.string())])
    assert batch.column(0).to_pylist() == ["a", None, "a"]


def test_a_chunk_without_rows_may_have_no_body_at_all() -> None:
    assert ArrowChunk(answer(b"", **{"content-length": "0"})).rows == 0
    assert ArrowChunk(Answer(204, httpx.Headers(), Body([]))).rows == 0
    with pytest.raises(TransientFault):
        ArrowChunk(answer(b""))


@given(st.data())
def test_an_arrow_stream_that_was_cut_anywhere_is_noticed(data: st.DataObject) -> None:
    whole = arrow_rows(0, 20)
    cut = data.draw(st.integers(0, len(whole) - 1))
    with pytest.raises(TransientFault):
        ArrowChunk(answer(whole[:cut]))


def test_a_body_too_large_for_memory_is_read_from_a_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answers, "SPILL_BYTES", 1000)
    org = FakeOrg(rows=500, chunks=[200, 300])
    with org.client(transport="arrow") as client:
        assert read_all(client) == list(range(500))
    body = Body([arrow_rows(0, 100)[:700], b"x" * 700])
    assert body.file is not None
    assert body.whole()[:700] + b"x" * 700 == body.whole()
    assert body.tail(3) == b"xxx"
    org = FakeOrg(rows=500, page=300)
    with org.client(transport="json") as client:
        assert read_all(client) == list(range(500))


def compressed(texts: int) -> Answer:
    """An Arrow stream of so many batches, each a text of 10,000 characters in a compressed buffer."""
    sink = pa.BufferOutputStream()
    batch = pa.RecordBatch.from_pydict({"t": ["x" * 10_000]})
    options = pa.ipc.IpcWriteOptions(compression="zstd")
    with pa.ipc.new_stream(sink, batch.schema, options=options) as writer:
        for _ in range(texts):
            writer.write_batch(batch)
    content = sink.getvalue().to_pybytes()
    return Answer(200, httpx.Headers({"content-length": str(len(content))}), Body([content]))


def test_a_stream_with_compressed_buffers_takes_the_room_that_its_rows_need() -> None:
    answer = compressed(50)
    assert answer.body.size < 50_000
    chunk = ArrowChunk(answer)
    assert (chunk.rows, sum(batch.num_rows for batch in chunk.batches())) == (50, 50)
    assert chunk.size >= 500_000


def test_compressed_rows_too_large_for_memory_are_read_from_the_body_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(decode, "SPILL_BYTES", 100_000)
    answer = compressed(50)
    before = pa.total_allocated_bytes()
    chunk = ArrowChunk(answer)
    assert pa.total_allocated_bytes() - before < 300_000
    for _ in range(2):
        assert sum(len(each) for b in chunk.batches() for each in b["t"].to_pylist()) == 500_000
    assert chunk.rows == 50
