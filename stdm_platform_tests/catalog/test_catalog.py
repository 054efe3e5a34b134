"""The catalog: entries agree with themselves and with the pages they come from."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest

from stdm_platform.catalog import DMOS, Column, Dmo, arrow_schema, dmo, sync
from stdm_platform.catalog.derive import dbt_sources_yaml, readme_table

LIVE_COLUMNS = {"sessions": 18, "interactions": 20, "steps": 23, "messages": 24, "moments": 13}
"""Field counts of live describes (section 5 of the Data 360 page); messages: 21 and 3 later ones."""


def entry(**changes: object) -> Dmo:
    columns = (
        Column("thing_id", "ssot__Id__c", "text", "Key.", required=True),
        Column("started_at", "ssot__StartTimestamp__c", "timestamp", "Start.", required=True),
    )
    fields = {
        "name": "things",
        "label": "Thing",
        "objects": ("Thing__dlm",),
        "key": "thing_id",
        "clock": "started_at",
        "parent": None,
        "columns": columns,
        "description": "One row per thing.",
    }
    return Dmo(**{**fields, **changes})  # type: ignore[arg-type]


@pytest.mark.parametrize(("name", "count"), LIVE_COLUMNS.items())
def test_every_live_field_is_in_the_catalog(name: str, count: int) -> None:
    assert len(dmo(name).columns) == count


@pytest.mark.parametrize("each", DMOS, ids=lambda each: each.name)
def test_only_key_clock_and_parent_are_required(each: Dmo) -> None:
    required = {column.name for column in each.columns if column.required}
    clock = None if each.is_catalogue else each.clock
    assert required == {name for name in (each.key, clock, each.parent) if name}


@pytest.mark.parametrize("each", DMOS, ids=lambda each: each.name)
def test_references_name_entries_of_the_catalog(each: Dmo) -> None:
    names = {other.name for other in DMOS}
    for column in each.columns:
        assert {*column.or_references, *filter(None, [column.references])} <= names
        if column.references_column:
            assert column.references_column in dmo(column.references or "").column_names


@pytest.mark.parametrize("each", DMOS, ids=lambda each: each.name)
def test_the_session_key_has_one_name_everywhere(each: Dmo) -> None:
    for column in each.columns:
        if column.source == "ssot__AiAgentSessionId__c":
            assert column.name == "session_id"


def test_columns_that_hold_what_people_said_are_marked_as_text() -> None:
    assert dmo("messages")["content_text"].sensitivity == "text"
    for each in DMOS:
        for column in each.columns:
            if column.name.endswith("_text") and not column.name.startswith("kq_"):
                assert column.sensitivity == "text", (each.name, column.name)


def test_a_column_is_found_under_both_name_families() -> None:
    assert dmo("steps")["step_name"].candidates == (
        "ssot__Name__c",
        "std__Name__c",
        "std__NameInterfaceField__c",
    )
    assert dmo("messages")["modality"].candidates == ("Modality__c",)


def test_a_column_that_stands_twice_is_refused() -> None:
    column = Column("thing_id", "ssot__Id__c", "text", "Key.", required=True)
    with pytest.raises(ValueError, match="stands twice"):
        entry(columns=(column, column), clock="thing_id")


def test_a_key_that_is_not_required_is_refused() -> None:
    columns = (
        Column("thing_id", "ssot__Id__c", "text", "Key."),
        Column("started_at", "ssot__StartTimestamp__c", "timestamp", "Start.", required=True),
    )
    with pytest.raises(ValueError, match="has to be required"):
        entry(columns=columns)


def test_the_arrow_schema_carries_types_nullability_and_descriptions() -> None:
    schema = arrow_schema(dmo("messages"))
    assert schema.field("sent_at").type == pa.timestamp("ms", tz="UTC")
    assert not schema.field("message_id").nullable
    assert schema.field("content_text").nullable
    assert schema.field("content_text").metadata[b"sensitivity"] == b"text"


def test_adding_an_entry_adds_it_to_every_derived_form() -> None:
    text = dbt_sources_yaml([*DMOS, entry()])
    assert "- name: things" in text
    assert 'asset_key: ["stdm", "things"]' in text
    assert "| `things` | `Thing__dlm` |" in readme_table([entry()])


def test_a_stale_derived_file_is_named_and_mended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sync, "PROJECT", tmp_path)
    (tmp_path / "README.md").write_text(
        "# x\n<!-- dmo-table:begin -->\nold\n<!-- dmo-table:end -->\nrest\n"
    )
    assert sync.main(["--check"]) == 1
    assert "stale: dbt_models/staging/_sources.yml" in capsys.readouterr().err
    assert sync.main([]) == 0
    assert sync.main(["--check"]) == 0
    assert "rest" in (tmp_path / "README.md").read_text()
