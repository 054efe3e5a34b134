from __future__ import annotations

import pandera.polars as pandera
import polars as pl
import pytest
from pandera.errors import SchemaErrors

from stdm_platform.catalog import DMOS, Dmo, arrow_schema, dmo
from stdm_platform.guard import Contract, is_accepted, pandera_schema
from stdm_platform_tests.guard.batches import WINDOW, batch, sources


@pytest.mark.parametrize("entry", DMOS, ids=lambda entry: entry.name)
def test_every_column_has_the_type_that_the_lake_file_has(entry: Dmo) -> None:
    frame = pl.from_arrow(arrow_schema(entry).empty_table())
    assert isinstance(frame, pl.DataFrame)
    pandera_schema(entry, WINDOW).validate(frame, lazy=True)


def test_a_lazy_frame_hides_what_an_eager_one_shows() -> None:
    """Why the contract must not be "cleaned up" to lazy frames: only types are checked there."""
    schema = pandera_schema(dmo("sessions"), WINDOW)
    broken = pl.DataFrame(batch(dmo("sessions"), started_at=WINDOW.end, session_id=None))
    schema.validate(broken.lazy(), lazy=True).collect()
    with pytest.raises(SchemaErrors):
        schema.validate(broken, lazy=True)


def test_the_contract_validates_eager_frames(monkeypatch: pytest.MonkeyPatch) -> None:
    contract = Contract(dmo("sessions"), WINDOW, sources(dmo("sessions")))
    seen = []
    monkeypatch.setattr(
        contract._schema, "validate", lambda frame, lazy: seen.append((type(frame), lazy))
    )
    contract.check(batch(dmo("sessions")))
    contract.conclude()
    assert seen == [(pl.DataFrame, True)]


def test_a_rule_on_any_column_sees_its_values(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only the values of columns without a rule are left out of the frames."""
    schema = pandera_schema(dmo("sessions"), WINDOW).update_column(
        "variable_text", checks=pandera.Check.ne("secret words 0")
    )
    monkeypatch.setattr("stdm_platform.guard.contract.pandera_schema", lambda *_, **__: schema)
    contract = Contract(dmo("sessions"), WINDOW, sources(dmo("sessions")))
    contract.check(batch(dmo("sessions")))
    assert [(f.column, f.count) for f in contract.conclude().failures] == [
        ("ssot__VariableText__c", 1)
    ]


def test_a_batch_of_ruled_columns_alone_is_told_of_the_others() -> None:
    contract = Contract(dmo("sessions"), WINDOW, sources(dmo("sessions")))
    whole = batch(dmo("sessions"))
    contract.check(whole.select(contract._ruled))
    contract.check(whole)
    verdict = contract.conclude()
    assert verdict.rows == 2 * whole.num_rows
    assert "column_type" in {failure.check for failure in verdict.failures}


@pytest.mark.parametrize(
    ("column_type", "served", "accepted"),
    [
        ("text", "Varchar", True),
        ("text", "VARCHAR(255)", True),
        ("text", "Numeric", False),
        ("text", "struct<a: int>", False),
        ("timestamp", "TimestampTZ", True),
        ("timestamp", "timestamp with time zone", True),
        ("timestamp", "Varchar", False),
        ("timestamp", "Date", False),
        ("timestamp", "Blob", False),
        ("number", "Numeric(38,18)", True),
        ("number", "Varchar", True),
        ("number", "Boolean", False),
        ("boolean", "Boolean", True),
        ("boolean", "Varchar", True),
        ("boolean", "BigInt", False),
        ("text", "Null", True),
        ("text", "SomethingNew", False),
    ],
)
def test_a_served_type_is_accepted_or_not(column_type: str, served: str, accepted: bool) -> None:
    assert is_accepted(column_type, served) is accepted  # type: ignore[arg-type]
