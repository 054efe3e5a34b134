"""What values that the vocabulary lacks lead to: news, or a warning where the marts count by them."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest

from stdm_platform.catalog import CATALOG_VERSION, DMOS, dmo
from stdm_platform.guard.drift import Drift
from stdm_platform.guard.value_drift import COUNTED_BY, value_drifts
from stdm_platform.lake import Evidence, Reading, Window
from stdm_platform.marts.store import DBT_PROJECT
from stdm_platform_tests.guard.batches import DAY, NOON


def drifts(name: str, column: str, *days: dict[str, int], rows: int = 200) -> list[Drift]:
    """Of windows of consecutive days with these unseen values."""
    entry = dmo(name)
    held = [
        Evidence(
            Window.of_day(DAY + timedelta(days=place)), name, "00D", CATALOG_VERSION, (), rows, None,
            None, "sum", (Reading(NOON, "q", "0" * 64, rows, "json"),), True,
            {"object": entry.objects[0], "unseen": {entry[column].source: values}},
        )
        for place, values in enumerate(days)
    ]  # fmt: skip
    return value_drifts(entry, held)


@pytest.mark.parametrize(
    ("value", "like"), [("LlmStep", "LLM_STEP"), ("Reflection", "")], ids=["near", "other"]
)
def test_a_word_that_takes_the_place_of_a_known_one_warns_since_the_day_it_does(
    value: str, like: str
) -> None:
    (drift,) = drifts("steps", "step_type", {value: 3}, {value: 60}, {value: 70})
    assert (drift.kind, drift.severity) == ("value_replaced", "warn")
    assert (drift.old, drift.new, drift.first_day) == (like, value, DAY + timedelta(days=1))
    assert f"60 of 200 rows of {drift.first_day}" in drift.action
    assert f'add Value("{value}"' in drift.action
    assert "stg_steps" in drift.action
    assert "has taken the place of known ones" in drift.describe()


@pytest.mark.parametrize(
    ("name", "column", "value", "rows"),
    [
        ("steps", "step_type", "LlmStep", 9),
        ("steps", "step_type", "llm_step", 150),
        ("sessions", "channel_type", "WhatsApp", 150),
    ],
    ids=["a few rows", "other letters", "nothing is counted by it"],
)
def test_other_new_values_are_news(name: str, column: str, value: str, rows: int) -> None:
    (drift,) = drifts(name, column, {value: rows})
    assert (drift.kind, drift.severity, drift.first_day) == ("new_value", "news", DAY)


def test_the_marts_count_by_these_columns_and_no_others() -> None:
    compared: set[str] = set()
    for folder in ("intermediate", "marts"):
        for path in (DBT_PROJECT / folder).glob("*.sql"):
            compared |= set(re.findall(r"(\w+)\)? (?:=|in) \(?'\w", path.read_text()))
    words = {column.name for entry in DMOS for column in entry.columns if column.vocabulary}
    assert compared & words == COUNTED_BY
