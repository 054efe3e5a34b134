from __future__ import annotations

import pytest

from stdm_platform.catalog import DMOS, Dmo
from stdm_platform.errors import FieldNotFoundError, PermissionDeniedError, QueryExpiredError
from stdm_platform.extraction import look
from stdm_platform_tests.extraction.fake_org import FakeOrg
from stdm_platform_tests.extraction.world import DAY, MOMENTS, SESSIONS, STEPS, rows_of


@pytest.mark.parametrize("entry", DMOS, ids=lambda entry: entry.name)
def test_every_dmo_of_the_older_family_is_found_whole(entry: Dmo) -> None:
    org = FakeOrg()
    org.put(entry, [])
    shape = look(org, entry)
    assert shape is not None
    assert shape.object_name == entry.objects[0]
    assert dict(shape.columns) == {column.name: column.source for column in entry.columns}
    assert shape.absent == ()
    assert org.sql == [f'SELECT * FROM "{name}" LIMIT 0' for name in entry.objects]


def test_the_newer_family_is_found_under_its_own_names() -> None:
    org = FakeOrg()
    org.put(
        STEPS,
        [],
        name=STEPS.objects[1],
        rename=lambda source: {"ssot__Name__c": "std__NameInterfaceField__c"}.get(
            source, source.replace("ssot__", "std__")
        ),
        without=["error_message_text"],
    )
    shape = look(org, STEPS)
    assert shape is not None
    assert shape.columns["step_name"] == "std__NameInterfaceField__c"
    assert shape.columns["started_at"] == "std__StartTimestamp__c"
    assert shape.absent == ("std__ErrorMessageText__c",)
    assert shape.types["started_at"] == "TimestampTZ"


def test_names_match_without_case_and_are_asked_for_as_the_org_spells_them() -> None:
    org = FakeOrg()
    org.put(SESSIONS, [], rename=str.upper)
    shape = look(org, SESSIONS)
    assert shape is not None
    assert shape.columns["started_at"] == "SSOT__STARTTIMESTAMP__C"


def test_optional_columns_that_the_org_lacks_are_named() -> None:
    org = FakeOrg()
    org.put(SESSIONS, [], without=["variable_text", "channel_type"])
    shape = look(org, SESSIONS)
    assert shape is not None
    assert shape.absent == ("ssot__AiAgentChannelType__c", "ssot__VariableText__c")
    assert "channel_type" not in shape.columns


def test_an_object_that_the_org_lacks_is_none() -> None:
    org = FakeOrg()
    assert look(org, MOMENTS) is None
    assert len(org.sql) == len(MOMENTS.objects)


def test_a_missing_required_column_is_an_error_with_candidates_and_next_action() -> None:
    org = FakeOrg()
    org.put(SESSIONS, [], without=["started_at"])
    with pytest.raises(FieldNotFoundError) as raised:
        look(org, SESSIONS, of="2026-01-14")
    said = str(raised.value)
    assert "sessions (ssot__AIAgentSession__dlm) of 2026-01-14" in said
    assert "ssot__StartTimestamp__c, std__StartTimestamp__c" in said
    assert "other_sources" in said


def test_an_object_that_the_user_may_not_read_is_not_absent() -> None:
    org = FakeOrg()

    def refuse(sql: str) -> None:
        raise PermissionDeniedError("403")

    org.before = refuse
    with pytest.raises(PermissionDeniedError, match="sessions"):
        look(org, SESSIONS)


@pytest.mark.parametrize("filled", [0, 1])
def test_of_two_families_the_one_with_rows_is_read(filled: int) -> None:
    org = FakeOrg()
    renames = (str, lambda source: source.replace("ssot__", "std__"))
    for place, (name, rename) in enumerate(zip(SESSIONS.objects, renames, strict=True)):
        rows = rows_of(SESSIONS, [DAY]) if place == filled else []
        org.put(SESSIONS, rows, name=name, rename=rename)
    shape = look(org, SESSIONS)
    assert shape is not None
    assert shape.object_name == SESSIONS.objects[filled]


def test_a_look_whose_query_is_lost_is_asked_again_and_not_for_ever() -> None:
    org = FakeOrg()
    org.put(SESSIONS, [])
    lost = [QueryExpiredError("lost"), QueryExpiredError("lost")]

    def lose(sql: str) -> None:
        if lost:
            raise lost.pop()

    org.before = lose
    shape = look(org, SESSIONS)
    assert shape is not None
    assert shape.object_name == SESSIONS.objects[0]
    lost.extend(QueryExpiredError("lost") for _ in range(100))
    with pytest.raises(QueryExpiredError, match="sessions"):
        look(org, SESSIONS)
    assert len(lost) == 94
