"""A client ends when it is told to, whatever it was doing."""

from __future__ import annotations

import threading
import time

import httpx
import pytest

from stdm_platform.data360 import Data360
from stdm_platform.errors import SourceError, UnavailableError
from stdm_platform_tests.data360.fake_org import Call, FakeOrg, connection, instead, raising


def test_closing_ends_a_retry_that_waits() -> None:
    org = FakeOrg()
    org.bend("v3.submit", instead(429, headers={"retry-after": "5000"}), when=99)
    client = Data360(connection(transport="arrow"), http_transport=httpx.MockTransport(org.handle))
    failures: list[Exception] = []

    def ask() -> None:
        try:
            client.query("SELECT 1")
        except UnavailableError as error:
            failures.append(error)

    thread = threading.Thread(target=ask)
    thread.start()
    while not org.count("v3.submit"):
        time.sleep(0.01)
    client.close()
    thread.join(60)
    assert not thread.is_alive()
    assert len(failures) == 1


@pytest.mark.parametrize("transport", ["arrow", "json"])
def test_stopping_ends_the_wait_for_a_query_that_runs_on(transport: str) -> None:
    org = FakeOrg(running=10**9)
    client = Data360(
        connection(transport=transport), http_transport=httpx.MockTransport(org.handle)
    )
    plane = "v3" if transport == "arrow" else "connect"

    def third(call: Call, answer: httpx.Response) -> httpx.Response:
        if org.count(f"{plane}.status") == 3:
            client.stop()
        return answer

    org.bend(f"{plane}.status", third, when=10**9)
    with client, pytest.raises(UnavailableError):
        client.query("SELECT 1")
    assert org.count(f"{plane}.status") == 3


def test_an_address_that_cannot_be_asked_is_not_tried_again() -> None:
    org = FakeOrg()
    org.bend("login", raising(httpx.UnsupportedProtocol), when=99)
    with org.client() as client, pytest.raises(SourceError, match="STDM_LOGIN_URL"):
        client.log_in()
    assert org.count("login") == 1
