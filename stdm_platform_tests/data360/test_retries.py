"""Transient faults are outlived on every path; permanent ones end in an error at once."""

from __future__ import annotations

import time
from email.utils import formatdate

import httpx
import pytest

from stdm_platform.data360.requester import retry_after_seconds
from stdm_platform.errors import (
    AuthenticationError,
    PermissionDeniedError,
    QueryExpiredError,
    SourceError,
    UnavailableError,
)
from stdm_platform_tests.data360.fake_org import (
    FakeOrg,
    cut,
    cut_quietly,
    html,
    instead,
    raising,
    read_all,
)

FAULTS = {
    "429": instead(429),
    "429 with seconds": instead(429, headers={"retry-after": "3"}),
    "500 of the gateway": instead(500, json={"error": "x", "internalErrorCode": "y"}),
    "503 with a page": html(503),
    "a page": html(200),
    "a redirect": instead(302, headers={"location": "https://login.example.com/"}),
    "a reset before": raising(httpx.ConnectError),
    "a reset while reading": raising(httpx.ReadError),
    "a protocol error": raising(httpx.RemoteProtocolError),
    "a timeout": raising(httpx.ReadTimeout),
    "a cut body": cut,
    "a body cut without notice": cut_quietly,
}
ARROW_PATH = ["login", "exchange", "v3.submit", "v3.status", "v3.chunk"]
JSON_PATH = ["login", "connect.submit", "connect.status", "connect.rows"]
PLACES = [("arrow", name) for name in ARROW_PATH] + [("json", name) for name in JSON_PATH]


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize(("transport", "operation"), PLACES)
def test_one_transient_fault_anywhere_changes_nothing(
    transport: str, operation: str, fault: str
) -> None:
    org = FakeOrg(rows=23, chunks=[5, 0, 18], running=1, inline=0)
    org.bend(operation, FAULTS[fault])
    with org.client(transport=transport) as client:
        assert read_all(client) == list(range(23))
    if fault == "429 with seconds":
        assert 3.0 <= max(org.slept) < 3.2


@pytest.mark.parametrize("transport", ["arrow", "json"])
def test_one_request_in_three_may_fail_in_a_mixture_of_ways(transport: str) -> None:
    org = FakeOrg(rows=300, chunks=[3] * 100, page=3, running=2)
    mixture = [*FAULTS.values(), instead(401)]
    for position, bend in enumerate(mixture):
        step = 3 * len(mixture)
        org.bend("*", bend, when=lambda n, at=3 * position + 2, step=step: n % step == at)
    with org.client(transport=transport, requests_in_flight=1) as client:
        assert read_all(client) == list(range(300))
    assert len(org.calls) > 140


@pytest.mark.parametrize("fault", ["503 with a page", "a reset before", "a cut body", "429"])
def test_a_fault_on_every_attempt_ends_after_the_attempts_asked_for(fault: str) -> None:
    org = FakeOrg()
    org.bend("v3.chunk", FAULTS[fault], when=1000)
    with org.client(transport="arrow", max_attempts=7) as client:
        result = client.query("SELECT 1")
        with pytest.raises(UnavailableError) as caught:
            list(result.batches())
    assert org.count("v3.chunk") == 7
    assert "GET /api/v3/query/{queryId}/chunks/0 failed 7 times" in str(caught.value)
    assert "49169cf8" not in str(caught.value)


@pytest.mark.parametrize("status", [400, 403, 404, 406, 408, 409, 410, 422, 501])
def test_other_client_errors_are_never_asked_again(status: int) -> None:
    org = FakeOrg()
    org.bend("connect.rows", instead(status, json=[{"errorCode": "X", "message": "m"}]), when=99)
    with org.client(transport="json") as client:
        result = client.query("SELECT 1")
        with pytest.raises(SourceError):
            list(result.batches())
    assert org.count("connect.rows") == 1


def test_a_403_says_what_to_grant() -> None:
    org = FakeOrg()
    org.bend("connect.submit", instead(403, json=[{"errorCode": "X", "message": "no access"}]))
    with (
        org.client(transport="json", dataspace="sales") as client,
        pytest.raises(PermissionDeniedError) as caught,
    ):
        client.query("SELECT 1")
    for word in ("cdp_query_api", "Data Cloud User", "sales", "no access"):
        assert word in str(caught.value)


@pytest.mark.parametrize(
    ("transport", "operation"),
    [
        ("arrow", "v3.status"),
        ("arrow", "v3.chunk"),
        ("json", "connect.status"),
        ("json", "connect.rows"),
    ],
)
def test_a_lost_query_id_says_that_the_query_has_to_run_again(
    transport: str, operation: str
) -> None:
    org = FakeOrg(running=1)
    org.bend(operation, instead(404, json=[{"errorCode": "NOT_FOUND", "message": "gone"}]))
    with org.client(transport=transport) as client, pytest.raises(QueryExpiredError):
        read_all(client)


def test_an_expired_token_is_renewed_once_and_its_request_sent_again() -> None:
    for transport, login_count in (("arrow", 2), ("json", 2)):
        org = FakeOrg(rows=20, chunks=[10, 10], page=10)
        with org.client(transport=transport) as client:
            result = client.query("SELECT 1")
            org.kill_tokens()
            assert sum(batch.num_rows for batch in result.batches()) == 20
        assert org.count("login") == login_count


def test_many_threads_with_an_expired_token_renew_it_once() -> None:
    org = FakeOrg(rows=400, chunks=[10] * 40)
    with org.client(transport="arrow", requests_in_flight=15) as client:
        result = client.query("SELECT 1")
        org.kill_tokens()
        assert sum(batch.num_rows for batch in result.batches()) == 400
    assert org.count("login") == 2
    assert org.count("exchange") == 2


@pytest.mark.parametrize("transport", ["arrow", "json"])
def test_a_fresh_token_that_is_refused_too_ends_in_an_authentication_error(transport: str) -> None:
    org = FakeOrg()
    org.bend("v3.submit" if transport == "arrow" else "connect.submit", instead(401), when=99)
    with org.client(transport=transport) as client, pytest.raises(AuthenticationError) as caught:
        client.query("SELECT 1")
    assert "401" in str(caught.value)
    assert org.count("login") == 2


def test_a_token_that_dies_again_at_once_is_renewed_again_if_the_plane_had_let_us_in() -> None:
    org = FakeOrg()
    org.bend("v3.chunk", instead(401), when=5)
    with org.client(transport="arrow") as client:
        assert read_all(client) == list(range(10))
    org = FakeOrg()
    org.bend("v3.chunk", instead(401), when=999)
    with org.client(transport="arrow") as client:
        result = client.query("SELECT 1")
        with pytest.raises(AuthenticationError, match="401"):
            list(result.batches())


def test_no_request_logs_in_by_itself() -> None:
    org = FakeOrg(rows=100, chunks=[10] * 10)
    with org.client(transport="arrow") as client:
        for _ in range(5):
            read_all(client)
    assert org.count("login") == 1
    assert org.count("exchange") == 1


def test_a_login_page_for_a_dead_session_leads_to_a_new_login() -> None:
    org = FakeOrg()
    page = html(200)
    dead = "Bearer 00D!orgtoken1"
    org.bend(
        "connect.submit",
        lambda call, answer: (
            page(call, answer) if call.headers["authorization"] == dead else answer
        ),
        when=99,
    )
    with org.client(transport="json") as client:
        assert read_all(client) == list(range(10))
    assert org.count("login") == 2


def test_retry_after_is_read_as_seconds_or_as_a_date() -> None:
    now = 1_768_348_800.0
    assert retry_after_seconds("7", now) == 7.0
    assert retry_after_seconds(" 0.5 ", now) == 0.5
    assert retry_after_seconds("-5", now) == 0.0
    assert retry_after_seconds(formatdate(now + 9, usegmt=True), now) == 9.0
    assert retry_after_seconds(formatdate(now - 9, usegmt=True), now) == 0.0
    for useless in (None, "", "soon", "nan", "inf"):
        assert retry_after_seconds(useless, now) is None


def test_a_wait_that_the_org_asks_for_is_bounded() -> None:
    org = FakeOrg()
    org.bend("v3.submit", instead(429, headers={"retry-after": "86400"}))
    with org.client(transport="arrow") as client:
        client.query("SELECT 1")
    assert max(org.slept) < 61


@pytest.mark.parametrize("ago", [0, 300])
@pytest.mark.parametrize("as_date", [False, True])
def test_an_org_that_says_at_once_to_a_refusal_does_not_use_up_the_attempts(
    as_date: bool, ago: int
) -> None:
    org = FakeOrg()
    said = formatdate(time.time() - ago, usegmt=True) if as_date else f"-{ago}"
    org.bend("v3.submit", instead(429, headers={"retry-after": said}), when=9)
    with org.client(transport="arrow") as client:
        assert read_all(client) == list(range(10))
    assert sum(org.slept) > 1


def test_an_org_that_refuses_again_and_again_is_given_more_time_than_it_asks_for() -> None:
    org = FakeOrg()
    org.bend("v3.submit", instead(429, headers={"retry-after": "1"}), when=19)
    with org.client(transport="arrow", max_attempts=20) as client:
        assert read_all(client) == list(range(10))
    assert min(org.slept) >= 1
    assert sum(org.slept) > 19 * 1.1  # the most that it would be with what it asked for and jitter


@pytest.mark.parametrize("ahead", [-7200, 0, 7200])
def test_a_date_to_come_back_at_is_read_by_the_clock_of_the_org(ahead: int) -> None:
    theirs = time.time() + ahead
    headers = {"date": formatdate(theirs, usegmt=True)}
    headers["retry-after"] = formatdate(theirs + 5, usegmt=True)
    org = FakeOrg()
    org.bend("v3.submit", instead(429, headers=headers))
    with org.client(transport="arrow") as client:
        client.query("SELECT 1")
    assert 4 <= org.slept[0] < 7


def test_backoff_is_short_at_first_jittered_and_capped() -> None:
    waits = []
    for _ in range(20):
        org = FakeOrg()
        org.bend("v3.submit", instead(500), when=9)
        with org.client(transport="arrow") as client:
            client.query("SELECT 1")
        waits.append(org.slept[:9])
    assert max(wait[0] for wait in waits) <= 0.15
    assert len({wait[3] for wait in waits}) == 20
    assert max(max(wait) for wait in waits) <= 15.0


def test_requests_in_flight_stay_below_the_cap_with_several_queries_at_once() -> None:
    from concurrent.futures import ThreadPoolExecutor

    org = FakeOrg(rows=100, chunks=[5] * 20)
    org.bend("v3.chunk", lambda call, answer: (time.sleep(0.002), answer)[1], when=10_000)
    with (
        org.client(transport="arrow", requests_in_flight=3) as client,
        ThreadPoolExecutor(6) as pool,
    ):
        answers = list(pool.map(lambda _: read_all(client), range(6)))
    assert answers == [list(range(100))] * 6
    assert 2 <= org.most_in_flight <= 3


def test_a_host_that_cannot_be_connected_to_is_named() -> None:
    for failure in (httpx.ConnectError, httpx.ConnectTimeout):
        org = FakeOrg()
        org.bend("v3.submit", raising(failure), when=99)
        with org.client(transport="arrow", max_attempts=2) as client:
            tenant = client.tenant_host
            with pytest.raises(UnavailableError, match=f"broken connection to {tenant} "):
                client.query("SELECT 1")
