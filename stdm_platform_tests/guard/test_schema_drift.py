"""Each class of drift at the source: kind, severity, words, first day; and what is no drift."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from stdm_platform.catalog import DMOS, Dmo, dmo
from stdm_platform.guard import Drift, SchemaSnapshot, SeenColumn, mixed_families, schema_drifts
from stdm_platform.guard.catalog_edits import file_of
from stdm_platform_tests.guard.looks import DAY, FIRST, after, in_newer_family, look

SESSIONS, STEPS, MOMENTS = dmo("sessions"), dmo("steps"), dmo("moments")
PROJECT = Path(__file__).parents[2]
CHANNEL, CLOCK = "ssot__AiAgentChannelType__c", "ssot__StartTimestamp__c"


def only(found: list[Drift]) -> Drift:
    assert len(found) == 1, [each.describe() for each in found]
    return found[0]


CASES: dict[str, tuple[SchemaSnapshot, str, str, str, str, str]] = {
    "a required column is gone": (
        look(SESSIONS, without=["started_at"]),
        "missing_required_column", "block", CLOCK, CLOCK, "",
    ),
    "an optional column is gone": (
        look(SESSIONS, without=["channel_type"]),
        "missing_optional_column", "warn", CHANNEL, CHANNEL, "",
    ),
    "a new column": (
        look(SESSIONS, more=[SeenColumn("ssot__Mood__c", "Numeric")]),
        "new_column", "news", "ssot__Mood__c", "", "Numeric",
    ),
    "the clock is text": (
        look(SESSIONS, types={"started_at": "Varchar"}),
        "type_changed", "block", CLOCK, "TimestampTZ", "Varchar",
    ),
    "the key is a number": (
        look(SESSIONS, types={"session_id": "Numeric"}),
        "type_changed", "block", "ssot__Id__c", "Varchar", "Numeric",
    ),
    "an instant is a date": (
        look(SESSIONS, types={"ended_at": "Date"}),
        "type_changed", "block", "ssot__EndTimestamp__c", "TimestampTZ", "Date",
    ),
    "an instant lost its zone": (
        look(SESSIONS, types={"ended_at": "Timestamp"}),
        "type_changed", "warn", "ssot__EndTimestamp__c", "TimestampTZ", "Timestamp",
    ),
    "text of another name": (
        look(SESSIONS, types={"channel_type": "Char"}),
        "type_changed", "news", CHANNEL, "Varchar", "Char",
    ),
    "the key may be empty no more": (
        look(SESSIONS, never_empty=["session_id"]),
        "nullability_changed", "news", "ssot__Id__c", "may be empty", "never empty",
    ),
    "a column in other letters": (
        look(SESSIONS, names={"channel_type": CHANNEL.upper()}),
        "column_casing", "news", CHANNEL.upper(), CHANNEL, CHANNEL.upper(),
    ),
    "the object has another known name": (
        look(SESSIONS, objects=["ssot__Plain__dlm"]),
        "object_renamed", "news", "", SESSIONS.objects[0], "ssot__Plain__dlm",
    ),
    "a column under its other known name": (
        look(SESSIONS, names={"channel_type": "std__AiAgentChannelType__c"}),
        "column_renamed", "news", "std__AiAgentChannelType__c", CHANNEL, "std__AiAgentChannelType__c",
    ),
    "the object is gone": (
        look(SESSIONS, objects=()),
        "object_gone", "block", "", SESSIONS.objects[0], "",
    ),
    "both families": (
        look(SESSIONS, objects=SESSIONS.objects),
        "mixed_families", "news", "", SESSIONS.objects[0], " and ".join(SESSIONS.objects),
    ),
    "the other family": (
        in_newer_family(SESSIONS),
        "family_changed", "news", "", SESSIONS.objects[0], SESSIONS.objects[1],
    ),
    "the object in other letters": (
        look(SESSIONS, via="metadata", objects=[SESSIONS.objects[0].replace("AIA", "AiA")]),
        "object_casing", "news", "", SESSIONS.objects[0], "ssot__AiAgentSession__dlm",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_each_class_has_its_kind_severity_and_words(name: str) -> None:
    changed, kind, severity, column, old, new = CASES[name]
    found = [each for each in after(SESSIONS, changed) if each.kind == kind]
    drift = only(found)
    assert (drift.severity, drift.column, drift.old, drift.new) == (severity, column, old, new)
    assert drift.first_day == (FIRST + DAY).date()
    said = drift.describe()
    for part in (
        "sessions",
        changed.object_name or old,
        column,
        old,
        new,
        "2026-01-15",
        drift.action,
    ):
        assert part in said
    assert drift.action


@pytest.mark.parametrize("entry", DMOS, ids=lambda entry: entry.name)
@pytest.mark.parametrize("via", ["arrow", "json", "metadata"])
def test_an_org_as_the_catalog_says_has_no_drift(entry: Dmo, via: str) -> None:
    assert schema_drifts(entry, [look(entry, via=via), look(entry, day=1, via=via)]) == []


def test_other_ways_of_looking_spell_and_type_otherwise_and_that_is_no_drift() -> None:
    upper = {column.name: column.source.lower() for column in SESSIONS.columns}
    looks = [
        look(SESSIONS, via="arrow"),
        look(SESSIONS, day=1, via="json", names=upper, types={"channel_type": "Text"}),
        look(SESSIONS, day=2, via="metadata", never_empty=["session_id"]),
    ]
    assert schema_drifts(SESSIONS, looks) == []


def test_what_an_org_never_had_is_news_and_what_it_lost_warns() -> None:
    lacking = look(SESSIONS, without=["channel_type"])
    assert only(schema_drifts(SESSIONS, [lacking])).severity == "news"
    assert only(schema_drifts(SESSIONS, [lacking], held=["channel_type"])).severity == "warn"
    assert only(after(SESSIONS, lacking)).severity == "warn"


def test_an_object_that_an_org_never_had_is_news_and_its_coming_too() -> None:
    none = look(MOMENTS, objects=())
    absent = only(schema_drifts(MOMENTS, [none]))
    assert (absent.kind, absent.severity) == ("object_absent", "news")
    assert only(schema_drifts(MOMENTS, [none], held=["moment_id"])).kind == "object_gone"
    come = only(schema_drifts(MOMENTS, [none, look(MOMENTS, day=1)]))
    assert (come.kind, come.severity, come.new) == ("object_come", "news", MOMENTS.objects[0])


def test_the_first_day_is_that_of_the_first_look_since_which_it_has_been_so() -> None:
    lacking = [look(SESSIONS, day=day, without=["channel_type"]) for day in (1, 2, 4, 5)]
    back = look(SESSIONS, day=3)
    first = look(SESSIONS)
    assert only(schema_drifts(SESSIONS, [first, *lacking[:2]])).first_day.day == 15
    again = only(schema_drifts(SESSIONS, [first, *lacking[:2], back, *lacking[2:]]))
    assert again.first_day.day == 18
    assert schema_drifts(SESSIONS, [first, *lacking, replace(back, at=FIRST + 9 * DAY)]) == []


def test_a_renamed_column_is_hinted_at_and_never_taken() -> None:
    near = after(
        SESSIONS,
        look(
            SESSIONS, without=["started_at"], more=[SeenColumn("ssot__StartTime__c", "TimestampTZ")]
        ),
    )
    assert [each.kind for each in near] == ["missing_required_column"], "told once"
    assert near[0].new == "ssot__StartTime__c"
    assert 'looks like "ssot__StartTime__c"' in near[0].action
    assert 'add other_sources=("ssot__StartTime__c",) in Column("started_at", …)' in near[0].action
    assert "stdm_platform/catalog/entries/sessions.py" in near[0].action


def test_the_only_new_column_that_can_hold_the_same_is_hinted_at_too() -> None:
    begun = SeenColumn("ssot__Begun__c", "TimestampTZ")
    lost = look(SESSIONS, without=["started_at"], more=[begun])
    assert after(SESSIONS, lost)[0].new == "ssot__Begun__c"
    text = look(SESSIONS, without=["started_at"], more=[SeenColumn("ssot__Begun__c", "Varchar")])
    assert after(SESSIONS, text)[0].new == ""
    two = look(
        SESSIONS, without=["started_at"], more=[begun, SeenColumn("ssot__Other__c", "TimestampTZ")]
    )
    assert after(SESSIONS, two)[0].new == ""


def test_a_renamed_object_is_hinted_at_where_the_org_lists_its_objects() -> None:
    gone = look(SESSIONS, objects=(), near=["ssot__AIAgentSessionV2__dlm"])
    drift = only(after(SESSIONS, gone))
    assert drift.severity == "block"
    assert drift.new == "ssot__AIAgentSessionV2__dlm"
    assert (
        'add "ssot__AIAgentSessionV2__dlm" to objects=(…) of Dmo(name="sessions")' in drift.action
    )


def test_what_the_catalog_has_accepted_is_no_drift_any_more() -> None:
    lost = look(
        SESSIONS, without=["started_at"], more=[SeenColumn("ssot__Begun__c", "TimestampTZ")]
    )
    accepted = replace(
        SESSIONS,
        columns=tuple(
            replace(column, other_sources=("ssot__Begun__c",))
            if column.name == "started_at"
            else column
            for column in SESSIONS.columns
        ),
    )
    looks = [look(SESSIONS), replace(lost, at=FIRST + DAY)]
    assert {each.severity for each in schema_drifts(SESSIONS, looks)} == {"block"}
    assert only(schema_drifts(accepted, looks)).kind == "column_renamed"


def test_columns_that_data_360_adds_to_any_object_are_no_news() -> None:
    added = [SeenColumn(name, "Varchar") for name in (
        "KQ_Other__c", "ssot__cdp_sys_record_currency__c", "std__ExternalSourceId__c")]  # fmt: skip
    assert after(SESSIONS, look(SESSIONS, more=added)) == []


def test_a_number_that_comes_as_text_warns_and_is_normal_where_it_always_was_so() -> None:
    entry = replace(
        SESSIONS,
        columns=tuple(
            replace(column, type="number") if column.name == "channel_type" else column
            for column in SESSIONS.columns
        ),
    )
    as_text = look(entry, types={"channel_type": "Varchar"})
    assert schema_drifts(entry, [as_text]) == []
    drift = only(after(entry, as_text))
    assert (drift.kind, drift.severity, drift.old) == ("type_changed", "warn", "Numeric")


def test_text_that_comes_as_whole_numbers_warns_and_a_vocabulary_does_not_pass() -> None:
    for name, severity in (("session_id", "warn"), ("channel_type", "block")):
        drift = only(after(SESSIONS, look(SESSIONS, types={name: "BigInt"})))
        assert (drift.kind, drift.severity, drift.new) == ("type_changed", severity, "BigInt")
    drift = only(after(SESSIONS, look(SESSIONS, types={"session_id": "Double"})))
    assert drift.severity == "block", "a float is not what the text was"


def test_a_required_column_that_may_now_be_empty_warns() -> None:
    strict = look(SESSIONS, never_empty=["session_id"])
    drift = only(schema_drifts(SESSIONS, [strict, look(SESSIONS, day=1)]))
    assert (drift.kind, drift.severity) == ("nullability_changed", "warn")


def test_objects_of_another_family_than_most_are_told() -> None:
    looks = {entry.name: look(entry) for entry in DMOS}
    assert mixed_families(looks) == []
    drift = only(mixed_families(looks | {"steps": in_newer_family(STEPS)}))
    assert (drift.dmo, drift.kind, drift.severity) == ("steps", "mixed_families", "news")


def test_blocking_drifts_stand_first() -> None:
    changed = look(
        SESSIONS,
        without=["channel_type", "started_at"],
        more=[SeenColumn("ssot__New__c", "Boolean")],
    )
    assert [each.severity for each in after(SESSIONS, changed)] == ["block", "warn", "news"]


@pytest.mark.parametrize("entry", DMOS, ids=lambda entry: entry.name)
def test_the_file_that_an_action_names_holds_the_column(entry: Dmo) -> None:
    for column in entry.columns:
        if not column.name.startswith("kq_"):
            assert f'"{column.name}"' in (PROJECT / file_of(entry, column)).read_text()
