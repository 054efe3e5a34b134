"""Moments with their pages: of one session or all, relative or whole."""

from __future__ import annotations

from pathlib import Path

import pytest

from stdm_platform.errors import NotExtractedError
from stdm_platform.insight import Scope, moment_urls
from stdm_platform.insight.links import org_host
from stdm_platform.lake import Lake
from stdm_platform.marts import MartStore
from stdm_platform_tests.insight.mart_tables import Row, marts_with, session
from stdm_platform_tests.marts.lakes import NEXT, hold


def moment(key: str, of: str, second: int = 0, **more: object) -> Row:
    row = {"moment_id": key, "session_id": of, "started_at": f"2026-01-14 10:00:{second:02}+00"}
    return {**row, "url": f"/lightning/{key}", **more}


@pytest.fixture
def store(tmp_path: Path) -> MartStore:
    return marts_with(
        tmp_path,
        session_summary=[session("a"), session("b", NEXT), session("none")],
        moment_links=[
            moment("a2", "a", 9),
            moment("a1", "a", 1, is_preview=True),
            moment("b1", "b", 30, agent_name="Other", session_date=NEXT),
        ],
    )


def test_moments_stand_as_they_began_under_the_newest_session_first(store: MartStore) -> None:
    found = moment_urls(store, Scope())
    assert found["moment_id"].to_list() == ["b1", "a1", "a2"]
    assert found["is_preview"].to_list() == [False, True, False]
    assert found["url"].to_list() == ["/lightning/b1", "/lightning/a1", "/lightning/a2"]
    assert "literal" not in found.columns


def test_a_host_makes_links_whole(store: MartStore) -> None:
    host = org_host("https://acme--uat.sandbox.my.salesforce.com/")
    found = moment_urls(store, Scope(), "b", host=host)
    assert found["url"].to_list() == ["https://acme--uat.sandbox.my.salesforce.com/lightning/b1"]


@pytest.mark.parametrize(
    "url",
    ["https://login.salesforce.com", "http://acme.my.salesforce.com", "https://my.salesforce.com.evil.example", None],
)  # fmt: skip
def test_a_login_host_of_all_orgs_or_of_a_stranger_is_no_host_of_an_org(url: str | None) -> None:
    assert org_host(url) == ""


def test_an_agent_and_a_range_bound_the_moments(store: MartStore) -> None:
    assert moment_urls(store, Scope(agent="Other"))["moment_id"].to_list() == ["b1"]
    assert moment_urls(store, Scope(until=NEXT))["moment_id"].to_list() == ["a1", "a2"]
    assert moment_urls(store, Scope(), "none").is_empty()


def test_a_session_that_no_mart_has_is_an_error_and_so_are_moments_never_extracted(
    store: MartStore, tmp_path: Path
) -> None:
    with pytest.raises(NotExtractedError, match="No published mart has the session x"):
        moment_urls(store, Scope(), "x")
    hold(Lake(tmp_path), "sessions")
    with pytest.raises(NotExtractedError, match="moments were never extracted"):
        moment_urls(store, Scope(), "a")
