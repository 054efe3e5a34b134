"""What a window holds in figures: counted while it is written, kept in its footer."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from stdm_platform.catalog import DMOS, arrow_schema, dmo
from stdm_platform.guard import Contract
from stdm_platform.guard.texts import is_decoded
from stdm_platform.lake import Evidence, Lake, Window
from stdm_platform.lake.evidence import evidence_of_path
from stdm_platform.lake.footers import FooterCache
from stdm_platform_tests.lake import days

SESSIONS = dmo("sessions")
SOURCES = {column.name: column.source for column in SESSIONS.columns}
PROFILE = {"object": "ssot__X__dlm", "types": {"a": "Varchar"}, "nulls": {"channel_type": 2}, "unseen": {"b": {"é|\"": 1}}}  # fmt: skip


def batch_of(values: Mapping[str, list[Any]], count: int) -> pa.RecordBatch:
    """Good rows, but for the columns given."""
    good = days.rows(count, entry=SESSIONS)
    arrays = [
        pa.array(values[field.name], field.type) if field.name in values else array
        for field, array in zip(arrow_schema(SESSIONS), good.columns, strict=True)
    ]
    return pa.RecordBatch.from_arrays(arrays, schema=arrow_schema(SESSIONS))


def profile_of(*batches: pa.RecordBatch, sources: Mapping[str, str] = SOURCES) -> dict[str, Any]:
    types = {"channel_type": "Varchar"}
    with Contract(SESSIONS, Window.of_day(days.DAY), sources, types) as contract:
        for batch in batches:
            contract.check(batch)
        contract.conclude()
        return contract.profile("ssot__AIAgentSession__dlm")


def test_nulls_and_the_words_for_no_value_are_counted_column_by_column() -> None:
    values = ["E & O", None, "", "NOT_SET", "None", "UNSET_VALUE", "Nine", "not_set"]
    first = batch_of({"channel_type": values}, len(values))
    second = batch_of({"channel_type": ["Web", None]}, 2)
    found = profile_of(first, second)
    assert found["nulls"]["channel_type"] == 6
    assert found["nulls"]["ended_at"] == 10, "a column without text counts its nulls"
    assert SESSIONS.key not in found["nulls"], "a column without nulls takes no room"


def test_a_slice_of_a_batch_counts_its_own_rows_only() -> None:
    batch = batch_of({"channel_type": ["NOT_SET", "Web", "NOT_SET", None]}, 4).slice(1, 2)
    assert profile_of(batch)["nulls"]["channel_type"] == 1


def test_a_column_that_was_not_asked_for_is_not_counted_as_null() -> None:
    asked = {name: source for name, source in SOURCES.items() if name != "channel_type"}
    assert "channel_type" not in profile_of(days.rows(3, entry=SESSIONS), sources=asked)["nulls"]


def test_a_profile_names_the_object_the_types_and_unseen_values() -> None:
    found = profile_of(batch_of({"channel_type": ["Telepathy", "x" * 999]}, 2))
    assert found["object"] == "ssot__AIAgentSession__dlm"
    assert found["types"] == {SOURCES["channel_type"]: "Varchar"}
    assert found["unseen"][SOURCES["channel_type"]] == {"Telepathy": 1, "x" * 256: 1}


def test_a_profile_stands_in_the_footer_and_in_the_cache_of_footers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lake = Lake(tmp_path)
    with lake.stage(SESSIONS, Window.of_day(days.DAY)) as staged:
        staged.write(days.rows(2))
        staged.close(
            org_id=days.ORG,
            reading=days.reading(),
            settled=False,
            profile=PROFILE,
            proof=days.passed(staged),
        )
        (file,) = lake.publish("sessions", days.DAY, [staged])
    assert evidence_of_path(file.path).profile == PROFILE
    assert lake.evidence(file).profile == PROFILE
    lake.footers.save()
    monkeypatch.delattr("stdm_platform.lake.footers.read_footer")
    assert FooterCache(lake.folders.cache).evidence(file).profile == PROFILE


def test_a_footer_without_a_profile_reads_as_an_empty_one(tmp_path: Path) -> None:
    file = days.published(Lake(tmp_path), batches=[days.rows(1)])
    footer = evidence_of_path(file.path).as_footer()
    assert Evidence.from_footer(footer).profile == {}
    del footer["stdm.profile"]
    assert Evidence.from_footer(footer).profile == {}


@pytest.mark.parametrize(
    ("text", "decodes"),
    [
        ('{"a": 1}', True), ("{&quot;a&quot;: &#34;b &amp; c&#34;}", True), ("[1, 2]", True),
        ("{'a': 1}", False), ("Hello", False), ("{&amp;quot;a&amp;quot;: 1}", False), ('{"a": 1', False),
    ],
)  # fmt: skip
def test_a_text_decodes_as_staging_decodes_it(text: str, decodes: bool) -> None:
    assert is_decoded(text) is decodes


def test_the_columns_looked_at_are_those_that_staging_decodes() -> None:
    folder = Path(__file__).parents[2] / "dbt_models" / "staging"
    decoded = set()
    for path in folder.glob("*.sql"):
        text = path.read_text()
        # A model may choose the rows first: `then <column> end as <name>`.
        chosen = {name: column for column, name in re.findall(r"then (\w+)\s+end as (\w+)", text)}
        for name in re.findall(r"decoded_json\('(?:\w+\.)?(\w+)'\)", text):
            decoded.add((path.stem.removeprefix("stg_"), chosen.get(name, name)))
    named = {(each.name, column.name) for each in DMOS for column in each.columns if column.is_json}
    assert named == decoded
    assert named


def test_texts_that_no_longer_decode_are_counted_in_an_even_sample() -> None:
    texts = ['{"a": 1}'] * 30_000 + ["{'a': 1}"] * 30_000 + ["NOT_SET", None] * 10
    few = profile_of(batch_of({"variable_text": texts[29_990:30_010]}, 20))
    assert few["undecoded"] == {"variable_text": [10, 20]}
    batch = batch_of({"variable_text": texts}, len(texts))
    parts = [batch.slice(start, 777) for start in range(0, batch.num_rows, 777)]
    lost, looked_at = profile_of(*parts)["undecoded"]["variable_text"]
    assert 1_000 < looked_at <= 2_048
    assert lost / looked_at == pytest.approx(0.5, abs=0.01)


def test_rows_that_say_the_same_under_another_key_are_counted() -> None:
    start = Window.of_day(days.DAY).start
    clocks = [start + timedelta(milliseconds=number % 75_000) for number in range(100_000)]
    batch = batch_of({SESSIONS.clock: clocks}, len(clocks))
    alike, compared = profile_of(batch)["repeats"]
    assert compared <= 65_536
    assert alike / compared == pytest.approx(0.25, abs=0.02)
    assert profile_of(batch.slice(0, 75_000))["repeats"][0] == 0
