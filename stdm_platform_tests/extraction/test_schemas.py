"""What is seen of the source is kept, whoever looks, and only when it differs."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from stdm_platform.catalog import DMOS, Dmo
from stdm_platform.data360 import ObjectDescription, ResultColumn
from stdm_platform.errors import NotExtractedError, ObjectNotFoundError, PermissionDeniedError
from stdm_platform.extraction import drifts_of, probe_org
from stdm_platform.extraction.schemas import FOLDER, keep, looks_of
from stdm_platform.guard import Drift
from stdm_platform.lake import Lake
from stdm_platform_tests.extraction.fake_org import FakeOrg
from stdm_platform_tests.extraction.world import (
    DAY,
    MOMENTS,
    NEXT,
    NOW,
    SESSIONS,
    extract,
    rows_of,
)
from stdm_platform_tests.guard.looks import look

HOUR = timedelta(hours=1)


class DescribedOrg(FakeOrg):
    """Also describes its objects: `told` in lower case; None describes nothing."""

    def __init__(self, transport: str = "arrow") -> None:
        super().__init__(transport)
        self.told: dict[str, ObjectDescription] | None = {}
        self.asked: list[str] = []

    def tell(self, dmo: Dmo, *, name: str | None = None, without: Sequence[str] = ()) -> None:
        kept = [column for column in dmo.columns if column.name not in without]
        types = {"text": "Varchar", "timestamp": "TimestampTZ", "number": "Numeric"}
        columns = tuple(ResultColumn(each.source, types.get(each.type, "Boolean")) for each in kept)
        assert self.told is not None
        self.told[(name or dmo.objects[0]).lower()] = ObjectDescription(
            name or dmo.objects[0], columns
        )

    def describe(self, name: str) -> ObjectDescription | None:
        self.asked.append(name)
        if self.told is None:
            return None
        if name.lower() not in self.told:
            raise ObjectNotFoundError("no such object")
        return self.told[name.lower()]

    def object_names(self) -> tuple[str, ...]:
        return tuple(each.name for each in (self.told or {}).values())


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(tmp_path / "data")


def files(lake: Lake, name: str = "sessions") -> list[str]:
    folder = lake.data_dir / FOLDER / name
    return sorted(path.name for path in folder.glob("*_*.json"))


def drifts(lake: Lake, *dmos: Dmo) -> list[Drift]:
    return drifts_of(lake, dmos or (SESSIONS,))


def test_a_described_object_is_kept_without_any_query(lake: Lake) -> None:
    org = DescribedOrg()
    org.tell(SESSIONS, name="ssot__AiAgentSession__dlm")
    (seen,) = probe_org(org, lake, NOW, dmos=[SESSIONS])
    assert org.sql == []
    assert (seen.via, seen.objects) == ("metadata", ("ssot__AiAgentSession__dlm",))
    assert looks_of(lake, "sessions") == [seen]
    assert drifts(lake) == []


@pytest.mark.parametrize("transport", ["arrow", "json"])
def test_without_descriptions_the_query_without_rows_tells(lake: Lake, transport: str) -> None:
    org = DescribedOrg(transport)
    org.told = None
    org.put(SESSIONS, [])
    (seen,) = probe_org(org, lake, NOW, dmos=[SESSIONS])
    assert seen.via == transport
    assert org.sql == [f'SELECT * FROM "{name}" LIMIT 0' for name in SESSIONS.objects]
    assert drifts(lake) == []


def test_a_description_that_lacks_something_is_not_believed(lake: Lake) -> None:
    org = DescribedOrg()
    org.tell(SESSIONS, without=["started_at"])
    org.put(SESSIONS, [])
    (seen,) = probe_org(org, lake, NOW, dmos=[SESSIONS])
    assert seen.via == "arrow"
    assert drifts(lake) == []


@pytest.mark.parametrize("told", [True, False])
def test_a_missing_required_column_is_seen_and_not_raised(lake: Lake, told: bool) -> None:
    org = DescribedOrg()
    org.put(SESSIONS, [], without=["started_at"])
    if told:
        org.tell(SESSIONS, without=["started_at"])
    else:
        org.told = None
    probe_org(org, lake, NOW, dmos=[SESSIONS])
    (drift,) = drifts(lake)
    assert (drift.kind, drift.severity) == ("missing_required_column", "block")


def test_a_gone_object_is_seen_with_those_that_are_named_alike(lake: Lake) -> None:
    org = DescribedOrg()
    org.tell(SESSIONS)
    probe_org(org, lake, NOW, dmos=[SESSIONS])
    org.told = {}
    org.tell(SESSIONS, name="ssot__AIAgentSessionV2__dlm")
    org.tell(MOMENTS)
    (seen,) = probe_org(org, lake, NOW + HOUR, dmos=[SESSIONS])
    assert seen.near == ("ssot__AIAgentSessionV2__dlm",)
    (drift,) = drifts(lake)
    assert (drift.kind, drift.new) == ("object_gone", "ssot__AIAgentSessionV2__dlm")


def test_of_two_described_families_the_query_says_which_is_read(lake: Lake) -> None:
    org = DescribedOrg()
    older, newer = SESSIONS.objects
    org.put(SESSIONS, [], name=older)
    rows = rows_of(SESSIONS, [DAY])
    org.put(SESSIONS, rows, name=newer, rename=lambda source: source.replace("ssot__", "std__"))
    for name in SESSIONS.objects:
        org.tell(SESSIONS, name=name)
    (seen,) = probe_org(org, lake, NOW, dmos=[SESSIONS])
    assert seen.objects == SESSIONS.objects[::-1]
    assert [each.kind for each in drifts(lake)] == ["mixed_families"]


def test_an_object_that_the_user_may_not_read_stops_no_other_look(lake: Lake) -> None:
    org = DescribedOrg()
    org.told = None
    org.put(MOMENTS, [])

    def refuse(sql: str) -> None:
        if "AIAgentSession__dlm" in sql:
            raise PermissionDeniedError("403")

    org.before = refuse
    with pytest.raises(PermissionDeniedError, match="sessions"):
        probe_org(org, lake, NOW, dmos=[SESSIONS, MOMENTS])
    assert looks_of(lake, "sessions") == []
    assert len(looks_of(lake, "moments")) == 1


def test_only_a_look_that_differs_is_a_new_file(lake: Lake) -> None:
    first = look(SESSIONS)
    for snapshot in (
        first,
        replace(first, at=first.at + HOUR),
        look(SESSIONS, via="metadata"),
        look(SESSIONS, day=1, without=["channel_type"]),
        look(SESSIONS, day=2),
    ):
        keep(lake, snapshot)
    assert len(files(lake)) == 4
    assert [each.at.day for each in looks_of(lake, "sessions")] == [14, 14, 15, 16]
    assert drifts(lake) == []


def test_a_form_that_is_seen_again_after_another_is_the_newest(lake: Lake) -> None:
    keep(lake, look(SESSIONS, via="metadata"))
    keep(lake, look(SESSIONS, day=1, without=["channel_type"]))
    assert [each.kind for each in drifts(lake)] == ["missing_optional_column"]
    keep(lake, look(SESSIONS, day=2, via="metadata"))
    assert len(files(lake)) == 2
    assert drifts(lake) == []


def test_looks_of_one_instant_stand_in_the_order_in_which_they_were_made(lake: Lake) -> None:
    optional = [each.name for each in SESSIONS.columns if not each.required]
    seen = [look(SESSIONS), *(look(SESSIONS, without=[name]) for name in optional), look(SESSIONS)]
    for snapshot in seen:
        keep(lake, snapshot)
    assert [each.digest for each in looks_of(lake, "sessions")] == [each.digest for each in seen]
    assert drifts(lake) == []


def test_an_object_that_is_gone_again_is_gone_since_then(lake: Lake) -> None:
    for day in range(4):
        there = SESSIONS.objects[:1] if day % 2 == 0 else ()
        keep(lake, look(SESSIONS, day=day, objects=there, via="arrow" if there else "query"))
    (drift,) = drifts(lake)
    assert (drift.kind, drift.first_day.day) == ("object_gone", 17)


def test_a_kept_look_is_small_and_can_be_read_by_people(lake: Lake) -> None:
    keep(lake, look(SESSIONS))
    (name,) = files(lake)
    text = (lake.data_dir / FOLDER / "sessions" / name).read_text()
    assert len(text) < 4096
    assert '\n  {"name": "ssot__Id__c", "type": "Varchar", "nullable": true},\n' in text
    assert json.loads(text)["objects"] == list(SESSIONS.objects[:1])


def test_files_that_are_no_looks_cost_history_and_nothing_else(lake: Lake) -> None:
    keep(lake, look(SESSIONS))
    folder = lake.data_dir / FOLDER / "sessions"
    (folder / "2026-01-01T00-00-00Z_cut.json").write_text('{"dmo": "ses')
    (folder / "seen.json").write_text("[]")
    assert len(looks_of(lake, "sessions")) == 1
    keep(lake, look(SESSIONS, day=1))
    assert len(looks_of(lake, "sessions")) == 1


def test_a_folder_that_cannot_be_written_fails_no_extraction(lake: Lake) -> None:
    lake.folders.prepare()
    (lake.data_dir / FOLDER).write_text("in the way")
    org = FakeOrg()
    org.put(SESSIONS, rows_of(SESSIONS, [DAY]))
    (outcome,) = extract(org, lake)
    assert outcome.status == "published"


@pytest.mark.parametrize("transport", ["arrow", "json"])
def test_drift_in_the_middle_of_a_backfill_is_kept_by_the_extraction(
    lake: Lake, transport: str
) -> None:
    org = FakeOrg(transport)
    org.put(SESSIONS, rows_of(SESSIONS, [DAY, NEXT]))
    extract(org, lake, days=[DAY])
    asked = len(org.sql)
    org.put(SESSIONS, rows_of(SESSIONS, [DAY, NEXT]), without=["channel_type"])
    extract(org, lake, days=[NEXT], now=NOW + HOUR)
    assert len(org.sql) == 2 * asked, "a look that is kept asks nothing more"
    (drift,) = drifts(lake)
    assert (drift.kind, drift.severity) == ("missing_optional_column", "warn")
    org.put(SESSIONS, rows_of(SESSIONS, [DAY, NEXT]))
    extract(org, lake, days=[DAY], now=NOW + 2 * HOUR)
    (drift,) = drifts(lake)
    assert (drift.kind, drift.severity, drift.first_day) == ("null_in_days", "news", NEXT)
    assert "stdm extract --table sessions --since 2026-01-15 --until 2026-01-16" in drift.action
    extract(org, lake, days=[NEXT], now=NOW + 3 * HOUR)
    assert drifts(lake) == []


@pytest.mark.parametrize("transport", ["arrow", "json"])
def test_a_column_of_another_served_type_is_kept_on_both_transports(
    lake: Lake, transport: str
) -> None:
    org = FakeOrg(transport)
    org.put(SESSIONS, rows_of(SESSIONS, [DAY]))
    extract(org, lake)
    org.types = {"ssot__StartTimestamp__c": "Varchar"}
    extract(org, lake, now=NOW + HOUR)
    (drift,) = drifts(lake)
    assert (drift.kind, drift.severity, drift.new) == ("type_changed", "block", "Varchar")


def test_an_object_that_the_lake_holds_days_of_is_not_skipped_as_absent(lake: Lake) -> None:
    org = FakeOrg()
    org.put(SESSIONS, rows_of(SESSIONS, [DAY]))
    extract(org, lake)
    before = lake.windows("sessions", DAY)
    (outcome,) = extract(FakeOrg(), lake, now=NOW + HOUR)
    assert outcome.status == "failed"
    said = str(outcome.error)
    for part in (
        "sessions of 2026-01-14",
        SESSIONS.objects[0],
        'objects=(…) of Dmo(name="sessions")',
    ):
        assert part in said
    assert lake.windows("sessions", DAY) == before
    assert [each.kind for each in drifts(lake)] == ["object_gone"]


def test_an_unseen_value_stands_with_its_first_day_until_the_catalog_has_it(lake: Lake) -> None:
    org = FakeOrg()
    rows: list[dict[str, Any]] = rows_of(SESSIONS, [DAY, NEXT])
    for row in rows:
        row["channel_type"] = "Telepathy"
    org.put(SESSIONS, rows)
    extract(org, lake, days=[DAY, NEXT])
    (drift,) = drifts(lake)
    assert (drift.kind, drift.severity, drift.new) == ("new_value", "news", "Telepathy")
    assert (drift.first_day, drift.column) == (DAY, "ssot__AiAgentChannelType__c")
    assert 'add Value("Telepathy", "org 00Dxx0000000001EAA, 2026-01")' in drift.action
    assert 'vocabulary of Column("channel_type", …)' in drift.action
    accepted = replace(
        SESSIONS,
        columns=tuple(
            replace(column, vocabulary=(replace(column.vocabulary[0], value="Telepathy"),))
            if column.name == "channel_type"
            else column
            for column in SESSIONS.columns
        ),
    )
    assert drifts(lake, accepted) == []


def test_a_lake_from_before_looks_were_kept_tells_what_its_newest_day_lacks(lake: Lake) -> None:
    org = FakeOrg()
    org.put(SESSIONS, rows_of(SESSIONS, [DAY]), without=["channel_type", "variable_text"])
    extract(org, lake)
    for path in (lake.data_dir / FOLDER / "sessions").iterdir():
        path.unlink()
    (drift,) = drifts(lake)
    assert (drift.kind, drift.column) == ("null_in_days", "ssot__AiAgentChannelType__c")


def test_a_directory_that_knows_nothing_says_what_to_run(lake: Lake) -> None:
    with pytest.raises(NotExtractedError, match="stdm drift --probe"):
        drifts_of(lake, DMOS)
