"""Sessions by agent, as participants tell."""

from __future__ import annotations

from datetime import timedelta

import pytest

from stdm_platform.catalog import dmo
from stdm_platform.errors import (
    ArgumentError,
    FieldNotFoundError,
    ObjectNotFoundError,
    QueryExpiredError,
)
from stdm_platform.extraction import find_agents, find_sessions_of_agent
from stdm_platform_tests.extraction.conversations import EVENING, conversation, put, together
from stdm_platform_tests.extraction.fake_org import FakeOrg, FakeResult

RANGE = (EVENING, EVENING + timedelta(days=1))
PARTICIPANTS = dmo("participants")


@pytest.fixture
def org() -> FakeOrg:
    org = FakeOrg()
    rows = together(
        conversation("one"),
        conversation("two", agent="order_support"),
        conversation("three", agent="Returns"),
        conversation("before", at=EVENING - timedelta(milliseconds=1)),
        conversation("after", at=RANGE[1]),
        conversation("unset", agent="NOT_SET"),
    )
    rows["participants"][5]["agent_api_name"] = "Order_Support"  # three: handed over
    rows["participants"].append({**rows["participants"][5], "participant_id": "again"})
    put(org, rows)
    return org


def test_the_name_is_compared_exactly_and_each_session_comes_once(org: FakeOrg) -> None:
    assert find_sessions_of_agent(org, "Order_Support", *RANGE) == ["one", "three"]
    assert find_sessions_of_agent(org, "order_support", *RANGE) == ["two"]


def test_names_on_rows_of_users_say_nothing(org: FakeOrg) -> None:
    assert find_sessions_of_agent(org, "Returns", *RANGE) == []
    assert find_agents(org, *RANGE) == ["Order_Support", "order_support"]


def test_the_range_is_half_open_and_meant_by_the_participants_clock(org: FakeOrg) -> None:
    rows = conversation("long", at=EVENING - timedelta(days=3))
    rows["participants"][1]["started_at"] = EVENING
    put(org, rows)
    assert find_sessions_of_agent(org, "Order_Support", *RANGE) == ["long"]
    assert find_sessions_of_agent(org, "Order_Support", EVENING - timedelta(days=3), EVENING) == []


@pytest.mark.parametrize("name", ["", " ", "NOT_SET"])
def test_a_name_that_is_none_is_refused(org: FakeOrg, name: str) -> None:
    with pytest.raises(ArgumentError, match="names no agent"):
        find_sessions_of_agent(org, name, *RANGE)


def test_an_org_that_does_not_name_agents_is_an_error() -> None:
    org = FakeOrg()
    with pytest.raises(ObjectNotFoundError, match="extract-tree"):
        find_sessions_of_agent(org, "Order_Support", *RANGE)
    org.put(PARTICIPANTS, [], without=["agent_api_name"])
    with pytest.raises(FieldNotFoundError, match="AiAgentApiName"):
        find_sessions_of_agent(org, "Order_Support", *RANGE)


def test_a_lost_answer_is_asked_for_again_and_no_text_twice(org: FakeOrg) -> None:
    faults = [QueryExpiredError("lost")]

    def lose_one(sql: str) -> FakeResult | None:
        if "DISTINCT" in sql and faults:
            raise faults.pop()
        return None

    org.before = lose_one
    assert find_sessions_of_agent(org, "Order_Support", *RANGE) == ["one", "three"]
    find_sessions_of_agent(org, "Order_Support", *RANGE)
    asked = [sql for sql in org.sql if "DISTINCT" in sql]
    assert len(asked) == 3
    assert len(set(asked)) >= 2
