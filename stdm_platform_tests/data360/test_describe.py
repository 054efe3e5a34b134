"""Descriptions of objects: each shape is read, and every refusal means only "not told"."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from stdm_platform.data360 import ResultColumn
from stdm_platform.errors import ObjectNotFoundError
from stdm_platform_tests.data360.fake_org import Bend, FakeOrg, html, instead

ENTITY = {
    "name": "ssot__AiAgentSession__dlm",
    "displayName": "Session",
    "fields": [
        {"name": "ssot__Id__c", "displayName": "Id", "type": "STRING", "businessType": "TEXT"},
        {"name": "ssot__StartTimestamp__c", "type": "DATE_TIME"},
        {"name": "ssot__Count__c", "type": "NUMBER", "isNullable": False},
        {"name": "ssot__Odd__c", "type": "PHONE"},
    ],
    "primaryKeys": [{"name": "ssot__Id__c", "indexOrder": "1"}],
}
METADATA = "connect.submit"
"""As the fake org calls any other request to the Connect plane."""


def org_with(bend: Bend) -> FakeOrg:
    org = FakeOrg()
    org.bend(METADATA, bend, when=lambda number: True)
    return org


@pytest.mark.parametrize(
    "body", [{"metadata": [ENTITY]}, [ENTITY], ENTITY], ids=["env", "list", "one"]
)
def test_an_object_is_described_as_the_org_spells_it(body: Any) -> None:
    org = org_with(instead(200, json=body))
    with org.client(transport="json") as client:
        found = client.describe("ssot__AIAgentSession__dlm")
        assert found is not None
        assert found.name == "ssot__AiAgentSession__dlm"
        assert found.keys == ("ssot__Id__c",)
        assert found.columns == (
            ResultColumn("ssot__Id__c", "Varchar"),
            ResultColumn("ssot__StartTimestamp__c", "TimestampTZ"),
            ResultColumn("ssot__Count__c", "Numeric"),
            ResultColumn("ssot__Odd__c", "PHONE"),
        )
        assert [each.nullable for each in found.columns] == [None, None, False, None]
        assert client.object_names() == ("ssot__AiAgentSession__dlm",)
    asked = org.of(METADATA)
    assert [call.params.get("entityName") for call in asked] == ["ssot__AIAgentSession__dlm", None]
    assert asked[0].raw_path.endswith("/ssot/metadata")


@pytest.mark.parametrize(
    "bend",
    [
        instead(403, json=[{"errorCode": "FORBIDDEN", "message": "no access"}]),
        instead(404, json=[{"errorCode": "NOT_FOUND", "message": "The requested resource does not exist"}]),
        html(200),
        html(404),
        instead(400, json=[{"errorCode": "UNKNOWN", "message": "never heard"}]),
        instead(500, text="oops"),
    ],
    ids=["403", "404", "page", "404 page", "400", "500"],
)  # fmt: skip
def test_whatever_is_refused_is_not_told_and_not_asked_again(bend: Bend) -> None:
    org = org_with(bend)
    with org.client(transport="json") as client:
        assert client.describe("ssot__AIAgentSession__dlm") is None
        asked = len(org.of(METADATA))
        assert client.describe("ssot__AIAgentInteraction__dlm") is None
        assert client.object_names() == ()
    assert len(org.of(METADATA)) == asked


@pytest.mark.parametrize(
    "body", [{}, [], {"metadata": None}, {"metadata": [{"name": "Other"}]}, 7, "x"]
)
def test_a_shape_that_says_nothing_of_the_object_is_not_told(body: Any) -> None:
    org = org_with(instead(200, json=body))
    with org.client(transport="json") as client:
        assert client.describe("ssot__AIAgentSession__dlm") is None


@pytest.mark.parametrize("code", ["ITEM_NOT_FOUND", "NOT_FOUND"])
def test_an_object_that_the_org_says_it_lacks_is_an_error_and_others_are_still_asked_for(
    code: str,
) -> None:
    def answer(call: Any, _: httpx.Response) -> httpx.Response:
        if call.params["entityName"] == ENTITY["name"]:
            return httpx.Response(200, json={"metadata": [ENTITY]})
        said = [{"errorCode": code, "message": "DataModelEntity not found"}]
        return httpx.Response(404, json=said)

    org = org_with(answer)
    with org.client(transport="json") as client:
        with pytest.raises(ObjectNotFoundError):
            client.describe("ssot__Nothing__dlm")
        assert client.describe(str(ENTITY["name"])) is not None
