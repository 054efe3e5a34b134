"""The catalog page of an asset explains it: words, columns with meanings, where they come from, an owner."""

from __future__ import annotations

import dagster as dg
import pytest

from stdm_platform.catalog import DMOS, Dmo, dmo
from stdm_platform.errors import ArgumentError
from stdm_platform.marts import mart_names
from stdm_platform.orchestration.catalog_page import (
    described_dmo,
    described_mart,
    dmo_metadata,
    mart_lineage,
    with_origins,
)
from stdm_platform.settings import load_settings


@pytest.mark.parametrize("entry", DMOS, ids=lambda entry: entry.name)
def test_every_column_of_an_object_has_its_type_and_its_meaning(entry: Dmo) -> None:
    schema = dmo_metadata(entry)["dagster/column_schema"]
    assert [column.name for column in schema.columns] == list(entry.column_names)
    for column in schema.columns:
        assert column.type
        assert entry[column.name].description in column.description
        assert entry[column.name].source in column.description
    assert [column.name for column in schema.columns if column.constraints.unique] == [entry.key]
    assert entry.objects[0] in described_dmo(entry)


def test_seen_values_and_text_of_people_are_named() -> None:
    told = {
        column.name: column.description
        for column in dmo_metadata(dmo("interactions"))["dagster/column_schema"].columns
    }
    assert "`TURN`" in told["interaction_type"]
    assert "Refers to stdm/sessions." in told["session_id"]
    messages = dmo_metadata(dmo("messages"))["dagster/column_schema"].columns
    assert any("Text of conversations." in column.description for column in messages)


@pytest.mark.parametrize("mart", mart_names())
def test_every_mart_says_where_its_columns_come_from_and_how_to_ask_it(mart: str) -> None:
    lineage = mart_lineage(mart)["dagster/column_lineage"]
    assert isinstance(lineage, dg.TableColumnLineage)
    columns = {entry.name: set(entry.column_names) for entry in DMOS}
    for deps in lineage.deps_by_column.values():
        assert deps
        for dep in deps:
            assert dep.column_name in columns[dep.asset_key.path[-1]]
    words = described_mart(mart, "One row per thing.\n")
    assert words.startswith("One row per thing.\n\n")
    assert f"stdm sql 'from {mart} limit 10'" in words
    assert "{{" not in words


def test_a_column_of_a_mart_says_what_it_is_made_from() -> None:
    schema = dg.TableSchema(
        [dg.TableColumn(name, "bigint", "Words.") for name in ("llm_ms", "org_id", "completeness")]
    )
    told = {each.name: each.description for each in with_origins("session_summary", schema).columns}
    assert (
        told["llm_ms"]
        == "Words. Made from `steps.ended_at`, `steps.started_at`, `steps.step_type`."
    )
    assert told["org_id"] == "Words."
    assert (told["completeness"] or "").endswith("and 1 more.")


def test_what_is_no_mart_of_ours_has_no_lineage() -> None:
    assert mart_lineage("nothing") == {}


@pytest.mark.parametrize("owner", ["team:data", "team:ai-ops", "jane.doe@company.com"])
def test_an_owner_is_a_team_or_an_address(monkeypatch: pytest.MonkeyPatch, owner: str) -> None:
    monkeypatch.setenv("STDM_ASSET_OWNER", owner)
    spec = dg.AssetSpec("x", owners=[load_settings().asset_owner])
    assert list(spec.owners) == [owner]


@pytest.mark.parametrize("owner", ["data", "team:", "team:two words", "jane@"])
def test_what_dagster_would_refuse_as_owner_is_refused_with_words(
    monkeypatch: pytest.MonkeyPatch, owner: str
) -> None:
    monkeypatch.setenv("STDM_ASSET_OWNER", owner)
    with pytest.raises(ArgumentError, match="STDM_ASSET_OWNER"):
        load_settings()
